"""No name in addresses belongs to two pages: Streamlit drops it on the way between them, or hands it to the other."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.base.links import FRAMED, PINNED, TAKEN_ALONG
from tests.app.conftest import ROOT

PAGES = sorted(path for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")


@cache
def parts(path: Path) -> dict[str, list[ast.stmt]]:
    """Of a module: its functions' statements by name, and under "" all else."""
    statements: dict[str, list[ast.stmt]] = {"": []}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            statements[node.name] = [node]
        else:
            statements[""].append(node)
    return statements


@cache
def imported(path: Path) -> dict[str, tuple[Path, str]]:
    """What a module calls a module of the app (with ""), or a name in one."""
    origins = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "app":
            for name in node.names:
                whole = ROOT / f"{(node.module or '').replace('.', '/')}/{name.name}.py"
                module = whole if whole.is_file() else whole.parent.with_suffix(".py")
                name_there = "" if whole.is_file() else name.name
                origins[name.asname or name.name] = (module, name_there)
    return origins


def named(path: Path, function: str) -> Iterator[tuple[Path, str]]:
    """The functions that a function names, and may so call."""
    for node in (child for part in parts(path)[function] for child in ast.walk(part)):
        if isinstance(node, ast.Name):
            module, name_there = imported(path).get(node.id, (path, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, name_there = imported(path).get(node.value.id, (path, ""))[0], node.attr
        else:
            continue
        if module.is_file() and name_there in parts(module):
            yield module, name_there


def reached(page: Path) -> set[tuple[Path, str]]:
    """All functions that a page may call."""
    visited, new = set(), [(page, "")]
    while new:
        one = new.pop()
        if one not in visited:
            visited.add(one)
            new += named(*one)
    return visited


def texts(node: ast.AST) -> set[str]:
    """Words in an expression that may be names in addresses: a tuple's, a table's keys."""
    listed = node.keys if isinstance(node, ast.Dict) else ast.walk(node)
    return {
        element.value
        for element in listed
        if isinstance(element, ast.Constant) and isinstance(element.value, str)
    }


def constants(path: Path) -> dict[str, ast.expr]:
    """What stands under a name at the top of a module."""
    return {
        target.id: node.value
        for node in parts(path)[""]
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def bound(path: Path, function: str) -> set[str]:
    """Keys that a function binds; those that a caller gives (`own_sample.Keys`) are found at the caller."""
    keys: set[str] = set()
    of_loops: dict[str, ast.expr] = {}
    for node in (child for part in parts(path)[function] for child in ast.walk(part)):
        if isinstance(node, ast.For | ast.comprehension):
            source = next(
                (
                    constants(path)[child.id]
                    for child in ast.walk(node.iter)
                    if isinstance(child, ast.Name) and child.id in constants(path)
                ),
                node.iter,
            )
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    of_loops[name.id] = source
    for node in (child for part in parts(path)[function] for child in ast.walk(part)):
        given: dict[str, ast.expr] = {}
        if isinstance(node, ast.Call):
            given = {word.arg: word.value for word in node.keywords if word.arg}
        elif isinstance(node, ast.Dict):
            given = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Keys":
            keys |= {word for key, value in given.items() if key != "file" for word in texts(value)}
        if "bind" not in given:
            continue
        key = given["key"]
        if isinstance(key, ast.Constant):
            keys.add(str(key.value))
        elif isinstance(key, ast.Name):
            assert key.id in of_loops, f"{path.name}: what is bound under {key.id}?"
            keys |= texts(of_loops[key.id])
        else:
            assert path.stem == "own_sample", (
                f"{path.name}: what is bound under {ast.unparse(key)}?"
            )
    return keys


def test_no_name_is_bound_on_two_pages() -> None:
    pages: dict[str, set[str]] = defaultdict(set)
    for page in PAGES:
        its = reached(page)
        for path, function in {*its, *((path, "") for path, _ in its)}:
            for key in bound(path, function):
                pages[key].add(page.stem)
    assert pages["k"] == {"sample"}, "what the page's modules bind is found"
    assert pages["true"] == pages["counts"] == {"routing"}
    assert pages["mine"] == {"map"}
    assert pages["cell_task"] == {"forgetting"}
    assert pages["by_adapter"] == {"map"}
    assert {key: its for key, its in pages.items() if len(its) > 1} == {}
    assert not pages.keys() & {*FRAMED, *TAKEN_ALONG, PINNED} - {"text"}
    assert pages["text"] == {"settings"}
