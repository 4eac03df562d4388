"""Lessons: every step leads to a page that there is, and shows its answer when asked."""

from __future__ import annotations

import pytest

from app.lessons import LESSONS

from .conftest import ROOT, Open


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.title for lesson in LESSONS])
def test_a_lesson_has_four_to_six_steps_that_lead_somewhere(lesson) -> None:
    assert 4 <= len(lesson.steps) <= 6
    for step in lesson.steps:
        assert (ROOT / "pages" / f"{step.page}.py").is_file()
        assert step.asks.endswith("?")


def test_next_goes_through_the_steps_and_stops_at_the_last(open_page: Open) -> None:
    page = open_page("learn")
    for step in LESSONS[0].steps:
        assert step.says in [each.value for each in page.markdown]
        (button,) = [each for each in page.button if each.label == "Next"]
        assert button.disabled == (step is LESSONS[0].steps[-1])
        if not button.disabled:
            button.click()
            page.run()
