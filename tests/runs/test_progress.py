"""How far a run is, read from its events alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cl_core.recipes.named import RECIPES
from cl_core.recipes.settings import RunSettings
from cl_core.runs.events import (
    AnyEvent,
    ArtifactEvent,
    EpochEvent,
    EvaluationEvent,
    FinishEvent,
    PhaseEvent,
    StartEvent,
)
from cl_core.runs.progress import read_progress, seconds_per_row
from cl_core.runs.run_config import RunConfig, TaskSummary
from tests.small_runs import Carry

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat()


def config(tasks: int = 2, recipe: str = "adapters") -> RunConfig:
    return RunConfig(
        name="run",
        stream="s",
        stream_name="s",
        protocol="til",
        recipe=RECIPES[recipe],
        settings=RunSettings(),
        seed=0,
        label_space=("a", "b"),
        tasks=tuple(
            TaskSummary(
                name=f"t{i}",
                label_names=("a", "b"),
                labels=(0, 1),
                rows={"train": 100},
                fingerprint="",
            )
            for i in range(tasks)
        ),
    )


def epoch(task: str, number: int, second: float, of: int = 4) -> EpochEvent:
    return EpochEvent(
        time=at(second),
        task=task,
        epoch=number,
        epochs=of,
        train_loss=1 / number,
        validation_loss=1.0,
        validation_accuracy=0.5,
    )


FIRST: list[AnyEvent] = [
    StartEvent(time=at(0), process=1, device="cpu", steps=4),
    PhaseEvent(time=at(0), step=1, phase="train", stage=1, task="t0"),
    epoch("t0", 1, 10),
    epoch("t0", 2, 20),
]


def now(second: float) -> datetime:
    return START + timedelta(seconds=second)


def test_before_the_first_epoch_no_time_is_promised() -> None:
    progress = read_progress(config(), FIRST[:2], now(5))
    assert (progress.step, progress.steps, progress.left) == (1, 4, None)


def test_time_left_is_that_of_the_epochs_and_tasks_to_come() -> None:
    progress = read_progress(config(), FIRST, now(20))
    assert progress.left == pytest.approx(20 + 40)  # two epochs here, four of as many rows in t1
    assert (progress.epoch, progress.epochs) == (2, 4)
    assert progress.share == pytest.approx(0.5 / 4)


def test_a_resumed_run_says_each_epoch_once() -> None:
    events = [*FIRST, StartEvent(time=at(50), process=2, device="cpu", steps=4)]
    events += [
        PhaseEvent(time=at(50), step=1, phase="train", stage=1, task="t0"),
        epoch("t0", 2, 60),
    ]
    curve = read_progress(config(), events, now(60)).curves["train", "t0"]
    assert [point.epoch for point in curve] == [1, 2]


@pytest.mark.parametrize(
    ("recipe", "phases"),
    [("i2i-ff", {"improvise", "initialise", "train"}), ("l2r-wavg", {"train", "routers"})],
)
def test_epochs_are_those_of_the_step_that_they_stand_in(
    carry: Carry, recipe: str, phases: set[str]
) -> None:
    """Events of epochs say "films, fusion" or "routers" of what is trained, which no task is called."""
    folder = carry(recipe=recipe, router_epochs=1).folder
    curves = read_progress(folder.config, folder.events).curves
    assert {phase for phase, _ in curves} == phases
    assert {task for _, task in curves} == {task.name for task in folder.config.tasks}


def test_a_curve_is_not_that_of_the_vanilla_adapter() -> None:
    """I2I's is trained for comparison in the same step, once the task's own is there."""
    adapter_event = ArtifactEvent(
        time=at(21), kind="adapter", task="t0", stage=1, key="k", seconds=20.0, reused=False
    )
    curve = read_progress(config(), [*FIRST, adapter_event, epoch("t0", 1, 30)], now(30)).curves[
        "train", "t0"
    ]
    assert [point.time for point in curve] == [at(10), at(20)]


def test_cells_fill_in_as_they_are_evaluated() -> None:
    events = [
        *FIRST,
        EvaluationEvent(time=at(41), stage=1, task="t0", accuracy=0.75, rows=8, recomputed=8),
    ]
    matrix = read_progress(config(), events, now(41)).matrix
    assert matrix[0, 0] == 0.75
    assert np.isnan(matrix).sum() == 3


def test_a_finished_run_has_nothing_left() -> None:
    events = [*FIRST, FinishEvent(time=at(80), seconds=80, peak_memory_bytes=1)]
    progress = read_progress(config(), events, now(500))
    assert (progress.step, progress.share, progress.left, progress.seconds) == (4, 1.0, 0.0, 80)


def test_seconds_per_row_count_what_was_trained_here() -> None:
    fields = {"kind": "adapter", "task": "t0", "stage": 1, "key": "k", "seconds": 20.0}
    events = [*FIRST, ArtifactEvent(time=at(21), reused=False, **fields)]
    assert seconds_per_row(config(), events) == pytest.approx(20 / 200)
    assert (
        seconds_per_row(config(), [*FIRST, ArtifactEvent(time=at(21), reused=True, **fields)])
        is None
    )
