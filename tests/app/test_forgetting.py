"""Forgetting & transfer, as a visitor meets it."""

from __future__ import annotations

from pathlib import Path

from .conftest import Open


def test_the_numbers_are_those_of_the_report(open_page: Open) -> None:
    page = open_page("forgetting", run="dam")
    assert [metric.label for metric in page.metric] == [
        "Average accuracy",
        "Forgetting",
        "Backward transfer",
    ]
    assert page.metric[0].value.endswith("%")


def test_without_a_run_it_says_what_to_do(open_page: Open, tmp_path: Path) -> None:
    page = open_page("forgetting", workspace=tmp_path)
    assert "No run has been scored here yet." in page.markdown[-1].value
