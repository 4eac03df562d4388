"""Small inputs have small effects: each hostile one is refused, in one sentence, before anything large is made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cl_core.limits import LIMITS, table
from tests.limits.hostile_inputs import CASES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of each case, in one process that may take 1 GiB."""
    folder = tmp_path_factory.mktemp("hostile")
    words = [sys.executable, "-m", "tests.limits.hostile_inputs", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_input_is_refused_within_a_gigabyte(said: dict[str, str], case: str) -> None:
    assert said[case].startswith("refused: ")
    assert len(said[case]) < 600


@pytest.mark.parametrize("case", [case for case in CASES if case != "a number without end"])
def test_a_refusal_says_what_is_read_at_most(said: dict[str, str], case: str) -> None:
    assert " at most " in said[case] or " 1 to 200 domains" in said[case]


def test_the_limits_are_listed_as_they_are() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert table() in page
    assert len(LIMITS) > 25
