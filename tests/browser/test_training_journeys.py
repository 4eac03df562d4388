"""What visitors do to train: bring a table, stop and go on, lose the server; see `test_journeys` for what always holds.

Training itself takes seconds: three tasks of two dozen sentences on a random backbone of three blocks.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from cl_core.jobs.job import Job, Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.events import EvaluationEvent
from cl_core.runs.workspace import Workspace
from tests.browser.conftest import Arrive
from tests.browser.serving import Server
from tests.long_runs import held
from tests.patience import PATIENCE, wait_for
from tests.small_runs import SMALL

ROWS = 60
LONG = 40
"""Epochs of a run that goes on for seconds."""
RUNNING = re.compile(r"so far")
"""What the bar says of a run that learns."""
STOPPED = re.compile(r"it came to")
FINISHED = re.compile(r"all of \d+ steps")


def test_a_table_of_ones_own_is_learnt_and_becomes_a_column(
    arrive: Arrive,
    tiny: Path,
    tmp_path: Path,
) -> None:
    table = tmp_path / "lifts.csv"
    lines = [
        f"the lift {'was quick and quiet' if row % 2 else 'was stuck'} on floor {row},"
        f"{'positive' if row % 2 else 'negative'}"
        for row in range(ROWS)
    ]
    table.write_text("\n".join(["text,label", *lines]))

    visitor = arrive()
    visitor.go("stream", ws="Mine", stream="domains-dil")
    visitor.button("Copy and change").click()
    visitor.fill("copy-name", "with-lifts")
    visitor.press_key("copy-create")
    visitor.option("File").click()
    visitor.settle()
    visitor.give("upload", table)
    visitor.see(re.compile(r"2 classes: ready\."))
    visitor.press_key("add-mapped")
    visitor.see("4 lifts")

    visitor.press("Train on it")
    visitor.fill("set-backbone-other", str(tiny))
    visitor.fill("set-epochs", "1")
    visitor.fill("set-limit_train", "24")
    visitor.fill("set-limit_test", "12")
    visitor.by("all-settings").get_by_text("All settings").click()
    visitor.settle()
    visitor.page.get_by_role("tab", name="Backbone").click()
    visitor.fill("set-max_length", str(SMALL["max_length"]))
    visitor.press_key("start")
    visitor.see(FINISHED, PATIENCE)
    visitor.link("See what was forgotten")
    column = visitor.page.locator(".js-plotly-plot .xtick text", has_text="4 lifts")
    expect(column.first).to_be_visible()


def submit(lab: Path, tiny: Path, run: str, seed: int) -> Job:
    """Queues a run that takes a while, as the form would; under a seed of its own nothing of it is in the store."""
    settings = {**SMALL, "epochs": LONG, "patience": None, "backbone": str(tiny)}
    return Jobs(Workspace(lab)).submit(
        Request(
            run=run,
            stream="domains-dil",
            recipe="dam",
            seed=seed,
            settings=settings,
            device="cpu",
        )
    )


def test_a_run_is_stopped_and_goes_on_to_its_end(
    arrive: Arrive,
    lab: Path,
    tiny: Path,
) -> None:
    job, run = submit(lab, tiny, "stopped", seed=1), Workspace(lab).run("stopped")
    visitor = arrive()
    with held(run):
        visitor.go("train", ws="Mine", show="Jobs", job="stopped")
        visitor.see(RUNNING, PATIENCE)
        visitor.by("stop").get_by_role("button").click()
        wait_for(lambda: job.stop_asked)
    visitor.see(STOPPED, PATIENCE)
    visitor.settle()
    learnt = sum(isinstance(event, EvaluationEvent) for event in run.events)
    assert learnt < 3, "it was asked to stop in its first epochs and came to its end"
    visitor.press_key("go-on")
    visitor.see(FINISHED, PATIENCE)


def test_training_outlives_the_server(
    arrive: Arrive,
    server: Server,
    lab: Path,
    tiny: Path,
) -> None:
    job = submit(lab, tiny, "outlives", seed=2)
    before = arrive()
    with held(Workspace(lab).run("outlives")):
        before.go("train", ws="Mine", show="Jobs", job="outlives")
        before.see(RUNNING, PATIENCE)
        before.leave()  # a tab that stays open would rightly complain that the server is gone
        server.kill()
        assert job.state == "running"
    server.start()
    after = arrive()
    after.go("train", ws="Mine", show="Jobs", job="outlives")
    after.see(FINISHED, PATIENCE)
    assert job.state == "finished"
