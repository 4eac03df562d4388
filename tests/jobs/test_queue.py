"""The queue: real processes, one after the other, whoever dies meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cl_core.cli.commands import app
from cl_core.errors import UserError
from cl_core.jobs.job import Request
from cl_core.jobs.queue import Jobs
from cl_core.jobs.worker import work
from cl_core.recipes.recipe import Recipe
from cl_core.reports.report import Report
from cl_core.reports.report_formats import as_text
from cl_core.reports.run_summary import summaries
from cl_core.runs.events import StartEvent
from cl_core.runs.workspace import Workspace
from tests.long_runs import ENDLESS, held, learns, process_of, standing_still
from tests.patience import wait_for
from tests.small_runs import SMALL


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(Workspace(tmp_path / "workspace"))


@pytest.fixture
def request_of(tiny: Path) -> Callable[..., Request]:
    def make(run: str, **changed: object) -> Request:
        settings = {**SMALL, "backbone": str(tiny), "epochs": 1, **changed}
        return Request(run=run, stream="domains-dil", recipe="dam", settings=settings, device="cpu")

    return make


def test_jobs_run_one_after_the_other_and_keep_their_logs(
    jobs: Jobs, request_of: Callable[..., Request]
) -> None:
    first, second = jobs.submit(request_of("first")), jobs.submit(request_of("second"))
    assert [job.id for job in jobs.all()] == [first.id, second.id]
    wait_for(lambda: first.state == "running")
    assert second.state == "queued"
    with pytest.raises(UserError, match="run 'second' is queued already"):
        jobs.submit(request_of("second"))
    wait_for(lambda: second.state not in ("queued", "running"))
    assert (first.state, second.state) == ("finished", "finished")
    ends = [job.outcome.ended for job in (first, second) if job.outcome]
    assert ends == sorted(ends)
    assert "R[i, j]: accuracy (%)" in first.log()
    assert jobs.of("second").id == second.id
    wait_for(lambda: not jobs.worked_on)


@pytest.mark.usefixtures("beside_names_of_ours")
def test_a_job_that_cannot_begin_says_why_wherever_it_is_asked_for(
    jobs: Jobs, request_of: Callable[..., Request]
) -> None:
    job = jobs.submit(request_of("odd").model_copy(update={"stream": "domainz"}))
    wait_for(lambda: job.state == "failed")
    assert "domainz" in job.outcome.message
    jobs.remove(job)
    assert jobs.all() == []


def test_a_running_job_is_stopped_and_goes_on_later_and_a_waiting_one_is_cancelled(
    jobs: Jobs, request_of: Callable[..., Request]
) -> None:
    long = jobs.submit(request_of("long", epochs=ENDLESS, patience=None))
    waiting = jobs.submit(request_of("waiting"))
    waiting.stop()
    assert waiting.state == "cancelled"
    with pytest.raises(UserError, match="stop it first"):
        jobs.remove(long)
    wait_for(lambda: learns(jobs.workspace.run("long")))
    long.stop()
    wait_for(lambda: long.state == "stopped")
    again = jobs.again(long)
    wait_for(lambda: again.state == "running")
    again.stop()
    wait_for(lambda: again.state == "stopped")


def children(process: int) -> list[str]:
    """Of a process, that live."""
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are read from /proc")
def test_a_run_outlives_its_worker_however_early_and_the_next_job_waits_for_it(
    jobs: Jobs, request_of: Callable[..., Request]
) -> None:
    first = jobs.submit(request_of("first"))
    wait_for(lambda: first.begun)
    worker = int(jobs.lock_path.read_text().split()[1])
    wait_for(lambda: children(worker))
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not jobs.worked_on)
    assert not jobs.workspace.run("first").exists, "it is still loading"
    assert first.state == "running"
    second = jobs.submit(request_of("second").model_copy(update={"stream": "no-such-stream"}))
    seen = set()
    wait_for(lambda: seen.add(first.state) or second.state == "failed")
    assert seen == {"running", "finished"}, "it is never taken for dead"
    assert sum(isinstance(event, StartEvent) for event in jobs.workspace.run("first").events) == 1


def test_a_job_that_was_killed_says_so_in_its_queue_and_in_its_run_and_goes_on(
    jobs: Jobs, request_of: Callable[..., Request]
) -> None:
    job, run = jobs.submit(request_of("long", epochs=30, patience=None)), jobs.workspace.run("long")
    waiting = jobs.submit(request_of("next").model_copy(update={"stream": "no-such-stream"}))
    wait_for((run.path / "scores.parquet").is_file)
    os.kill(process_of(run), signal.SIGKILL)
    wait_for(lambda: job.state != "running")
    assert (job.state, run.status) == ("interrupted", "interrupted")
    for said in (job.message, run.failure):
        assert "killed from outside (SIGKILL), as a system that runs out of memory does" in said
        assert "choose a smaller batch_size" in said
    assert "nan" not in as_text(Report(run))
    assert "this run has not come to its end" in as_text(Report(run))
    assert "peak memory: not known" in as_text(Report(run))
    wait_for(lambda: waiting.state == "failed")  # the queue goes on
    again = jobs.again(job)
    wait_for(lambda: again.state == "finished")
    assert (again.message, run.failure) == ("", "")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are read from /proc")
def test_a_job_whose_process_was_stopped_by_a_signal_says_so_and_how_it_goes_on(
    jobs: Jobs, request_of: Callable[..., Request]
) -> None:
    job = jobs.submit(request_of("long", epochs=ENDLESS, patience=None))
    run = jobs.workspace.run("long")
    with held(run):
        wait_for(lambda: job.message)
        assert job.state == "running"
        for said in (job.message, run.standstill, summaries(jobs.workspace)["long"].message):
            assert f"its process {process_of(run)} stands still" in said
            assert said.endswith(f"kill -CONT {process_of(run)}")
        listed = CliRunner().invoke(app, ["jobs", "--workspace", str(jobs.workspace.root)])
        assert f"long running: {job.message}" in listed.output
    wait_for(lambda: not job.message)
    waiting = jobs.submit(request_of("next"))
    worker = int(jobs.lock_path.read_text().split()[1])
    with standing_still(worker):
        wait_for(lambda: waiting.message)
        assert waiting.message.startswith(f"the queue's process {worker} stands still")
        assert job.message == "", "which goes on"
    waiting.stop()
    job.stop()
    wait_for(lambda: job.state == "stopped")
    assert (job.message, summaries(jobs.workspace)["long"].message) == ("", "")


def test_a_recipe_without_a_name_of_its_own_goes_with_the_job(
    jobs: Jobs, request_of: Callable[..., Request]
) -> None:
    mine = Recipe(
        name="mine", initialise="random", train="isolated", route="uniform", compose="merge"
    )
    job = jobs.submit(request_of("mixed"), mine)
    wait_for(lambda: job.state == "finished")
    assert jobs.workspace.run("mixed").config.recipe == mine


def test_work_ends_at_once_where_nothing_waits(jobs: Jobs) -> None:
    work(jobs.workspace)
    assert not jobs.worked_on
