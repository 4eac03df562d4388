"""The examples of docs/extending: which files they add, which rows, and both put into a checkout or a package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "extending"
NAMES = (
    "router",
    "baseline",
    "composition",
    "initialiser",
    "metric",
    "page",
    "architecture",
)
BLOCK = re.compile(
    r"^The (?P<kind>file|row|test)\b(?:, at the end of `(?P<table>\w+)` in)? `(?P<path>[\w/.]+)`[^`]*?:\n\n"
    r"```python\n(?P<code>.*?)```$",
    re.MULTILINE | re.DOTALL,
)
"""A block of a page, with the words before it that say where it goes."""
OUTSIDE = "my_package"
"""What a package of somebody else's is called on the pages."""
HEAD = '''"""What a package of somebody else's adds to the lab. Imports no torch."""

from __future__ import annotations

from typing import Any

from cl_core.adapters.compose.traits import CompositionTraits
from cl_core.backbones.sites import Architecture
from cl_core.choices import Choice
from cl_core.evaluate.metric import Metric
from cl_core.initialise.traits import InitialiserTraits
from cl_core.route.traits import ONE_HOT, RouterTraits
from cl_core.train.traits import one_adapter


def rows() -> list[Any]:
    """The rows; named by the entry point."""
    return [
'''


@dataclass(frozen=True)
class Block:
    """Code of a page.

    Attributes:
        kind: "file", "row" or "test".
        path: of the file that it is, or that its row goes into, from the root of the checkout.
        table: of a row, the name of the table; "" of files.
        code: as it stands.
    """

    kind: str
    path: str
    table: str
    code: str

    def as_row(self, column: int) -> str:
        """A row with a comma behind it, indented as the table's others."""
        return indent(f"{self.code.rstrip()},\n", " " * column)


def blocks(page: str) -> list[Block]:
    """The Python of a page, all of it."""
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    python_blocks = [
        Block(match["kind"], match["path"], match["table"] or "", match["code"])
        for match in BLOCK.finditer(text)
    ]
    assert len(python_blocks) == text.count("```python"), (
        f"{page}.md: a block does not say where it goes"
    )
    return python_blocks


def all_blocks(kind: str = "") -> list[Block]:
    """Those of all pages, or of one kind."""
    return [block for page in NAMES for block in blocks(page) if kind in ("", block.kind)]


def add(checkout: Path, page: str) -> None:
    """Carries out a page in a checkout: writes its files, and its row at the end of the table."""
    for block in blocks(page):
        file = checkout / block.path
        if block.kind == "row":
            text = with_row(file.read_text(encoding="utf-8"), block)
            file.unlink()
            file.write_text(text, encoding="utf-8")
        else:
            assert not file.exists(), f"{block.path} is there already"
            file.write_text(block.code, encoding="utf-8")


def with_row(source: str, block: Block) -> str:
    """A module with one row more in the table that it gives a name to, indented as the row before it."""
    end, column = next(_last_rows(ast.parse(source), block.table))
    lines = source.splitlines(keepends=True)
    return "".join([*lines[:end], block.as_row(column), *lines[end:]])


def _last_rows(tree: ast.Module, table: str) -> Iterator[tuple[int, int]]:
    """Where the last row of the table ends, and where it begins in its line."""
    for node in tree.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if not any(isinstance(target, ast.Name) and target.id == table for target in targets):
            continue
        assert isinstance(node, ast.Assign | ast.AnnAssign)
        assert node.value is not None
        for inner in ast.walk(node.value):
            if isinstance(inner, ast.List | ast.Tuple) and inner.elts:
                last = inner.elts[-1]
                assert last.end_lineno is not None
                yield last.end_lineno, last.col_offset


def notebook() -> str:
    """What README.md has a notebook do with the package: it adds the rows, and makes a recipe of them."""
    (code,) = re.findall(r"```python\n(.*?)```", _readme(), re.DOTALL)
    return str(code)


def package(site: Path) -> None:
    """Writes the same as a distribution of somebody else's: files and rows of the pages, with what pip writes down."""
    home = site / OUTSIDE
    home.mkdir(parents=True)
    (home / "__init__.py").write_text('"""Of somebody else."""\n', encoding="utf-8")
    added = {block.path: Path(block.path).stem for block in all_blocks("file") if _core(block)}
    for block in all_blocks("file"):
        if _core(block):
            (home / f"{added[block.path]}.py").write_text(block.code, encoding="utf-8")
    rows = "".join(block.as_row(8) for block in all_blocks("row") if _core(block))
    for path, name in added.items():
        rows = rows.replace(f'"{path[:-3].replace("/", ".")}:', f'"{OUTSIDE}.{name}:')
    text = f"{HEAD}{rows}    ]\n"
    (home / "rows.py").write_text(text, encoding="utf-8")
    info = site / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (declared,) = re.findall(
        r'```toml\n\[project\.entry-points\."([\w.]+)"\]\n(.*?)```', _readme(), re.DOTALL
    )
    (info / "entry_points.txt").write_text(f"[{declared[0]}]\n{declared[1].replace(chr(34), '')}")


def _readme() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def _core(block: Block) -> bool:
    return block.path.startswith("cl_core/")
