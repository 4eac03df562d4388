"""What a choice of a slot is, its row says: nothing else asks for it by its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from cl_core.adapters.compose import COMPOSITIONS
from cl_core.evaluate.table import METRICS
from cl_core.initialise import INITIALISERS
from cl_core.route import ROUTERS
from cl_core.train import TRAINERS

ROOT = Path(__file__).parents[1]
COLUMNS = frozenset({"accuracy", "entropy", "margin"})
"""Numbers that are columns of a run's tables as well, under the same names."""
OWN_FOLDER = {
    "cl_core/initialise": frozenset(INITIALISERS),
    "cl_core/train": frozenset(TRAINERS),
    "cl_core/route": frozenset(ROUTERS),
    "cl_core/adapters/compose": frozenset(COMPOSITIONS),
    "cl_core/adapters/merging": frozenset(COMPOSITIONS),
    "cl_core/evaluate": frozenset(METRICS) - COLUMNS,
}
"""By folder, the names that are at home there."""
RECIPES = "cl_core/recipes/named.py"
"""Where recipes are written down by the names of their choices."""


def compared(tree: ast.AST, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Lines and names where something is compared with, or looked up by, names of one slot.

    A variable `kind` is an artifact's: some kinds are called as the choice in whose making they are made.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=ast.Name(id="kind")):
                continue
            case ast.Compare(left=left, comparators=others):
                asked = [name for side in (left, *others) for name in _texts(side)]
                yield from ((node.lineno, name) for name in asked if name in names)
            case ast.MatchValue(value=ast.Constant(value=str(text))) if text in names:
                yield node.lineno, text
            case ast.Dict() | ast.Tuple() | ast.List() | ast.Set():
                listed, size = _texts(node), _size(node)
                several = isinstance(node, ast.Dict) or size > 1
                if listed and several and set(listed) <= names and len(listed) == size:
                    yield node.lineno, ", ".join(listed)


def _texts(node: ast.AST) -> list[str]:
    """The texts that an expression is, or lists."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case (
            ast.Dict(keys=items)
            | ast.Tuple(elts=items)
            | ast.List(elts=items)
            | ast.Set(elts=items)
        ):
            return [text for item in items if item for text in _texts(item)]
    return []


def _size(node: ast.Dict | ast.Tuple | ast.List | ast.Set) -> int:
    return len(node.keys) if isinstance(node, ast.Dict) else len(node.elts)


def comparisons() -> list[str]:
    """ "file:line name" of every comparison with a choice's name outside the folder of its slot."""
    files = [
        file for folder in ("cl_core", "app", "pages") for file in (ROOT / folder).rglob("*.py")
    ]
    lines = []
    for file in sorted(files):
        path = file.relative_to(ROOT).as_posix()
        if path == RECIPES:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for names in set(OWN_FOLDER.values()):
            at_home = [home for home, theirs in OWN_FOLDER.items() if theirs == names]
            if any(path.startswith(f"{home}/") for home in at_home):
                continue
            lines += [f"{path}:{line} {text}" for line, text in compared(tree, names)]
    return sorted(lines)


def test_no_choice_is_asked_for_by_its_name_outside_the_folder_of_its_slot() -> None:
    assert comparisons() == []
