"""One name for one thing: docs/words.md says which names are not used, and nothing that people read has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.base.links import FORMER

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "words.md"
UNUSED = "## Names that are not used"
CODE = sorted(
    file
    for folder in ("app", "pages", "cl_core")
    for file in (ROOT / folder).rglob("*.py")
    if "demonstration" not in file.parts
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def unused_names() -> list[str]:
    """The names of the page's second table."""
    table = PAGE.read_text().partition(UNUSED)[2]
    return re.findall(r"^\| (?!not |---)([^|]+?) \|", table, re.MULTILINE)


def texts(source: str) -> Iterator[str]:
    """What a module may show: its strings as they are put together, and docstrings of commands alone."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    hidden = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and not any(
            "command" in ast.unparse(decorator) for decorator in getattr(node, "decorator_list", ())
        )
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in hidden
        ):
            yield node.value


def unused_in(text: str, names: list[str]) -> list[str]:
    """The unused names in a text, whatever its case and its lines."""
    plain = " ".join(text.split()).lower()
    return [name for name in names if re.search(rf"\b{re.escape(name)}\b", plain)]


def test_the_page_names_what_is_not_used() -> None:
    assert {"heaviest adapter", "take it along", "after task"} <= set(unused_names())
    assert unused_in("Which is the\n  heaviest adapter?", unused_names()) == ["heaviest adapter"]


@pytest.mark.parametrize("folder", ["app", "pages", "cl_core"])
def test_nothing_on_the_screen_has_an_unused_name(folder: str) -> None:
    names, former = unused_names(), {old for options in FORMER.values() for old in options}
    said = {
        f"{file.relative_to(ROOT)}: {text}"
        for file in CODE
        if file.relative_to(ROOT).parts[0] == folder
        for text in texts(file.read_text())
        if text not in former and unused_in(text, names)
    }
    assert not said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_an_unused_name(page: Path) -> None:
    text = page.read_text()
    if page == PAGE:
        text = text.partition(UNUSED)[0]
    assert unused_in(text, unused_names()) == []
