"""Start, as a visitor meets it, and the link that every page offers."""

from __future__ import annotations

from pathlib import Path

from tests.app.conftest import Open


def test_it_shows_three_ways_in_and_the_recent_runs(open_page: Open) -> None:
    page = open_page()
    assert [element.value for element in page.header][:3] == [
        "Explore the demonstration",
        "Build a stream",
        "Take the tour",
    ]
    shown = " ".join(element.value for element in page.markdown)
    assert "**dam**" in shown
    assert "**l2r**" in shown


def test_an_empty_workspace_is_no_error(open_page: Open, tmp_path: Path) -> None:
    page = open_page(workspace=tmp_path)
    assert any("There are none in this workspace yet." in element.value for element in page.caption)


def test_the_link_names_the_page_the_workspace_and_the_run(open_page: Open) -> None:
    page = open_page("forgetting", run="l2r")
    (link,) = [element.value for element in page.code if element.value.startswith("/")]
    assert link.startswith("/forgetting?")
    assert "ws=Mine" in link
    assert "run=l2r" in link
