"""Cleaning a workspace: what no run needs goes, what a run needs stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import cl_core as cl
from cl_core.archive.prune import clean, folder_bytes, sizes, unused
from cl_core.errors import UserError
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock, key
from tests.small_runs import Carry


def test_a_fresh_workspace_has_nothing_to_remove(carry: Carry, tmp_path: Path) -> None:
    carry(name="one")
    workspace = Workspace(tmp_path / "workspace")
    assert unused(workspace) == []
    bytes_of = sizes(workspace)
    assert bytes_of.total == folder_bytes(workspace.root)
    assert set(bytes_of.runs) == {"one"}
    assert {"adapter", "features", "router", "states"} <= set(bytes_of.store)


def test_what_a_deleted_run_alone_needed_goes_and_the_other_run_loses_nothing(
    carry: Carry, tmp_path: Path
) -> None:
    carry(name="kept")
    workspace = Workspace(tmp_path / "workspace")
    before = folder_bytes(workspace.root / "store")
    carry(name="gone", seed=1)
    shutil.rmtree(workspace.find("gone").path)
    removed = clean(workspace)
    assert {"adapter", "states", "timing"} <= {artifact.kind for artifact in removed}
    # Features and the router's centroids do not depend on the seed: both runs needed them.
    assert not {"features", "router"} & {artifact.kind for artifact in removed}
    assert folder_bytes(workspace.root / "store") == before
    events = workspace.find("kept").events
    again = carry(name="again")
    artifact_events = [event for event in workspace.find("again").events if event.type == "made"]
    assert artifact_events
    assert all(event.reused for event in artifact_events)
    assert isinstance(again, cl.Run)
    assert workspace.find("kept").events == events


def test_a_map_goes_with_what_it_is_of(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "mine")
    inputs = {"router": ["0" * 64]}
    workspace.store.write("projection", key("projection", inputs), inputs, data={})
    assert [artifact.kind for artifact in unused(workspace)] == ["projection"]
    other = Workspace(tmp_path / "other")
    folder = other.root / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "run.yaml").touch()
    (folder / "artifacts.json").write_text(f'{{"router/1": "{"0" * 64}"}}')
    assert unused(workspace, [other]) == []


def test_nothing_is_removed_while_something_is_trained(carry: Carry, tmp_path: Path) -> None:
    carry(name="one")
    workspace = Workspace(tmp_path / "workspace")
    with (
        RunLock(workspace.find("one").lock_path),
        pytest.raises(UserError, match="one is being trained"),
    ):
        clean(workspace)


def test_an_unfinished_run_keeps_its_checkpoint(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    inputs = {"adapter": "1" * 64, "step": 3}
    workspace.store.write("checkpoint", key("checkpoint", inputs), inputs, data={})
    assert len(unused(workspace)) == 1
    folder = workspace.root / "runs" / "stopped"
    folder.mkdir(parents=True)
    (folder / "run.yaml").touch()
    assert unused(workspace) == []
