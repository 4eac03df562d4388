"""What a run writes down: `scores.parquet` and `routing.parquet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from torch import Tensor

from cl_core.evaluate.matrix import Score, scores_table
from cl_core.evaluate.metric import Input
from cl_core.evaluate.metric_groups import computed
from cl_core.evaluate.records import routing_records
from cl_core.evaluate.table import ACCURACY
from cl_core.route.router import Routing
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.store.contents import table_bytes
from cl_core.train.data import Votes, answer_credit


@dataclass(frozen=True)
class Predictions:
    """What was predicted of N samples, beside what is true of them.

    Attributes:
        predicted: (N,) labels as places in the label space that is asked of.
        labels: (N,) true ones; -1 for labels that no learnt task has.
        votes: for places in that label space, where answers carry any: accuracy is then VQA accuracy.
    """

    predicted: Tensor
    labels: Tensor
    votes: Votes | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def accuracy(self) -> float:
        """The share that is right, or the mean credit of votes."""
        return float(answer_credit(self.predicted, self.labels, self.votes).double().mean())


class Results:
    """Collects scores and routing records stage by stage and writes them atomically."""

    def __init__(self, run: RunFolder, config: RunConfig) -> None:
        self.run = run
        self.config = config
        self._scores: list[Score] = []
        self._records: list[pa.Table] = []
        self._stage_records: list[pa.Table] = []

    def add(
        self,
        stage: int,
        task: int,
        sample_ids: Sequence[str],
        routing: Routing,
        predictions: Predictions,
        scored: bool = True,
    ) -> dict[str, float]:
        """Adds cell (stage, task), both 0-based, and returns its scores by metric; empty where it is none.

        Args:
            stage: the stage.
            task: the task whose N samples these are.
            sample_ids: N ids.
            routing: what they got.
            predictions: of them, in the stream's label space.
            scored: whether the stage can answer the task at all; else only its routing is kept.
        """
        name = self.config.all_tasks[task].name
        self._stage_records.append(
            routing_records(
                stage=stage + 1,
                sample_ids=sample_ids,
                true_task=[task] * len(sample_ids),
                weights=routing.weights.cpu().numpy(),
                predictions=predictions.predicted.numpy(),
                labels=predictions.labels.numpy(),
                scores=routing.scores.cpu().numpy(),
                per_block=None if routing.per_block is None else routing.per_block.cpu().numpy(),
            )
        )
        return self._add_scores(stage + 1, name, predictions) if scored else {}

    def add_phase(self, metric: str, task: int, predictions: Predictions) -> None:
        """Adds what a task scored at one of I2I's phases, or with its vanilla adapter, as its own metric.

        Args:
            metric: "phase1_accuracy", "phase2_accuracy" or "vanilla_accuracy".
            task: 0-based; its stage is its own.
            predictions: of its samples, as places in the task's head.
        """
        name, protocol = self.config.tasks[task].name, self.config.protocol_with_rule
        self._scores.append(
            Score(task + 1, name, protocol, metric, predictions.accuracy, len(predictions))
        )

    def add_untrained(self, task: str, predictions: Predictions) -> None:
        """Adds b_j, the scores of the untrained model, as stage 0."""
        self._add_scores(0, task, predictions)

    def finish_stage(self) -> None:
        """Replaces `scores.parquet`; the stage's records are now fit to be shown."""
        self._records += self._stage_records
        self._stage_records = []
        self.run.write("scores.parquet", table_bytes(scores_table(self._scores)))

    def write_routing(self) -> None:
        """Replaces `routing.parquet` by the records of all finished stages, once there is one."""
        if not self._records:
            return
        table = pa.concat_tables(self._records)
        self.run.write("routing.parquet", table_bytes(table))

    def _add_scores(self, stage: int, task: str, predictions: Predictions) -> dict[str, float]:
        given: dict[Input, Any] = {
            "labels": predictions.labels.tolist(),
            "predictions": predictions.predicted.tolist(),
        }
        values = computed("score", given)
        if predictions.votes is not None:
            values[ACCURACY] = predictions.accuracy
        protocol = self.config.protocol_with_rule
        self._scores += [
            Score(stage, task, protocol, metric, value, len(predictions))
            for metric, value in values.items()
        ]
        return values
