"""Pages that show the rows of a table show those that there are."""

from __future__ import annotations

import pytest

from benchmarks.documented_rows import (
    MARKED,
    METRICS_PAGE,
    ROOT,
    TABLES,
    documented,
    routers,
)
from cl_core.route import ROUTERS

PAGES = {page.name: page.read_text("utf-8") for page in sorted(ROOT.glob("docs/*.md"))}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_rows_that_there_are(page: str) -> None:
    assert documented(page, PAGES[page]) == PAGES[page], "`make tables` writes it anew"


def test_every_table_of_rows_is_on_one_page() -> None:
    named = [marks[1] for text in PAGES.values() for marks in MARKED.findall(text)]
    assert sorted(named) == sorted(TABLES)
    assert METRICS_PAGE in PAGES


def test_a_row_that_was_added_is_missing_until_the_page_is_written_anew() -> None:
    page = "# Mine\n\n<!-- rows: routers -->\n| old |\n<!-- end -->\nAfter\n"
    shown = documented("mine.md", page)
    assert shown == page.replace("| old |\n", routers())
    assert all(f"\n| `{name}` | " in shown for name in ROUTERS)
