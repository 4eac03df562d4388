"""A workspace with an odd name that is moved, numbers of processes that others have now, and clocks that jump."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cl_core.jobs.job import Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.faults.environments import Terminal

DECADE = 10 * 365 * 24 * 3600


@pytest.mark.fault("a workspace with spaces and letters of any script, moved")
@pytest.mark.parametrize(
    "name",
    [
        "Versuche äöü 実験",
        *(
            pytest.param(name, marks=pytest.mark.whole)
            for name in ("my lab", "%s {x}", "-it's; $HOME")
        ),
    ],
)
def test_a_workspace_of_any_name_can_be_moved_and_goes_on(
    name: str, workspace: Path, tmp_path: Path, terminal: Terminal, options: list[str]
) -> None:
    odd = tmp_path / "one disk" / name / "workspace"
    odd.parent.mkdir(parents=True)
    workspace.rename(odd)
    for words in (
        ["report", "first"],
        ["resume", "first"],
        ["run", "--name", "second", "--seed", "1", *options],
        ["pack", str(odd.parent / "packed.zip")],
    ):
        ending = terminal.carry_out(words, odd)
        assert (ending.status, ending.fault) == (0, ""), ending.err
    held = [file for file in odd.rglob("*") if file.is_file() and file.suffix != ".zip"]
    naming = [file.name for file in held if os.fsencode(odd) in file.read_bytes()]
    assert not naming, "what lies in a workspace does not say where the workspace is"
    other = tmp_path / "another disk" / "workspace"
    ending = terminal.carry_out(["unpack", str(odd.parent / "packed.zip")], other)
    assert (ending.status, ending.fault) == (0, ""), ending.err
    odd.rename(odd.parent / "gone")
    for words in (["report", "second"], ["resume", "second"], ["verify"]):
        ending = terminal.carry_out(words, other)
        assert (ending.status, ending.fault) == (0, ""), (words, ending.err)


@pytest.mark.fault("numbers of processes that others have now")
def test_a_lock_file_that_names_a_living_process_holds_nothing(
    workspace: Path, terminal: Terminal
) -> None:
    run = Workspace(workspace).run("first")
    jobs = Jobs(Workspace(workspace))
    jobs.root.mkdir()
    for lock in (run.lock_path, jobs.lock_path):
        lock.write_text(f"process {os.getpid()}\n")
    assert run.status == "finished"
    assert not jobs.worked_on
    with RunLock(jobs.lock_path):
        assert jobs.worked_on
    ending = terminal.carry_out(["resume", "first"], workspace)
    assert ending.status == 0, ending.err


@pytest.mark.fault("clocks that jump")
@pytest.mark.parametrize("by", [-DECADE, DECADE])
def test_files_and_events_of_another_time_change_no_result(
    by: int, workspace: Path, terminal: Terminal
) -> None:
    before = terminal.carry_out(["report", "first"], workspace).out
    moment = datetime.fromtimestamp(time.time() + by, UTC).isoformat()
    job = workspace / "jobs" / "0123456789ab"
    job.mkdir(parents=True)
    request = Request(run="first", stream="domains-dil", recipe="dam", submitted=moment)
    (job / "job.json").write_text(request.model_dump_json())
    (job / "begun.json").write_text(json.dumps({"time": moment}))
    for file in [*workspace.rglob("*"), workspace]:
        os.utime(file, (time.time() + by,) * 2)
    for words in (["runs"], ["jobs"], ["clean", "--yes"], ["resume", "first"]):
        ending = terminal.carry_out(words, workspace)
        assert (ending.status, ending.fault) == (0, ""), (words, ending.err)
    assert scores(terminal.carry_out(["report", "first"], workspace).out) == scores(before)


@pytest.mark.fault("clocks that jump")
def test_jobs_wait_in_the_order_in_which_they_were_asked_for_though_a_clock_was_set_back(
    tmp_path: Path,
) -> None:
    jobs = Jobs(Workspace(tmp_path / "workspace"))
    later = datetime.fromtimestamp(time.time() + DECADE, UTC).isoformat()
    jobs.root.mkdir(parents=True)
    with RunLock(jobs.lock_path):  # nobody works yet
        first = jobs.submit(
            Request(run="first", stream="domains", recipe="dam", submitted=later), None
        )
        second = jobs.submit(Request(run="second", stream="domains", recipe="dam"))
        first.stop()
        again = jobs.again(first)
    assert [job.id for job in jobs.all()] == [first.id, second.id, again.id]
    assert jobs.of("first").id == again.id


def scores(report: str) -> list[str]:
    """The lines of a report without those that say how long something took."""
    return [line for line in report.splitlines() if "%" in line]
