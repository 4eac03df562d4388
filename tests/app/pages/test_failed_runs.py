"""A run that failed is listed and opened everywhere, with what it said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.data import stream_edits, stream_files
from cl_core.analysis.comparison import compare
from cl_core.runs.events import FailureEvent
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream_loader import find_stream
from tests.app.conftest import Open
from tests.app.pages.test_states import OF_A_RUN, PAGES, said

SAID = "UserError: the loss is *no* number"


@pytest.fixture
def workspace(small_workspace: Path, tmp_path: Path) -> Workspace:
    """A finished run, and one that failed before anything was learnt."""
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(small_workspace / "runs" / "dam", workspace.run("dam").path)
    fail(workspace.run("broken"), workspace.find("dam"))
    return workspace


def fail(run: RunFolder, like: RunFolder, **changed: str) -> None:
    run.create(like.config.model_copy(update={"name": run.name, **changed}))
    run.record(FailureEvent(message=SAID))


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_it_with_what_it_said(
    page: str, open_page: Open, workspace: Workspace
) -> None:
    shown = open_page(page, run="broken", workspace=workspace.root)
    assert shown.selectbox(key="run").value == "broken"
    assert "broken · failed" in shown.selectbox(key="run").options
    assert any(r"the loss is \*no\* number" in element.value for element in shown.error)
    if page in OF_A_RUN:
        assert "failed before anything was scored" in said(shown)


def test_start_lists_it_beside_the_others_and_opens_with_one_that_has_scores(
    open_page: Open, workspace: Workspace
) -> None:
    shown = open_page("start", run="", workspace=workspace.root)
    assert shown.selectbox(key="run").value == "dam"
    assert "**broken**" in said(shown)
    assert "nothing has been scored" in said(shown)


def test_compare_leaves_it_out_with_the_reason(open_page: Open, workspace: Workspace) -> None:
    assert compare([workspace.find("dam"), workspace.find("broken")]).left_out == {
        "broken": f"failed: {SAID}"
    }
    page = open_page("compare", workspace=workspace.root)
    page.multiselect(key="runs").set_value(["Mine / broken", "Mine / dam"]).run()
    assert not page.exception, page.exception
    assert f"Left out: broken (failed: {SAID})" in said(page).replace("\\", "")


def test_a_stream_is_free_again_where_its_run_came_to_nothing(workspace: Workspace) -> None:
    spec, folder = find_stream("domains-dil")
    path = stream_files.save(workspace, stream_edits.copied(spec, "mine", folder), "")
    fail(workspace.run("held"), workspace.find("dam"), stream=str(path))
    assert stream_files.users(workspace, path) == []
    shutil.copy(workspace.find("dam").path / "scores.parquet", workspace.find("held").path)
    assert stream_files.users(workspace, path) == ["held"]
