"""The score matrix as a table on disk and as an array in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SCORES_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.int32(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("protocol", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("samples", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Score:
    """One entry of R, or of b.

    Attributes:
        stage: i, how many tasks had been learnt; 0 is the untrained model, whose scores are b.
        task: name of task j.
        protocol: "til", "cil" or "dil", with the head rule in CIL ("cil/compose").
        metric: a name in `METRICS` ("accuracy", "macro_f1", ...).
        value: the score.
        samples: how many test samples it is the score of.
    """

    stage: int
    task: str
    protocol: str
    metric: str
    value: float
    samples: int


def scores_table(scores: Iterable[Score]) -> pa.Table:
    """Returns the scores as rows of `SCORES_SCHEMA`, in the given order."""
    rows = list(scores)
    return pa.table(
        {name: [getattr(row, name) for row in rows] for name in SCORES_SCHEMA.names},
        schema=SCORES_SCHEMA,
    )


def score_matrix(
    table: pa.Table, tasks: Sequence[str], metric: str = "accuracy", protocol: str | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns R (T, T) and b (T,) of one metric, NaN where not evaluated.

    Args:
        table: rows of `SCORES_SCHEMA`.
        tasks: the stream's task names, in order; T of them.
        metric: which metric.
        protocol: which protocol; None when the table holds one only.

    Raises:
        ValueError: two scores for one entry, an unknown task, or a stage above T.
    """
    everything = np.full((len(tasks) + 1, len(tasks)), np.nan)
    position = {name: index for index, name in enumerate(tasks)}
    for row in table.to_pylist():
        if row["metric"] != metric or (protocol is not None and row["protocol"] != protocol):
            continue
        stage, task = row["stage"], row["task"]
        if task not in position or not 0 <= stage <= len(tasks):
            raise ValueError(
                f"stage {stage} and task '{task}' are not of a stream of {', '.join(tasks)}"
            )
        if not np.isnan(everything[stage, position[task]]):
            raise ValueError(
                f"two scores of {metric} at stage {stage} on '{task}'; name the protocol"
            )
        everything[stage, position[task]] = row["value"]
    return everything[1:], everything[0]
