"""How far a run is, read from its events: position in the plan, time left, learning curves, cells of the matrix.

Whoever watches (the app, a notebook) asks the run's folder, never its process. No torch.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from cl_core.recipes.plan import PhaseName, Step
from cl_core.runs.events import (
    AnyEvent,
    ArtifactEvent,
    EpochEvent,
    EvaluationEvent,
    FinishEvent,
    PhaseEvent,
    StartEvent,
    WarningEvent,
)
from cl_core.runs.run_config import RunConfig
from cl_core.runs.undefined_scores import answerable

PHASE_WORDS: dict[PhaseName, str] = {
    "features": "reading features",
    "improvise": "improvising a fusion (I2I, phase 1)",
    "initialise": "distilling the start (I2I, phase 2)",
    "train": "training the adapter",
    "fuse": "training the fusion",
    "routers": "training the routers",
    "evaluate": "scoring",
}
"""What each phase of a plan is called on a screen."""


@dataclass(frozen=True)
class Progress:
    """A run, as far as it has come.

    Attributes:
        step: 1-based position in the plan; 0 before the first step.
        steps: of the plan; 0 before it is known.
        ended: whether the plan has been carried out.
        phase: of the step, None before the first.
        task: that the step is about.
        stage: 1-based.
        epoch: the last that ended in this step, 0 before one has.
        epochs: at most so many in this step; 0 where it has none.
        seconds: since this process took the run up.
        left: seconds that the rest takes, at most (training may stop early); None while nothing has been measured.
        curves: (phase, task) to its epochs, in the order in which they were learnt.
        matrix: (T, T) accuracy in 0..1 on task j after learning task i; NaN where not known yet, or no score.
        counts: (T, T) rows that these are of; 0 where it is not known.
        warnings: sentences.
    """

    step: int
    steps: int
    ended: bool
    phase: PhaseName | None
    task: str
    stage: int
    epoch: int
    epochs: int
    seconds: float
    left: float | None
    curves: Mapping[tuple[PhaseName, str], Sequence[EpochEvent]]
    matrix: NDArray[np.float64]
    counts: NDArray[np.int64]
    warnings: tuple[str, ...]

    @property
    def share(self) -> float:
        """0..1 of the plan's steps, those that have begun counting by their epochs."""
        if self.ended:
            return 1.0
        if not self.steps:
            return 0.0
        within = self.epoch / self.epochs if self.epochs else 0.0
        return min(1.0, (max(self.step - 1, 0) + within) / self.steps)

    @property
    def where(self) -> str:
        """ "step 7 of 18: training the adapter, tickets, epoch 4 of 6"."""
        if self.phase is None:
            return "preparing: loading the stream and the backbone"
        words = f"step {self.step} of {self.steps}: {PHASE_WORDS[self.phase]}, {self.task}"
        return f"{words}, epoch {self.epoch} of {self.epochs}" if self.epochs else words


def read_progress(
    config: RunConfig, events: Sequence[AnyEvent], now: datetime | None = None
) -> Progress:
    """How far a run is.

    Args:
        config: of the run.
        events: all so far.
        now: by default the clock's.
    """
    now = now or datetime.now(UTC)
    started = next((event for event in reversed(events) if isinstance(event, StartEvent)), None)
    steps = started.steps if started else 0
    begin = max((i for i, event in enumerate(events) if isinstance(event, StartEvent)), default=0)
    phase = next(
        (event for event in reversed(events[begin:]) if isinstance(event, PhaseEvent)), None
    )
    since = events.index(phase) if phase else len(events)
    epochs = [event for event in events[since:] if isinstance(event, EpochEvent)]
    ended = bool(events) and isinstance(events[-1], FinishEvent)
    matrix, counts = _matrix([task.name for task in config.tasks], events)
    last = _time(events[-1]) if ended else now
    return Progress(
        step=steps if ended else phase.step if phase else 0,
        steps=steps,
        ended=ended,
        phase=phase.phase if phase else None,
        task=phase.task if phase else "",
        stage=phase.stage if phase else 0,
        epoch=epochs[-1].epoch if epochs else 0,
        epochs=epochs[-1].epochs if epochs else 0,
        seconds=(last - _time(started)).total_seconds() if started else 0.0,
        left=0.0 if ended else _time_left(config, events, phase, epochs, now),
        curves=_curves(events),
        matrix=np.where(answerable(config), matrix, np.nan),
        counts=counts,
        warnings=tuple(event.message for event in events if isinstance(event, WarningEvent)),
    )


def seconds_per_row(config: RunConfig, events: Sequence[AnyEvent]) -> float | None:
    """What training on one row for one epoch took in a run; None where it trained nothing itself."""
    rows = {task.name: task.rows.get("train", 0) for task in config.tasks}
    epochs = {
        task: len(seen) for (phase, task), seen in _curves(events).items() if phase == "train"
    }
    trainings = [
        event
        for event in events
        if isinstance(event, ArtifactEvent)
        and event.kind in ("adapter", "shared")
        and not event.reused
        and epochs.get(event.task)
    ]
    passes = sum(rows[event.task] * epochs[event.task] for event in trainings if event.task in rows)
    return (
        sum(event.seconds for event in trainings if event.task in rows) / passes if passes else None
    )


def _time_left(
    config: RunConfig,
    events: Sequence[AnyEvent],
    phase: PhaseEvent | None,
    epochs: Sequence[EpochEvent],
    now: datetime,
) -> float | None:
    """Seconds: what each kind of step has taken per row so far, times the rows that are still to come."""
    if phase is None:
        return None
    rows = [task.rows.get("train", 0) for task in config.tasks]
    plan = config.recipe.plan(len(rows), config.settings)
    measured = _seconds_by_row(config, events)
    if epochs:  # today's task says more than earlier ones: its length, its machine's load
        spent = (_time(epochs[-1]) - _time(phase)).total_seconds()
        whole = spent / len(epochs) * epochs[-1].epochs
        measured.setdefault(phase.phase, whole / max(rows[phase.stage - 1], 1))
    here = plan[phase.step - 1 :]
    if any(step.phase == "train" and "train" not in measured for step in here):
        return None
    expected = [measured.get(step.phase, 0.0) * _work(step, rows) for step in here]
    done = (now - _time(phase)).total_seconds()
    if epochs and epochs[-1].epochs:
        expected[0] = spent / len(epochs) * epochs[-1].epochs
    return max(expected[0] - done, 0.0) + math.fsum(expected[1:]) if expected else 0.0


def _work(step: Step, rows: Sequence[int]) -> float:
    """Rows that a step reads: all tasks so far where it scores or trains routers, else its own."""
    if step.phase in ("evaluate", "routers"):
        return float(sum(rows[: step.stage + 1]))
    return float(rows[step.task])


def _seconds_by_row(config: RunConfig, events: Sequence[AnyEvent]) -> dict[PhaseName, float]:
    """By phase, the mean over its steps that were carried out to their end, and not found in the store."""
    rows = [task.rows.get("train", 0) for task in config.tasks]
    places = {task.name: position for position, task in enumerate(config.tasks)}
    times: dict[PhaseName, list[float]] = defaultdict(list)
    current: PhaseEvent | None = None
    reused = False
    for event in events:
        if (
            isinstance(event, ArtifactEvent)
            and event.reused
            and event.kind in ("adapter", "shared")
        ):
            reused = True
        if isinstance(event, PhaseEvent):
            if current is not None and not reused and current.task in places:
                work = _work(Step(current.phase, current.stage - 1, places[current.task]), rows)
                took = (_time(event) - _time(current)).total_seconds()
                times[current.phase].append(took / max(work, 1.0))
            current, reused = event, False
        elif isinstance(event, StartEvent):
            current = None  # what the process before it left is no whole step
    return {phase: math.fsum(seconds) / len(seconds) for phase, seconds in times.items()}


def _curves(events: Sequence[AnyEvent]) -> dict[tuple[PhaseName, str], list[EpochEvent]]:
    """By step, whatever its epochs say they are of: a fusion, a distilled start, routers.

    A run that goes on says the epochs since its checkpoint again: the last word counts. What is trained in a step
    once its adapter is there is another model, I2I's vanilla adapter, whose epochs are not this one's.
    """
    curves: dict[tuple[PhaseName, str], dict[int, EpochEvent]] = {}
    step: PhaseEvent | None = None
    learnt = False
    for event in events:
        if isinstance(event, PhaseEvent):
            step, learnt = event, False
        elif isinstance(event, ArtifactEvent) and event.kind in ("adapter", "shared"):
            learnt = True
        elif (
            isinstance(event, EpochEvent)
            and step is not None
            and not (step.phase == "train" and learnt)
        ):
            curves.setdefault((step.phase, step.task), {})[event.epoch] = event
    return {where: [seen[number] for number in sorted(seen)] for where, seen in curves.items()}


def _matrix(
    tasks: Sequence[str], events: Sequence[AnyEvent]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(T, T) accuracies, and of how many rows each is."""
    matrix = np.full((len(tasks), len(tasks)), np.nan)
    counts = np.zeros(matrix.shape, dtype=np.int64)
    for event in events:
        if (
            isinstance(event, EvaluationEvent)
            and event.task in tasks
            and 1 <= event.stage <= len(tasks)
        ):
            cell = event.stage - 1, tasks.index(event.task)
            matrix[cell], counts[cell] = event.accuracy, event.rows
    return matrix, counts


def _time(event: AnyEvent) -> datetime:
    return datetime.fromisoformat(event.time)
