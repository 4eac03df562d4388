"""Run folders: events, status, and what happens when one is started twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cl_core as cl
from cl_core.engine.execution import carry_out
from cl_core.engine.launch import prepare, reopen
from cl_core.errors import RunStopped, UserError
from cl_core.reports.report import Report
from cl_core.runs.events import (
    FailureEvent,
    FinishEvent,
    KillEvent,
    PhaseEvent,
    StopEvent,
    append_event,
    read_events,
)
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.small_runs import SMALL, Carry


class StopsAt:
    """A watcher that asks for a stop at the n-th sign of progress."""

    def __init__(self, run: RunFolder, at: int) -> None:
        self.run, self.left = run, at

    def notice(self, message: str) -> None: ...

    def event(self, event: object) -> None: ...

    def progress(self, done: int, total: int) -> None:
        self.left -= 1
        if self.left == 0:
            self.run.request_stop()


@pytest.mark.parametrize("stop_at", [1, 4, 9, 17])
def test_a_run_stopped_anywhere_and_resumed_has_the_same_bytes(
    carry: Carry, tiny: Path, tmp_path: Path, stop_at: int
) -> None:
    whole = carry(name="run", workspace=tmp_path / "whole", checkpoint_every=2)
    workspace = Workspace(tmp_path / "stopped")
    settings = {**SMALL, "backbone": str(tiny), "checkpoint_every": 2}
    folder, stream = prepare(
        workspace, "domains-dil", "dam", name="run", settings=settings, device="cpu"
    )
    with pytest.raises(RunStopped):
        carry_out(workspace, folder, stream, StopsAt(folder, stop_at))
    assert folder.status == "stopped"
    if stop_at >= 13:
        half = Report(folder)  # the first task is learnt and scored
        assert not np.isnan(half.matrix[0, 0])
        assert np.isnan(half.transfer["average_accuracy"])
        assert half.router["router_accuracy"] == 1.0
        assert half.confusion.sum() == SMALL["limit_test"]
    resumed = cl.Run(workspace, folder).resume()
    assert resumed.folder.status == "finished"
    for table in ("scores.parquet", "routing.parquet"):
        expected = (whole.folder.path / table).read_bytes()
        assert (folder.path / table).read_bytes() == expected
    assert folder.artifacts() == whole.folder.artifacts()
    assert not list(workspace.store.keys("checkpoint")), (
        "a finished run leaves no checkpoint behind"
    )


def test_events_of_a_killed_writer_cost_one_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    append_event(file, PhaseEvent(step=1, phase="train", stage=1, task="books"))
    with file.open("a") as handle:
        handle.write('{"type": "phase", "st')
    append_event(file, FailureEvent(message="out of memory"))
    assert [event.type for event in read_events(file.read_bytes())] == ["phase", "failed"]


def test_the_status_is_read_from_the_lock_and_the_last_event(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    assert folder.status == "interrupted"
    for event, status in [
        (StopEvent(), "stopped"),
        (FailureEvent(message="x"), "failed"),
        (FinishEvent(seconds=1.0, peak_memory_bytes=1), "finished"),
    ]:
        folder.record(event)
        assert folder.status == status
    with RunLock(folder.lock_path):
        assert folder.status == "running"


def test_a_run_that_was_killed_says_by_what_and_what_to_do(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "first")
    folder.path.mkdir()
    folder.record(KillEvent(signal="SIGKILL"))
    assert folder.status == "interrupted"
    assert "killed from outside (SIGKILL), as a system that runs out of memory" in folder.failure
    assert "resume it with: adapter-lab resume first" in folder.failure
    folder.record(KillEvent(signal="SIGSEGV"))
    assert "crashed (SIGSEGV): the end of its log" in folder.failure


def test_the_same_command_again_reads_the_finished_run(carry: Carry) -> None:
    first = carry(name="run")
    events = len(first.folder.events)
    assert len(carry(name="run").folder.events) == events


def test_a_name_taken_by_other_settings_is_refused_and_the_difference_named(carry: Carry) -> None:
    carry(name="run")
    with pytest.raises(UserError, match=r"settings\.router\.k was 2, now 1"):
        carry(name="run", k=1)


def test_changed_data_are_noticed_before_going_on(carry: Carry, tmp_path: Path) -> None:
    rows = "\n".join(f"{word} {i},{i % 2}" for i in range(20) for word in ("soup", "film"))
    for split in ("train", "validation", "test"):
        (tmp_path / f"{split}.csv").write_text(
            "text,label\n" + rows.replace("soup", f"{split} soup")
        )
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nprotocol: dil\ntasks:\n  - {name: only, path: .}\n")
    run = carry(str(file), name="mine", limit=None)
    (tmp_path / "train.csv").write_text("text,label\n" + rows.replace("soup", "bread"))
    with pytest.raises(UserError, match="the data of only changed"):
        reopen(run.folder)


def test_two_processes_cannot_carry_out_one_run(carry: Carry) -> None:
    run = carry(name="run")
    with RunLock(run.folder.lock_path), pytest.raises(UserError, match="is in use"):
        run.resume()


def test_a_missing_run_is_named_with_those_there_are(carry: Carry) -> None:
    run = carry(name="first")
    with pytest.raises(UserError, match=r"no run 'frist'.*runs here: first.*Did you mean 'first'"):
        run.workspace.find("frist")
    with pytest.raises(UserError, match="letters, digits"):
        run.workspace.run("../outside")
