"""Every page in every state that a visitor may find it in: none of them is an error, and each is said."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.base import navigation
from app.base.navigation import STAGED
from cl_core.jobs.job import Job, Outcome, Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.app.conftest import ROOT, Open
from tests.patience import PATIENCE

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")
OF_A_RUN = sorted(STAGED)
UNKNOWN = {
    **{page: {"run": "gone"} for page in PAGES},
    "stream": {"stream": "gone"},
    "train": {"show": "Jobs", "job": "gone"},
    "sample": {"sample": "gone"},
    "learn": {"course": "gone"},
    "settings": {"text": "gone"},
}
"""What a link to each page may name that is not there."""
WORDS = {"sample": "was not scored", "job": "no job", "stream": "no stream"}
"""What is said of it; a run is named by the frame, which a test cannot open on another page than the first."""


def said(page: AppTest) -> str:
    """Everything that a page says in words."""
    kinds = (page.markdown, page.caption, page.info, page.warning, page.error)
    return " ".join(str(element.value) for kind in kinds for element in kind)


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job that nobody takes up, in a workspace without runs."""
    monkeypatch.setattr(Jobs, "wake", lambda self: None)
    jobs = Jobs(Workspace(tmp_path / "workspace"))
    return jobs.submit(Request(run="first", stream="domains-dil", recipe="dam"))


def headless(page: AppTest) -> list[pd.DataFrame]:
    """Tables with a column that has no head: what is read aloud, and a CSV, would not say what it is."""
    without_head = []
    for element in page.dataframe:
        hidden = json.loads(element.proto.columns or "{}").get("_index", {}).get("hidden")
        table = element.value
        if not all([*([] if hidden else table.index.names), *map(str, table.columns)]):
            without_head.append(table)
    return without_head


def test_each_page_is_a_row_and_a_file_and_is_tested_here() -> None:
    assert sorted(page.name for page in navigation.PAGES) == PAGES == sorted(UNKNOWN)
    assert navigation.PAGES[0].name == "start"
    assert {"map", "routing", "sample", "forgetting"} <= STAGED


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_workspace_is_no_error(
    page: str, open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.data.runs.DEMONSTRATION", tmp_path / "none")
    shown = open_page(page, workspace=tmp_path / "workspace")
    assert shown.title[0].value
    if page in OF_A_RUN:
        assert "No run has been scored here yet" in said(shown)


@pytest.mark.parametrize("page", PAGES)
def test_a_run_is_shown(page: str, open_page: Open) -> None:
    shown = open_page(page)
    assert shown.title[0].value
    assert shown.selectbox(key="run").value == "dam"
    assert not shown.error
    stages = [element for element in shown.select_slider if element.key == "after"]
    assert bool(stages) == (page in OF_A_RUN)
    assert not headless(shown)


@pytest.mark.parametrize("page", PAGES)
def test_a_running_job_is_named_on_every_page(page: str, open_page: Open, queue: Job) -> None:
    queue.begin()
    with RunLock(queue.lock_path):
        shown = open_page(page, workspace=queue.workspace.root)
        links = [link for link in shown.get("page_link") if "training" in link.proto.label]
        assert [link.proto.label for link in links] == ["1 training, 0 waiting"]


@pytest.mark.parametrize("page", PAGES)
def test_a_failed_job_leaves_every_page_whole(page: str, open_page: Open, queue: Job) -> None:
    queue.begin()
    queue.end(Outcome(state="failed", message="ValueError: odd"))
    shown = open_page(page, workspace=queue.workspace.root)
    links = [link for link in shown.get("page_link") if "training" in link.proto.label]
    assert [link.proto.label for link in links] == ["Nothing is training"]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_link_names_and_is_not_there_is_said(
    page: str, small_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(small_workspace))
    monkeypatch.setattr(Jobs, "wake", lambda self: None)
    test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
    address = {"ws": "Mine", **({} if "run" in UNKNOWN[page] else {"run": "dam"}), **UNKNOWN[page]}
    for name, value in address.items():
        test.query_params[name] = value
    test.run()
    if page != "start":
        test.switch_page(f"../pages/{page}.py").run()
    assert not test.exception, test.exception
    assert test.title[0].value
    for name in UNKNOWN[page]:
        if name in WORDS or page == "start":
            assert WORDS.get(name, "There is no run gone") in said(test)
