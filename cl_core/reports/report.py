"""What came of a run, in numbers: the score matrix, its metrics with their formulas, the router, the cost.

Everything is computed from the run's own tables and events; no torch, no data.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cl_core.evaluate.matrix import score_matrix
from cl_core.evaluate.metric import Input
from cl_core.evaluate.metric_groups import computed
from cl_core.evaluate.records import weights_of
from cl_core.evaluate.routing import task_confusion
from cl_core.evaluate.table import ACCURACY, METRICS
from cl_core.runs.cautions import cautions
from cl_core.runs.events import ArtifactEvent, FinishEvent, ParametersEvent, WarningEvent
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.undefined_scores import answerable, reasons

PHASES: dict[str, tuple[str, ...]] = {
    "seconds_features": ("features", "sights"),
    "seconds_memory": ("memory",),
    "seconds_improvising": ("improvised",),
    "seconds_initialising": ("distilled",),
    "seconds_training": ("adapter", "shared"),
    "seconds_fusion": ("fusion",),
    "seconds_routers": ("network",),
    "seconds_fisher": ("fisher",),
    "seconds_evaluation": ("states",),
}
"""Phases of a run, and the artifacts whose making they are. Vanilla adapters, trained to measure against, are none."""

TRAINED = ("adapter", "shared", "improvised", "distilled", "fusion", "network")
"""Artifacts in whose making something is trained."""


@dataclass(frozen=True)
class PhaseCost:
    """What one kind of training took over the whole run.

    Attributes:
        phase: "training", "improvising", ...
        seconds: by the clock, when it was first done.
        rows: training samples read, summed over tasks, each counted once however many epochs.
        parameters: numbers that moved in one task, at most.
    """

    phase: str
    seconds: float
    rows: int
    parameters: int


@dataclass(frozen=True)
class Report:
    """The numbers of one run.

    Attributes:
        run: the folder they come from.
        metric: which score the matrix holds: "accuracy", "macro_f1" or "weighted_f1".
    """

    run: RunFolder
    metric: str = ACCURACY

    @property
    def tasks(self) -> list[str]:
        """Task names in the stream's order."""
        return [task.name for task in self.run.config.tasks]

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """R (T, T): score on task j after task i; NaN where not evaluated or undefined (`undefined_scores.py`)."""
        return np.where(answerable(self.run.config), self._scores[0], np.nan)

    @cached_property
    def untrained(self) -> NDArray[np.float64]:
        """b (T,): scores of the untrained model; NaN where not asked for."""
        return self._scores[1]

    @cached_property
    def _scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        table = self.run.table("scores")
        rows = table.filter(pc.is_in(table["task"], pa.array(self.tasks)))
        try:
            if table.num_rows and not rows.num_rows:
                raise ValueError(f"its scores are not of the tasks {', '.join(self.tasks)}")
            return score_matrix(rows, self.tasks, self.metric)
        except ValueError as error:  # scores of another run
            raise DamagedFile(self.run.path / "scores.parquet", error) from error

    @cached_property
    def transfer(self) -> dict[str, float]:
        """The metrics of the matrix; NaN where one is not defined, which `undefined` gives the reason of."""
        return self.transfer_after(len(self.tasks))

    def transfer_after(self, stage: int) -> dict[str, float]:
        """The same as it was after a stage, from 1, of the tasks learnt by then."""
        given: dict[Input, Any] = {
            "R": self.matrix[:stage, :stage],
            "b": self.untrained[:stage],
        }
        cil = self.run.config.protocol == "cil"
        return {
            name: math.nan if cil and METRICS[name].reads_unseen else value
            for name, value in computed("matrix", given).items()
        }

    @cached_property
    def undefined(self) -> dict[str, str]:
        """Why a metric of `transfer` is not defined, by name; empty where all are."""
        return self.undefined_after(len(self.tasks))

    def undefined_after(self, stage: int) -> dict[str, str]:
        """The same of `transfer_after`."""
        transfer = self.transfer_after(stage)
        return reasons(self.run.config, self.run.status == "finished", transfer, stage)

    @cached_property
    def _last_records(self) -> pa.Table:
        """Routing records of the last stage that has any."""
        records = self.run.table("routing")
        return records.filter(pc.equal(records["stage"], pc.max(records["stage"])))

    @cached_property
    def router(self) -> dict[str, float]:
        """How the router did on the last stage's samples; empty before there are any, or a choice."""
        none_yet = not (self.run.path / "routing.parquet").is_file()
        if none_yet or self.run.config.recipe.shares_adapter:
            return {}
        records = self._last_records
        # A held-out task has no adapter that could be the right one.
        learnt = pc.less(records["true_task"], len(self.tasks))
        records = records.filter(learnt)
        weights, true = weights_of(records), records["true_task"].to_numpy()
        scores, k = weights_of(records, "scores"), self.run.config.settings.router.k
        return computed("router", {"weights": weights, "scores": scores, "true": true, "k": k})

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """(T + H, K) samples of true task (row) whose largest weight is adapter (column), last stage.

        The H held-out tasks are the last rows.
        """
        true = self._last_records["true_task"].to_numpy()
        tasks = len(self.run.config.all_tasks)
        return task_confusion(weights_of(self._last_records), true, tasks)

    @cached_property
    def cost(self) -> dict[str, float]:
        """Parameters, memory and time. Artifacts found in the store count with what they took when they were made."""
        events = self.run.events
        events_by_key = {event.key: event for event in events if isinstance(event, ArtifactEvent)}
        seconds = {
            name: sum(event.seconds for event in events_by_key.values() if event.kind in kinds)
            for name, kinds in PHASES.items()
        }
        always = ("seconds_features", "seconds_training", "seconds_evaluation")
        finished = [event for event in events if isinstance(event, FinishEvent)]
        cost = {
            **{name: spent for name, spent in seconds.items() if spent or name in always},
            "seconds_this_run": finished[-1].seconds if finished else math.nan,
            "peak_memory_bytes": float(finished[-1].peak_memory_bytes or math.nan)
            if finished
            else math.nan,
        }
        if finished and finished[-1].peak_gpu_memory_bytes:
            cost["peak_gpu_memory_bytes"] = float(finished[-1].peak_gpu_memory_bytes)
        return {**self._parameters(), **cost}

    @cached_property
    def phases(self) -> list[PhaseCost]:
        """Time, rows and parameters of each kind of training that the run did."""
        events_by_key = {
            event.key: event for event in self.run.events if isinstance(event, ArtifactEvent)
        }
        costs = []
        for name, kinds in PHASES.items():
            events = [e for e in events_by_key.values() if e.kind in kinds and e.kind in TRAINED]
            # I2I's second task is a copy in phase 2: nothing is trained.
            if any(event.parameters for event in events):
                costs.append(
                    PhaseCost(
                        phase=name.removeprefix("seconds_"),
                        seconds=sum(event.seconds for event in events),
                        rows=sum(event.rows for event in events),
                        parameters=max(event.parameters for event in events),
                    )
                )
        return costs

    @cached_property
    def improvised(self) -> dict[str, float]:
        """I2I: knowledge transfer, distillation decay, phase-3 gain (means over tasks, per cent); else empty.

        Tasks 2..T; the first is trained plainly. Knowledge transfer needs the vanilla adapters' scores, which the
        setting `vanilla` has the run compute.
        """
        return self.improvised_after(len(self.tasks))

    def improvised_after(self, stage: int) -> dict[str, float]:
        """The same of the tasks learnt by a stage, from 1; NaN where there is one alone."""
        table = self.run.table("scores")
        if "phase2_accuracy" not in set(table["metric"].to_pylist()):
            return {}
        columns = {
            name: score_matrix(table, self.tasks, name)[0].diagonal()[:stage]
            for name in ("phase1_accuracy", "phase2_accuracy", "vanilla_accuracy")
        }
        final = score_matrix(table, self.tasks, ACCURACY)[0].diagonal()[:stage]
        given: dict[Input, Any] = {
            "phase1": columns["phase1_accuracy"][1:],
            "phase2": columns["phase2_accuracy"][1:],
            "phase3": final[1:],
        }
        if not np.isnan(columns["vanilla_accuracy"]).all():
            given |= {"final": final, "vanilla": columns["vanilla_accuracy"]}
        return computed("matrix", given)

    @cached_property
    def held_out(self) -> dict[str, float]:
        """Score of each held-out task after the last stage that has one; empty where none was scored."""
        names = [task.name for task in self.run.config.held_out]
        rows = [
            row
            for row in self.run.table("scores").to_pylist()
            if row["task"] in names and row["metric"] == self.metric
        ]
        last = max((row["stage"] for row in rows), default=0)
        return {row["task"]: row["value"] for row in rows if row["stage"] == last}

    def _parameters(self) -> dict[str, float]:
        counted = [event for event in self.run.events if isinstance(event, ParametersEvent)]
        if not counted:
            return {}
        counts = counted[-1].model_dump(exclude={"type", "time", "stage"})
        return {name: float(count) for name, count in counts.items()}

    @cached_property
    def warnings(self) -> list[str]:
        """What a person should know of the run, as it was said while it went on."""
        return [event.message for event in self.run.events if isinstance(event, WarningEvent)]

    def as_dict(self) -> dict[str, Any]:
        """All numbers as plain values, NaN as None; what `--json` prints."""
        config = self.run.config
        return {
            "run": self.run.name,
            "status": self.run.status,
            "message": self.run.failure,
            "stream": config.stream_name,
            "protocol": config.protocol_with_rule,
            "head_rule": config.head_rule,
            "recipe": config.recipe.name,
            "told_the_task": config.recipe.told_the_task,
            "cautions": cautions(config),
            "seed": config.seed,
            "metric": self.metric,
            "warnings": self.warnings,
            "tasks": self.tasks,
            "matrix": [[_plain(value) for value in row] for row in self.matrix.tolist()],
            "untrained": [_plain(value) for value in self.untrained.tolist()],
            **{name: _plain(value) for name, value in self.transfer.items()},
            "undefined": self.undefined,
            "held_out": {name: _plain(value) for name, value in self.held_out.items()},
            "improvised": {name: _plain(value) for name, value in self.improvised.items()},
            "router": {name: _plain(value) for name, value in self.router.items()},
            "cost": {name: _plain(value) for name, value in self.cost.items()},
            "phases": [asdict(phase) for phase in self.phases],
            "formulas": {
                name: METRICS[name].formula
                for name in (*self.transfer, *self.improvised, *self.router)
            },
            "units": {
                name: METRICS[name].unit
                for name in (*self.transfer, *self.improvised, *self.router)
            },
        }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
