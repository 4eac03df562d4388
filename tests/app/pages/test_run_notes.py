"""What must be known of a run stands once: above its numbers, also where the sidebar is folded away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.base.escaped_text import plain
from cl_core.runs.events import FailureEvent, StopEvent
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.app.conftest import Open
from tests.app.pages.test_states import OF_A_RUN, PAGES

PARTIAL = "hown is what had been scored by then"
OTHERS = sorted(set(PAGES) - set(OF_A_RUN))


@pytest.fixture
def run(small_workspace: Path, tmp_path: Path) -> RunFolder:
    """A run of one's own that has been scored and came to its end."""
    run = Workspace(tmp_path / "workspace").run("dam")
    shutil.copytree(small_workspace / "runs" / "dam", run.path)
    return run


def below_the_title(page: AppTest) -> list[str]:
    """Errors and captions of the page itself that stand above its first figure or heading."""
    said = []
    for element in page.main:
        if element.type in ("plotly_chart", "header", "metric"):
            break
        if element.type in ("caption", "error"):
            said.append(element.value.replace("\\", ""))
    return said


def aside(page: AppTest) -> str:
    """What the sidebar says."""
    elements = (*page.sidebar.caption, *page.sidebar.error)
    return " ".join(element.value for element in elements).replace("\\", "")


@pytest.mark.parametrize("page", OF_A_RUN)
def test_why_it_failed_stands_above_its_numbers(page: str, open_page: Open, run: RunFolder) -> None:
    run.record(FailureEvent(message="UserError: the disk is full"))
    shown = open_page(page, workspace=run.path.parents[1])
    said = below_the_title(shown)
    assert said[0] == "This run failed: UserError: the disk is full"
    assert PARTIAL in said[1]
    assert "disk" not in aside(shown)


@pytest.mark.parametrize("page", OTHERS)
def test_on_other_pages_it_stands_under_the_menu(
    page: str, open_page: Open, run: RunFolder
) -> None:
    run.record(FailureEvent(message="UserError: the disk is full"))
    assert "This run failed: UserError: the disk is full" in aside(
        open_page(page, workspace=run.path.parents[1])
    )


def test_a_run_that_ended_without_a_word_was_interrupted(open_page: Open, run: RunFolder) -> None:
    events = run.path / "events.jsonl"
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:-1]))
    (run.path / "hashes.json").unlink(missing_ok=True)  # which vouches for the end of a whole run
    said = below_the_title(open_page("forgetting", workspace=run.path.parents[1]))
    assert said[0].startswith("This run was interrupted: its process ended without a word")


def test_numbers_of_a_stopped_and_of_a_running_run_are_said_to_be_partial(
    open_page: Open, run: RunFolder
) -> None:
    run.record(StopEvent())
    said = below_the_title(open_page("routing", workspace=run.path.parents[1]))
    assert said[0].startswith(f"This run was stopped: s{PARTIAL}")
    with RunLock(run.lock_path):
        said = below_the_title(open_page("routing", workspace=run.path.parents[1]))
    assert said[0].startswith("This run is running: shown is what has been scored so far")


@pytest.mark.parametrize("page", OF_A_RUN)
def test_who_is_told_and_the_head_rule_stand_above_the_numbers(page: str, open_page: Open) -> None:
    shown = open_page(page, ws="Demonstration", run="adapters")
    assert "† told the true task; head rule: compose" in below_the_title(shown)
    assert "head rule" not in aside(shown)
    caption = next(element for element in shown.main.caption if "head rule" in element.value)
    assert "no router can choose better" in caption.help
    assert plain("('head rule' set to direct, compose or top1 on Train; ") in caption.help


def test_nothing_is_said_of_a_finished_run_that_needs_no_word(open_page: Open) -> None:
    shown = open_page("forgetting")
    assert not [text for text in below_the_title(shown) if "run" in text or "rule" in text]
