"""Works the queue of a workspace off: `python -m cl_core.jobs.worker WORKSPACE`, started by `Jobs.wake`.

One job after the other, each in a process of its own that yields to whatever else the machine does. It ends when
nothing waits.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from cl_core.jobs.job import Job, Outcome
from cl_core.jobs.queue import Jobs
from cl_core.runs.events import KillEvent
from cl_core.runs.kill_words import kill_words, signal_name
from cl_core.runs.workspace import Workspace
from cl_core.store.lock import LockHeldError, RunLock

NICENESS = 10
POLL_SECONDS = 0.2


def work(workspace: Workspace) -> None:
    """Takes one job after the other until none waits; does nothing where another worker is at it."""
    jobs = Jobs(workspace)
    jobs.root.mkdir(parents=True, exist_ok=True)
    try:
        while _waiting(jobs):  # asked again without the lock: one may have come while it was held
            with RunLock(jobs.lock_path):
                while _waiting(jobs):
                    _wait_for_orphans(jobs)
                    for job in _waiting(jobs)[:1]:  # what waited before may have been cancelled
                        _carry_out(job)
    except LockHeldError:
        return


def _waiting(jobs: Jobs) -> list[Job]:
    return [job for job in jobs.all() if job.state == "queued"]


def _wait_for_orphans(jobs: Jobs) -> None:
    """A worker that died may have left its job running: two at once would be in each other's way."""
    while running := [job for job in jobs.all() if job.state == "running"]:
        for job in running:
            job.pass_stop_on()
        time.sleep(POLL_SECONDS)


def _carry_out(job: Job) -> None:
    """Runs a job to its end and writes how it went; does nothing where it was cancelled at this moment."""
    lock = RunLock(job.lock_path)
    try:
        lock.acquire()
    except FileNotFoundError:  # and removed
        return
    with lock:
        if job.outcome is not None:
            return
        job.begin()
        # Its process holds the job as well: should this one die, the job is being run from its first moment on.
        with job.log_path.open("ab") as log, lock.shared_with_a_child() as held:
            process = subprocess.Popen(
                job.request.command(job.workspace.root),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_yield_to_others,
                pass_fds=[held],
            )
            while process.poll() is None:
                job.pass_stop_on()
                time.sleep(POLL_SECONDS)
        job.end(_outcome(job, process.returncode))


def _yield_to_others() -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def _outcome(job: Job, status: int) -> Outcome:
    """Asked of the run itself; one that was killed cannot say it, and one that never began says why in the log.

    Args:
        job: whose process has ended.
        status: of that process; less than 0 where a signal ended it.
    """
    run = job.workspace.run(job.request.run)
    became = run.status if run.exists else "failed"
    if became in ("finished", "stopped"):
        return Outcome(state=became)
    if status < 0:
        name = signal_name(-status)
        if became == "interrupted":
            with (
                suppress(LockHeldError),
                RunLock(run.lock_path),
            ):  # nobody has taken it up meanwhile
                run.record(KillEvent(signal=name))
        return Outcome(state="interrupted", message=kill_words(name))
    return Outcome(state="failed", message=job.last_line or "it ended without a word")


if __name__ == "__main__":
    work(Workspace(Path(sys.argv[1])))
