"""The runs of a workspace are listed once while a page is drawn, and anew for each drawing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.data import runs
from app.data.runs import listed_once, readable
from tests.app.conftest import Open
from tests.app.protocol import ProtocolVisitor
from tests.browser.serving import Server


def test_once_for_a_drawing_whatever_a_page_asks(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    list_runs = runs._list

    def counted(workspace_name: runs.WorkspaceName) -> runs.Listed:
        asked.append(workspace_name)
        return list_runs(workspace_name)

    monkeypatch.setattr(runs, "_list", counted)
    page = open_page("compare")
    for _ in range(2):
        asked.clear()
        page.run()
        assert sorted(asked) == ["Demonstration", "Mine"]  # a page that offers the runs of both


def test_a_run_that_comes_or_goes_is_in_the_next_drawing(
    small_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(small_workspace, workspace)
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(workspace))
    with listed_once():
        assert set(readable("Mine")) == {"dam", "l2r"}
        readable("Mine").clear()  # what one part of a page does with its list is its own
        shutil.rmtree(workspace / "runs" / "l2r")
        assert set(readable("Mine")) == {"dam", "l2r"}
    with listed_once():
        assert set(readable("Mine")) == {"dam"}
    shutil.copytree(small_workspace / "runs" / "l2r", workspace / "runs" / "l2r")
    assert set(readable("Mine")) == {"dam", "l2r"}  # outside a page


def test_what_is_read_ahead_says_nothing_in_the_terminal(
    small_workspace: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with Server(small_workspace, log) as server, ProtocolVisitor(server.url) as visitor:
        assert visitor.open("start", ws="Mine").widgets
    lines = [line.strip() for line in log.read_text().splitlines() if line.strip()]
    assert lines == [f"Adapter Lab: {server.url}", "Ctrl-C ends it; jobs go on."]
