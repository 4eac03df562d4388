"""What commands write to standard output: through one module, and as JSON wherever they offer it."""

from __future__ import annotations

import ast
import math
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


def to_errors(call: ast.Call) -> bool:
    """Whether it is said on standard error."""
    return any(
        (keyword.arg == "err" and ast.unparse(keyword.value) == "True")
        or (keyword.arg == "file" and ast.unparse(keyword.value) == "sys.stderr")
        for keyword in call.keywords
    )


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


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_standard_output_is_written_by_one_module_alone(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    direct = {"print", "typer.echo", "typer.secho", "json.dumps", "json.dump"}
    direct_writes = [
        f"{ast.unparse(call.func)} in line {call.lineno}"
        for call in calls(tree)
        if ast.unparse(call.func) in direct and not to_errors(call)
    ]
    direct_writes += [
        f"{ast.unparse(node)} in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("sys.stdout.write", "sys.stdout.writelines", "sys.stdout.buffer")
    ]
    assert not direct_writes


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
