"""What came of a run, in numbers: the score matrix, its metrics with their formulas, the router, the cost.

Everything is computed from the run's own tables and events; no torch, no data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cl_core.evaluate.matrix import score_matrix
from cl_core.evaluate.metrics import (
    average_accuracy,
    average_incremental,
    backward_transfer,
    forgetting,
    forward_transfer,
)
from cl_core.evaluate.records import weights_of
from cl_core.evaluate.routing import (
    entropy,
    expected_calibration_error,
    margin,
    router_accuracy,
    task_confusion,
    top_k_recall,
)
from cl_core.evaluate.table import METRICS
from cl_core.lab.events import Finished, Made, Parameters
from cl_core.lab.workspace import RunFolder

METRIC_NAMES = ("accuracy", "macro_f1", "weighted_f1")
"""Scores that a run keeps of every cell."""


@dataclass(frozen=True)
class Report:
    """The numbers of one run.

    Attributes:
        run: the folder they come from.
        metric: which score the matrix holds: "accuracy", "macro_f1" or "weighted_f1".
    """

    run: RunFolder
    metric: str = "accuracy"

    @property
    def tasks(self) -> list[str]:
        """Task names in the stream's order."""
        return [task.name for task in self.run.config.tasks]

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """R (T, T): score on task j after learning task i; NaN where not evaluated."""
        return self._scores[0]

    @cached_property
    def untrained(self) -> NDArray[np.float64]:
        """b (T,): scores of the untrained model; NaN where not asked for."""
        return self._scores[1]

    @cached_property
    def _scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return score_matrix(self.run.table("scores"), self.tasks, self.metric)

    @cached_property
    def transfer(self) -> dict[str, float]:
        """The metrics of the matrix; NaN where one is not defined (one task, tasks not scored)."""
        return {
            "average_accuracy": average_accuracy(self.matrix),
            "average_incremental": average_incremental(self.matrix),
            "backward_transfer": backward_transfer(self.matrix),
            "forgetting": forgetting(self.matrix),
            "forward_transfer": forward_transfer(self.matrix, self.untrained),
        }

    @cached_property
    def _last_records(self) -> pa.Table:
        """Routing records of the last stage that has any."""
        records = self.run.table("routing")
        return records.filter(pc.equal(records["stage"], pc.max(records["stage"])))

    @cached_property
    def router(self) -> dict[str, float]:
        """How the router did on the last stage's samples; empty before there are any, or a choice."""
        none_yet = not (self.run.path / "routing.parquet").is_file()
        if none_yet or self.run.config.recipe.train == "sequential":
            return {}
        weights, true = weights_of(self._last_records), self._last_records["true_task"].to_numpy()
        k = self.run.config.settings.router.k
        return {
            "router_accuracy": router_accuracy(weights, true),
            "top_k_recall": top_k_recall(weights_of(self._last_records, "scores"), true, k),
            "entropy": float(np.mean(entropy(weights))),
            "margin": float(np.mean(margin(weights))),
            "expected_calibration_error": expected_calibration_error(weights, true),
        }

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """(T, K) samples of true task (row) whose largest weight is adapter (column), last stage."""
        true = self._last_records["true_task"].to_numpy()
        return task_confusion(weights_of(self._last_records), true, len(self.tasks))

    @cached_property
    def cost(self) -> dict[str, float]:
        """Parameters, memory and time. Artifacts found in the store count with what they took when they were made."""
        events = self.run.events
        made = {event.key: event for event in events if isinstance(event, Made)}
        seconds = {
            kind: sum(event.seconds for event in made.values() if event.kind == kind)
            for kind in ("features", "adapter", "states")
        }
        finished = [event for event in events if isinstance(event, Finished)]
        cost = {
            "seconds_features": seconds["features"],
            "seconds_training": seconds["adapter"],
            "seconds_evaluation": seconds["states"],
            "seconds_this_run": finished[-1].seconds if finished else math.nan,
            "peak_memory_bytes": float(finished[-1].peak_memory_bytes) if finished else math.nan,
        }
        if finished and finished[-1].peak_gpu_memory_bytes:
            cost["peak_gpu_memory_bytes"] = float(finished[-1].peak_gpu_memory_bytes)
        return {**self._parameters(), **cost}

    def _parameters(self) -> dict[str, float]:
        counted = [event for event in self.run.events if isinstance(event, Parameters)]
        if not counted:
            return {}
        counts = counted[-1].model_dump(exclude={"type", "time", "stage"})
        return {name: float(count) for name, count in counts.items()}

    def as_dict(self) -> dict[str, Any]:
        """All numbers as plain values, NaN as None; what `--json` prints."""
        config = self.run.config
        return {
            "run": self.run.name,
            "status": self.run.status,
            "stream": config.stream_name,
            "protocol": config.protocol_with_rule,
            "recipe": config.recipe.name,
            "seed": config.seed,
            "metric": self.metric,
            "tasks": self.tasks,
            "matrix": [[_plain(value) for value in row] for row in self.matrix.tolist()],
            "untrained": [_plain(value) for value in self.untrained.tolist()],
            **{name: _plain(value) for name, value in self.transfer.items()},
            "router": {name: _plain(value) for name, value in self.router.items()},
            "cost": {name: _plain(value) for name, value in self.cost.items()},
            "formulas": {name: METRICS[name].formula for name in (*self.transfer, *self.router)},
        }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
