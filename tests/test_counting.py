"""Counts in words: "1 run" and "2 runs", wherever a sentence is made."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from cl_core.errors import counted

ROOT = Path(__file__).resolve().parents[1]
ONLY_FOR_PROGRAMMERS = {"ValueError", "TypeError", "RuntimeError"}
COUNTS = {"ahead", "count", "lines", "total", "wrong", "answered", "there"}
"""Names that hold counts, beside whatever `len` gives or a comma groups by thousands."""
SEVERAL = re.compile(
    r"\*{0,2} ((new|other|more|scored|training|test|true|run|selected|further) )?"
    r"(adapters|artifacts|blocks|bytes|cells|classes|clips|columns|epochs|faults|fields|files|folders|jobs|lines|"
    r"others|pairs|parameters|pictures|problems|recipes|routers|rows|runs|samples|seeds|settings|steps|streams|tasks|"
    r"threads|tokens|words)\b"
)


@pytest.mark.parametrize(
    ("count", "one", "said"),
    [
        (1, "run", "1 run"),
        (0, "run", "0 runs"),
        (2, "class", "2 classes"),
        (40, "epoch", "40 epochs"),
        (2, "branch", "2 branches"),
        (1200, "training sample", "1,200 training samples"),
        (1, "other job", "1 other job"),
    ],
)
def test_one_is_one_and_several_are_several(count: int, one: str, said: str) -> None:
    assert counted(count, one) == said


def test_what_several_are_called_may_be_given() -> None:
    assert counted(2, "index", "indices") == "2 indices"
    assert counted(1, "index", "indices") == "1 index"


def uncounted(source: str) -> list[str]:
    """Formatted counts before a noun that is written for several."""
    tree = ast.parse(source)
    skipped = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and ast.unparse(node.exc.func) in ONLY_FOR_PROGRAMMERS
        for part in ast.walk(node)
    }
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr) or id(node) in skipped:
            continue
        for number, words in zip(node.values, node.values[1:], strict=False):
            if not (isinstance(number, ast.FormattedValue) and isinstance(words, ast.Constant)):
                continue
            said, form = ast.unparse(number.value), number.format_spec
            grouped = form is not None and "," in ast.unparse(form)
            many = said.startswith("len(") or said in COUNTS or grouped
            if many and not said.isupper() and SEVERAL.match(str(words.value)):
                lines.append(f"{number.lineno}: {{{said}}}{str(words.value)[:30]}")
    return lines


def test_no_sentence_counts_several_where_there_may_be_one() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line}"
        for folder in ("app", "pages", "cl_core")
        for file in (ROOT / folder).rglob("*.py")
        for line in uncounted(file.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "wrong", ['f"{len(runs)} runs"', 'f"behind {ahead} other jobs"', 'f"{rows:,} training samples"']
)
def test_a_count_in_any_of_these_ways_is_found(wrong: str) -> None:
    assert uncounted(wrong)
