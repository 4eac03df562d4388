"""The queue, whoever dies: no job is lost, none is done twice, and what was cancelled is not begun."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from benchmarks.checks.kill_and_resume import compare
from cl_core.errors import UserError
from cl_core.jobs.job import Request
from cl_core.jobs.queue import Jobs
from cl_core.jobs.worker import work
from cl_core.runs.events import StartEvent
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.faults.environments import Terminal
from tests.faults.writes import KilledAtWrite
from tests.long_runs import learns, process_of
from tests.patience import PATIENCE, wait_for
from tests.small_runs import SMALL

pytestmark = pytest.mark.fault("the queue: its worker or a job killed, two labs on one workspace")
NO_STREAM = "no-such-stream"
SAID = "there is no stream 'no-such-stream'"
"""In the log of a job that is refused at once: as often as it was begun."""
ROUNDS = 12
WRITES = 14
"""Of a worker with two jobs: the queue's folder and lock; of each job its lock, beginning, log and outcome."""


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    queue = Jobs(Workspace(tmp_path / "workspace"))
    queue.root.mkdir(parents=True)
    return queue


def refused(run: str) -> Request:
    """A job that is over at once."""
    return Request(run=run, stream=NO_STREAM, recipe="dam")


def work_off(root: Path, write: int = 0) -> None:
    """As a worker's process does, until it is killed before a write of the queue's."""
    if write:
        KilledAtWrite(write)(root / "jobs")
    work(Workspace(root))


def worker(jobs: Jobs, write: int = 0) -> multiprocessing.process.BaseProcess:
    """A worker in a process of its own."""
    process = multiprocessing.get_context("fork").Process(
        target=work_off, args=(jobs.workspace.root, write)
    )
    process.start()
    return process


def submit_all(jobs: Jobs, *requests: Request) -> None:
    """Puts jobs into the queue, and has nobody begin them yet."""
    with RunLock(jobs.lock_path):
        for request in requests:
            jobs.submit(request)


def kill_worker_at(jobs: Jobs, write: int) -> bool:
    """Has a worker killed before a write, then another one come; whether there was such a write."""
    killed = worker(jobs, write)
    killed.join(PATIENCE)
    assert killed.exitcode in (0, -signal.SIGKILL)
    after = worker(jobs)
    after.join(PATIENCE)
    assert after.exitcode == 0
    return killed.exitcode != 0


def assert_each_was_begun_once(jobs: Jobs, count: int) -> None:
    """All are there; but for the one that was being begun when its worker died, each has come to its end, once."""
    listed = jobs.all()
    assert len(listed) == count
    untold = [job for job in listed if job.state == "interrupted"]
    assert len(untold) <= 1, [job.state for job in listed]
    for job in listed:
        assert job.log().count(SAID) == 1 or job in untold
        assert job.log().count(SAID) <= 1
    for job in untold:
        assert (SAID if job.log() else "its process ended without a word") in job.message
        with RunLock(jobs.lock_path):
            again = jobs.again(job)
        assert not kill_worker_at(jobs, 0)
        assert again.state == "failed", "what was interrupted can be begun again"


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(number, marks=[] if number in (6, 7) else [pytest.mark.whole])
        for number in range(1, WRITES + 2)
    ],
)
def test_a_worker_that_is_killed_at_a_write_loses_no_job_and_begins_none_twice(
    jobs: Jobs, write: int
) -> None:
    submit_all(jobs, refused("first"), refused("second"))
    assert kill_worker_at(jobs, write) == (write <= WRITES)
    assert_each_was_begun_once(jobs, 2)


@pytest.mark.whole
@pytest.mark.parametrize("write", [6, 7, 12])
def test_runs_whose_worker_was_killed_are_begun_once_and_end_with_the_same_bytes(
    jobs: Jobs, write: int, terminal: Terminal, tiny: Path, options: list[str], tmp_path: Path
) -> None:
    settings = {**SMALL, "epochs": 1, "backbone": str(tiny)}
    request = Request(run="0", stream="domains-dil", recipe="dam", settings=settings, device="cpu")
    left_alone = tmp_path / "left-alone"
    for seed in range(2):
        words = ["run", "--name", str(seed), "--seed", str(seed), *options]
        assert terminal.carry_out(words, left_alone).status == 0
    submit_all(
        jobs, *(request.model_copy(update={"run": str(seed), "seed": seed}) for seed in range(2))
    )
    assert kill_worker_at(jobs, write)
    for job in jobs.all():
        if job.state == "interrupted":
            with RunLock(jobs.lock_path):
                jobs.again(job)
            assert not kill_worker_at(jobs, 0)
    for run in jobs.workspace.runs():
        assert run.status == "finished"
        assert sum(isinstance(event, StartEvent) for event in run.events) == 1
        assert compare(jobs.workspace.root, left_alone, run.name) == ()
    assert {run.name for run in jobs.workspace.runs()} == {"0", "1"}


@pytest.mark.whole
def test_a_job_that_is_killed_while_others_wait_stops_none_of_them_and_goes_on_to_the_same_bytes(
    jobs: Jobs, terminal: Terminal, tiny: Path, tmp_path: Path
) -> None:
    settings = {**SMALL, "epochs": 20, "patience": None, "backbone": str(tiny)}
    request = Request(
        run="long", stream="domains-dil", recipe="dam", settings=settings, device="cpu"
    )
    left_alone = tmp_path / "left-alone"
    line = [word for word in request.command(left_alone)[4:] if word != str(left_alone)]
    line.remove("--workspace")
    assert terminal.carry_out(line, left_alone).status == 0
    submit_all(jobs, request, refused("second"), refused("third"))
    working, run = worker(jobs), jobs.workspace.run("long")
    wait_for(lambda: learns(run))
    os.kill(process_of(run), signal.SIGKILL)
    working.join(PATIENCE)
    assert [job.state for job in jobs.all()] == ["interrupted", "failed", "failed"]
    assert [job.log().count(SAID) for job in jobs.all()] == [0, 1, 1]
    with RunLock(jobs.lock_path):
        again = jobs.again(jobs.all()[0])
    assert not kill_worker_at(jobs, 0)
    assert again.state == "finished"
    assert compare(jobs.workspace.root, left_alone, "long") == ()


@pytest.mark.parametrize("removed", [False, True])
def test_a_job_that_is_cancelled_while_an_orphan_is_waited_for_is_not_begun(
    jobs: Jobs, removed: bool
) -> None:
    submit_all(jobs, *(refused(name) for name in ("orphan", "cancelled", "last")))
    orphan, cancelled, last = jobs.all()
    with RunLock(orphan.lock_path):  # as its process holds it, whose worker has died
        orphan.begin()
        waiting = threading.Thread(target=work, args=(jobs.workspace,))
        waiting.start()
        wait_for(lambda: jobs.worked_on)
        cancelled.stop()
        assert (cancelled.state, last.state) == ("cancelled", "queued"), "the orphan is waited for"
        if removed:
            jobs.remove(cancelled)
    waiting.join(PATIENCE)
    assert not cancelled.begun
    assert (last.state, last.log().count(SAID)) == ("failed", 1)


def test_a_job_that_is_asked_to_stop_as_it_is_taken_up_is_stopped(jobs: Jobs) -> None:
    submit_all(jobs, refused("first"))
    (job,) = jobs.all()
    with RunLock(job.lock_path):  # a worker that has not said so yet
        job.stop()
        assert job.outcome is None, "it is not both cancelled and begun"
        assert job.stop_asked


def submit_at_once(root: Path, barrier: Barrier) -> None:
    """Starts runs as a lab's server does, each at the moment at which another one does."""
    for number in range(ROUNDS):
        barrier.wait()
        try:
            Jobs(Workspace(root)).submit(refused(f"run-{number}"))
        except UserError as error:
            assert "is queued already" in str(error)  # noqa: PT017 - in a process of its own


def test_of_two_labs_that_start_one_run_at_once_one_is_told(jobs: Jobs) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2)
    both = [
        context.Process(target=submit_at_once, args=(jobs.workspace.root, barrier)) for _ in "ab"
    ]
    with RunLock(jobs.lock_path):  # nobody works yet
        for process in both:
            process.start()
        for process in both:
            process.join(PATIENCE)
            assert process.exitcode == 0
    names = [job.request.run for job in jobs.all()]
    assert sorted(names) == sorted(f"run-{number}" for number in range(ROUNDS))
