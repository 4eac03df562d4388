"""Arguments that travel together have a name: few functions take eight or more."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANY = 8
CEILING = 0.01
"""Share of the functions of cl_core and app; never raised."""


def arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Names of a function's arguments, but for that of its object."""
    said = function.args
    several = [said.vararg, said.kwarg]
    every = [
        *said.posonlyargs,
        *said.args,
        *said.kwonlyargs,
        *(argument for argument in several if argument),
    ]
    return [argument.arg for argument in every if argument.arg not in ("self", "cls")]


def test_few_functions_take_eight_arguments_or_more() -> None:
    functions = {
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}": len(arguments(node))
        for folder in ("cl_core", "app")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    long = sorted(name for name, count in functions.items() if count >= MANY)
    assert len(functions) > 1000
    assert len(long) / len(functions) < CEILING, "\n".join(long)
