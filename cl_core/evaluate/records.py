"""Routing records: what each sample got at one stage, one row per sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from cl_core.evaluate import routing

ROUTING_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.int32(), nullable=False),  # after learning this many tasks
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("true_task", pa.int32(), nullable=False),  # index in the stream, from 0
        pa.field("weights", pa.list_(pa.float32()), nullable=False),  # p(x), K of them
        pa.field("scores", pa.list_(pa.float32())),  # the router's own measure, K of them
        pa.field("top_k", pa.list_(pa.int32()), nullable=False),  # adapters with weight, best first
        pa.field("per_block", pa.list_(pa.list_(pa.float32()))),  # weights of each block (L2R)
        pa.field("prediction", pa.int32(), nullable=False),  # index in the label space
        pa.field("label", pa.int32(), nullable=False),
        pa.field("correct", pa.bool_(), nullable=False),
        pa.field("entropy", pa.float32(), nullable=False),  # of weights, nats
        pa.field("margin", pa.float32(), nullable=False),  # largest weight minus the second
    ]
)


def routing_records(
    *,
    stage: int,
    sample_ids: Sequence[str],
    true_task: ArrayLike,
    weights: ArrayLike,
    predictions: ArrayLike,
    labels: ArrayLike,
    scores: ArrayLike | None = None,
    per_block: ArrayLike | None = None,
) -> pa.Table:
    """Returns one row per sample, in the given order, with the columns of `ROUTING_SCHEMA`.

    `top_k` lists the adapters of weight above 0, largest first; of equal ones the lower index.

    Args:
        stage: how many tasks had been learnt.
        sample_ids: N ids, the samples' own.
        true_task: (N,) indices in the stream.
        weights: (N, K) p(x).
        predictions, labels: (N,) indices in the stream's label space (the task's own in TIL).
        scores: (N, K) the router's scores, or None.
        per_block: (N, blocks, K) weights of each block, or None.

    Raises:
        ValueError: lengths that differ.
    """
    p = np.asarray(weights, dtype=np.float32)
    predicted, true = np.asarray(predictions, np.int32), np.asarray(labels, np.int32)
    lengths = {
        "sample_ids": len(sample_ids),
        "true_task": len(np.asarray(true_task)),
        "weights": len(p),
        "predictions": len(predicted),
        "labels": len(true),
        "scores": len(p) if scores is None else len(np.asarray(scores)),
        "per_block": len(p) if per_block is None else len(np.asarray(per_block)),
    }
    if len(set(lengths.values())) > 1:
        raise ValueError(f"routing records need one value per sample of each; found {lengths}")
    if len(p) == 0:
        return ROUTING_SCHEMA.empty_table()
    order = routing.top_k(p, p.shape[1])
    used = (p > 0).sum(axis=1)
    columns = {
        "stage": np.full(len(p), stage, np.int32),
        "sample_id": list(sample_ids),
        "true_task": np.asarray(true_task, np.int32),
        "weights": list(p),
        "scores": _rows(scores, len(p)),
        "top_k": [row[:count] for row, count in zip(order.astype(np.int32), used, strict=True)],
        "per_block": [None if row is None else list(row) for row in _rows(per_block, len(p))],
        "prediction": predicted,
        "label": true,
        "correct": predicted == true,
        "entropy": routing.entropy(p).astype(np.float32),
        "margin": routing.margin(p).astype(np.float32),
    }
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in ROUTING_SCHEMA},
        schema=ROUTING_SCHEMA,
    )


def weights_of(records: pa.Table, column: str = "weights") -> NDArray[np.float32]:
    """Returns (N, K) weights, or scores, of records of one stage.

    Raises:
        ValueError: records of stages with different K.
    """
    rows = records.column(column).to_numpy()
    if len({len(row) for row in rows}) > 1:
        raise ValueError("the records are of several stages; filter one stage first")
    return np.stack(list(rows)) if len(rows) else np.zeros((0, 0), np.float32)


def _rows(values: ArrayLike | None, count: int) -> list[NDArray[np.float32] | None]:
    return [None] * count if values is None else list(np.asarray(values, np.float32))
