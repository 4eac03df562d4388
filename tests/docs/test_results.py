"""Measured numbers in docs/ are those that are kept, and what is kept says where it was measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.results import MARKED, RESULTS_FOLDER, ROOT, Table, keep, load, pages, written

NAMES = sorted(file.stem for file in RESULTS_FOLDER.glob("*.json"))


def test_pages_show_what_is_kept() -> None:
    shown = pages()
    assert {page.name for page in shown} >= {"results.md", "app.md", "adapters.md", "adapterhub.md"}
    for page in shown:
        text = page.read_text("utf-8")
        assert written(text) == text, f"{page.name}: `make tables` writes it anew"


@pytest.mark.parametrize("name", NAMES)
def test_a_result_says_machine_date_and_commit(name: str) -> None:
    result = load(name)
    assert result.machine
    assert re.match(r"\d{4}-\d\d-\d\dT", result.date)
    if (
        result.commit is None
    ):  # measured before results were kept: when each table came into the page
        assert result.source is not None
        assert result.source.keys() == result.tables.keys()
        assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for commit in result.source.values())
    else:
        assert re.match(r"[0-9a-f]{40}", result.commit)
        assert result.load is not None


def test_every_table_that_is_kept_is_shown_once() -> None:
    marks = [
        (name, table)
        for page in pages()
        for _, name, table, _ in MARKED.findall(page.read_text("utf-8"))
    ]
    assert sorted(marks) == sorted((name, table) for name in NAMES for table in load(name).tables)


def test_no_column_of_numbers_in_the_results_is_typed_by_hand() -> None:
    text = MARKED.sub("", (ROOT / "docs" / "results.md").read_text("utf-8"))
    assert "---:" not in text


def test_what_is_measured_is_what_a_page_shows(tmp_path: Path) -> None:
    table = Table(["what", "seconds"], ["---", "---:"], [["start", "0.06"], ["nothing", ""]])
    file = keep("speed/startup", {"seconds": table}, tmp_path)
    assert json.loads(file.read_text("utf-8"))["benchmark"] == "benchmarks/speed/startup.py"
    page = "Before\n<!-- benchmark: startup/seconds -->\n| old |\n<!-- end -->\nAfter\n"
    assert written(page, tmp_path) == (
        "Before\n<!-- benchmark: startup/seconds -->\n| what | seconds |\n| --- | ---: |\n"
        "| start | 0.06 |\n| nothing | |\n<!-- end -->\nAfter\n"
    )
    assert load("startup", tmp_path).tables == {"seconds": table}
