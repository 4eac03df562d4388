"""Names of variables: what a variable holds has a name, so none is called by a word that fits anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("cl_core", "app", "pages", "adapter_lab", "benchmarks", "pretraining", "tests")
WORDS = frozenset({"place", "found", "own", "made", "told", "known", "each"})
EXCEPTIONS: Mapping[str, str] = {}
"""Names that stay, "path/of/file.py: name", and why no other says it better."""


def names_bound(source: str) -> Iterator[tuple[int, str]]:
    """Lines and names of what a module binds: variables, arguments, fields, functions, classes and imports."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case (
                ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield node.lineno, name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from ((node.lineno, alias.asname or alias.name) for alias in aliases)


def test_no_variable_is_called_by_a_word_that_fits_anything() -> None:
    files = {
        file.relative_to(ROOT).as_posix(): file
        for folder in FOLDERS
        for file in sorted((ROOT / folder).rglob("*.py"))
    }
    bound = {
        f"{path}: {name}": f"{path}:{line}: {name}"
        for path, file in files.items()
        for line, name in names_bound(file.read_text(encoding="utf-8"))
        if name in WORDS
    }
    assert len(files) > 600
    assert [said for name, said in bound.items() if name not in EXCEPTIONS] == []
    assert set(EXCEPTIONS) <= set(bound), "exceptions that are none any more"


def test_every_way_to_bind_a_name_is_seen() -> None:
    source = """
import made
from field import row as told
class Row:
    place: int = 0
def known(each, *own, found=None):
    for a, b in own: pass
    with open(a) as c: d = [e for e in c]
    try: (f := b)
    except OSError as g: pass
    match d:
        case [h, *i]: pass
        case {"j": j, **k}: pass
    return lambda m: m
"""
    assert {name for _, name in names_bound(source)} == {*"abcdefghijkm", "Row", *WORDS}
