"""Ten malformed streams get the messages that the documentation shows."""

from __future__ import annotations

import pytest

from cl_core.errors import Faults
from cl_core.tasks.stream_loader import load_stream
from tests.tasks.malformed_streams import CASES, PAGE, page

WANTED = {
    "Misspelt fields": ["line 2: protocol is 'dli'", "Did you mean 'path'", "write it in quotes"],
    "Tasks named twice": ["2 tasks are named 'books'", "Did you mean 'kitchen'"],
    "No data": ["there is nothing at 'data/boks'", "no train file", "pin it", "'restaurants'"],
    "Columns": ["no column 'text'", "Did you mean 'txt'", "no column 'title' for text_pair"],
    "Unknown labels": ["'neutral' in row 25", "Did you mean 'positive'", "seem to count from 1"],
    "One class": ["all rows have one class, 'positive'", "no rows of class 'neutral'"],
    "Empty rows": ["is empty in rows 4, 6", "not text but int in row 2", "29 and 2 more"],
    "Broken encodings": [
        "byte 569 (0xe8, line 26)",
        "not valid JSON in row 2",
        "not a parquet file",
    ],
    "Domain-incremental": [
        "'kitchen': has no class in common with task 'books'",
        "'positive' and 'Positive' (capital and small letters) name one class",
    ],
    "Several files": ["books/train.csv): has no rows", "several files could be it", "'lable'"],
}


@pytest.mark.parametrize("title", WANTED)
def test_a_malformed_stream_is_told_all_that_is_wrong(title, tmp_path):
    case = next(case for case in CASES if case.title.startswith(title))
    message = case.message(tmp_path)
    assert [part for part in WANTED[title] if part not in message] == []
    with pytest.raises(Faults) as caught:
        load_stream(tmp_path / "stream.yaml")
    assert len(caught.value.faults) >= 2


def test_the_page_on_malformed_streams_shows_the_messages_as_they_are():
    assert len(CASES) == 10
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m tests.tasks.malformed_streams"
    )
