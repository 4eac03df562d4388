"""Runs taken over from another workspace, and a workspace that stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import cl_core as cl
from cl_core.archive.copy import copy_runs, is_copied
from cl_core.errors import UserError
from cl_core.jobs.job import Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.slices import Slice, save_slice
from cl_core.runs.workspace import READ_ONLY, Workspace
from cl_core.store import ReadOnlyError
from tests.small_runs import SMALL

Files = dict[str, tuple[int, int]]


def files(root: Path) -> Files:
    """Size and time of every file below a folder."""
    return {
        str(file.relative_to(root)): (file.stat().st_size, file.stat().st_mtime_ns)
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def bundle(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two runs that share adapters, in a workspace that is read-only."""
    workspace = Workspace(tmp_path_factory.mktemp("bundle") / "workspace")
    options = {**SMALL, "epochs": 1, "device": "cpu", "backbone": str(tiny)}
    cl.run("domains-dil", "dam", name="dam", workspace=workspace.root, **options)
    cl.run("domains-dil", "average-merge", name="all", workspace=workspace.root, **options)
    (workspace.root / READ_ONLY).write_text("")
    return Workspace(workspace.root)


def test_copied_runs_answer_as_the_originals_do(bundle: Workspace, tmp_path: Path) -> None:
    target = Workspace(tmp_path / "mine")
    assert not is_copied(bundle.find("dam"), target)
    done = copy_runs(bundle, target, ["dam", "all"])
    assert set(done.copied) == {"dam", "all"}
    assert done.present == done.kept == ()
    assert [run.name for run in target.runs()] == ["dam", "all"]
    assert is_copied(bundle.find("dam"), target)
    for name in ("dam", "all"):
        here, there = (cl.Run(workspace, workspace.find(name)) for workspace in (target, bundle))
        assert here.report() == there.report()
        assert here.route("Cold soup.") == there.route("Cold soup.")


def test_copying_again_changes_nothing(bundle: Workspace, tmp_path: Path) -> None:
    target = Workspace(tmp_path / "mine")
    copy_runs(bundle, target, ["dam", "all"])
    before = files(target.root)
    done = copy_runs(bundle, target, ["dam", "all"])
    assert done.copied == done.kept == ()
    assert set(done.present) == set(done.usable) == {"dam", "all"}
    assert files(target.root) == before


def test_a_run_of_ones_own_is_never_overwritten(bundle: Workspace, tmp_path: Path) -> None:
    target = Workspace(tmp_path / "mine")
    present = target.run("dam")
    present.create(bundle.find("dam").config.model_copy(update={"seed": 7}))
    before = files(present.path)
    done = copy_runs(bundle, target, ["dam", "all"])
    assert done.kept == ("dam",)
    assert done.copied == ("all",)
    assert files(present.path) == before
    assert yaml.safe_load((present.path / "run.yaml").read_text())["seed"] == 7


def test_what_is_done_again_in_a_copy_is_not_computed_again(
    bundle: Workspace, tmp_path: Path, tiny: Path
) -> None:
    target = Workspace(tmp_path / "mine")
    copy_runs(bundle, target, ["dam"])
    options = {**SMALL, "epochs": 1, "device": "cpu", "backbone": str(tiny)}
    again = cl.run("domains-dil", "dam", name="again", workspace=target.root, **options)
    artifact_events = [event for event in again.folder.events if event.type == "made"]
    assert artifact_events
    assert all(event.reused for event in artifact_events)


def test_a_read_only_workspace_is_neither_trained_in_nor_written_to(
    bundle: Workspace, tiny: Path
) -> None:
    before = files(bundle.root)
    options = {**SMALL, "epochs": 1, "device": "cpu", "backbone": str(tiny)}
    read = cl.run("domains-dil", "dam", name="dam", workspace=bundle.root, **options)
    assert read.folder.status == "finished"  # what is there may be asked for by its settings
    with pytest.raises(ReadOnlyError, match="work in another one"):
        cl.run("domains-dil", "dam", name="new", workspace=bundle.root, **options)
    with pytest.raises(ReadOnlyError):
        read.resume()
    with pytest.raises(ReadOnlyError):
        Jobs(bundle).submit(Request(run="new", stream="domains-dil", recipe="dam"))
    with pytest.raises(ReadOnlyError):
        save_slice(bundle, Slice(name="one", run="dam", split="test", after=1, samples=("a",)))
    with pytest.raises(ReadOnlyError):
        copy_runs(bundle, bundle, ["dam"])
    assert files(bundle.root) == before


def test_a_run_that_is_not_there_cannot_be_copied(bundle: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run 'dan'"):
        copy_runs(bundle, Workspace(tmp_path), ["dan"])
    assert not list(tmp_path.iterdir())
