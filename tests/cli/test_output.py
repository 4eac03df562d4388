"""What commands write to standard output: through one module, and as JSON wherever they offer it."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import cl_core.cli
from cl_core.cli.output import json_text, say_written
from tests.cli.conftest import machine_readable

FOLDER = Path(cl_core.cli.__file__).parent
MODULES = [file for file in sorted(FOLDER.glob("*.py")) if file.name != "output.py"]
WRITERS = {"say_json", "json_text"}
"""What writes JSON; whoever is handed `as_json` must do it in turn."""


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_where_it_was_written_is_json_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_written(Path("a.csv"), as_json=True)
    assert machine_readable(capsys.readouterr().out) == {"file": "a.csv"}
    say_written(Path("a.csv"), as_json=False)
    assert capsys.readouterr().out == "written to a.csv\n"


def test_numbers_that_json_does_not_have_are_null_however_deep() -> None:
    odd = {"a": [math.nan, (math.inf, {"b": -math.inf})], "c": np.float64("nan"), "d": 1.5}
    assert machine_readable(json_text(odd)) == {
        "a": [None, [None, {"b": None}]],
        "c": None,
        "d": 1.5,
    }


PRINTERS = {"print", "json.dumps", "json.dump", "os.write", "Console"}
ENDS_OF_PRINTERS = (".echo", ".secho", ".echo_via_pager", ".write", ".writelines", ".print")
OF_FILES = {"cl_core/cli/demonstration.py: workspace.store.write"}
"""What writes, and not to the terminal."""


def printing(file: Path) -> Iterator[tuple[str, ast.Call]]:
    """What writes in a module of commands, beside what writes files."""
    for call in calls(ast.parse(file.read_text(encoding="utf-8"))):
        name = ast.unparse(call.func)
        named = f"cl_core/cli/{file.name}: {name}"
        if (name in PRINTERS or name.endswith(ENDS_OF_PRINTERS)) and named not in OF_FILES:
            yield named, call


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_the_terminal_is_written_by_one_module_alone(file: Path) -> None:
    """Which shows what would steer it; the ending of a command does so itself, as nothing is loaded by then."""
    names = [name for name, _ in printing(file)]
    assert names == (["cl_core/cli/endings.py: print"] if file.name == "endings.py" else [])


def test_whatever_is_printed_was_made_visible() -> None:
    prints = [
        call
        for module in ("output.py", "endings.py")
        for name, call in printing(FOLDER / module)
        if name.endswith("print")
    ]
    assert len(prints) == 5
    assert {ast.unparse(call.args[0]).partition("(")[0] for call in prints} == {"visible"}


def test_every_command_that_offers_json_writes_it_or_hands_the_wish_on() -> None:
    offering, handed = {}, []
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            if "as_json" in {argument.arg for argument in node.args.args}:
                offering[node.name] = node
                handed += [
                    ast.unparse(call.func)
                    for call in calls(node)
                    if any(ast.unparse(given) == "as_json" for given in call.args)
                ]
    assert len(offering) > 20
    silent = [
        name
        for name, node in offering.items()
        if not {ast.unparse(call.func) for call in calls(node)} & (WRITERS | set(handed))
    ]
    assert not silent
