"""docs/decisions: numbered, of one form, listed, and true of what lies in the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "decisions"
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
DECISIONS = sorted(path for path in FOLDER.iterdir() if path.name != "README.md")
STATUS = r"accepted|superseded by \d+"


def test_decisions_are_numbered_without_a_gap() -> None:
    assert len(DECISIONS) >= 10
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name) for path in DECISIONS)
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_index_lists_each_with_its_title_date_and_status() -> None:
    rows = re.findall(r"^\| (\d+) \| \[(.*)\]\((.*)\) \| (\S+) \| (.*) \|$", INDEX, re.M)
    written = []
    for number, path in enumerate(DECISIONS, 1):
        text = path.read_text(encoding="utf-8")
        title, date, status = (
            re.findall(pattern, text, re.M)
            for pattern in (
                rf"^# {number}\. (.+)$",
                r"^- Date: (\d{4}-\d\d-\d\d)$",
                rf"^- Status: ({STATUS})$",
            )
        )
        assert len(title) == len(date) == len(status) == 1, path.name
        written.append((str(number), title[0], path.name, date[0], status[0]))
    assert rows == written


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_one_form_fits_a_page_and_names_what_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.M) == ["Context", "Decision", "Consequences"]
    assert len(text.split()) <= 500
    named = re.findall(r"`((?:cl_core|app|pages|tests|docs|benchmarks)/[^`]*)`", text)
    assert named, "a decision names the files that hold it"
    for file in named:
        assert (ROOT / file).is_file(), file
