"""No file of JSON is read whole before its size is asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READER = "cl_core/bounded_files.py"
PARSERS = ("loads", "load")


def unbounded(source: str) -> Iterator[int]:
    """Lines in which JSON is parsed that is read from a file in the same breath."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if ast.unparse(node.func.value) != "json" or node.func.attr not in PARSERS:
            continue
        read = ast.unparse(node.args[0])
        if (
            (node.func.attr == "load" and read != "sys.stdin")
            or "read_text" in read
            or "read_bytes" in read
        ):
            yield node.lineno


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("json.loads(path.read_text(encoding='utf-8'))", [1]),
        ("x = 1\njson.load(path.open())", [2]),
        ("json.loads(line)\nread_json(path)\njson.load(sys.stdin)", []),
    ],
)
def test_the_rule_sees_what_it_forbids(source: str, lines: list[int]) -> None:
    assert list(unbounded(source)) == lines


@pytest.mark.parametrize("folder", ["cl_core", "app", "pages"])
def test_json_of_files_is_read_within_its_limit(folder: str) -> None:
    assert not [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        if str(file.relative_to(ROOT)) != READER
        for line in unbounded(file.read_text("utf-8"))
    ]
