"""The examples in the docstrings of cl_core give what they say."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import cl_core

PACKAGE = Path(cl_core.__file__).parent
MODULES = sorted(
    ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
    for file in PACKAGE.rglob("*.py")
    if ">>> " in file.read_text(encoding="utf-8")
)


def examples_of(module: str) -> list[doctest.DocTest]:
    """Docstrings of a module that have examples."""
    examples = doctest.DocTestFinder().find(import_module(module), module)
    return [test for test in examples if test.examples]


@pytest.mark.parametrize("module", MODULES)
def test_examples_give_what_they_say(module: str) -> None:
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples_of(module):
        said: list[str] = []
        assert runner.run(test, out=said.append).failed == 0, "".join(said)
    assert runner.tries > 0


def test_public_functions_all_over_the_package_have_examples() -> None:
    shown = [test.name for module in MODULES for test in examples_of(module)]
    assert len(shown) >= 60
    assert not [name for name in shown if name.rpartition(".")[2].startswith("_")]
    rooms = {name.split(".")[1] for name in shown}
    assert {"adapters", "backbones", "evaluate", "route", "store", "tasks", "train"} <= rooms
