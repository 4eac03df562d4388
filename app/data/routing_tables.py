"""Routing tables of one stage, as arrays: confusion of tasks and adapters, outcomes, usage, weights of each block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.data.routing_records import RoutingRecords
from cl_core.evaluate.routing import task_confusion


def confusion(routed: RoutingRecords, tasks: int) -> NDArray[np.int64]:
    """(tasks, K) samples of true task (row) whose top-1 adapter is (column).

    Args:
        routed: N samples.
        tasks: how many tasks there are, held-out ones included.
    """
    return task_confusion(routed.weights, routed.true, tasks)


def row_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, n) percent of each row; NaN in rows without samples."""
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, 100 * counts / np.maximum(total, 1), np.nan)


def outcomes(routed: RoutingRecords, tasks: int) -> NDArray[np.int64]:
    """(tasks, 4) samples by route and answer: right right, right wrong, wrong right, wrong wrong.

    Those that could not be answered rightly at this stage are left out.
    """
    which = 2 * ~routed.right_route + ~routed.right_prediction
    counted = (routed.true * 4 + which)[routed.answerable]
    counts = np.bincount(counted, minlength=4 * tasks)
    return counts.reshape(tasks, 4).astype(np.int64)


def usage(routed: RoutingRecords) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(K,) mean weight, and (K,) share of samples whose top-1 adapter it is; percent."""
    adapters = routed.weights.shape[1]
    chosen = np.bincount(routed.chosen, minlength=adapters) / max(len(routed), 1)
    return 100 * routed.weights.mean(axis=0).astype(np.float64), 100 * chosen


def block_means(routed: RoutingRecords, task: int | None) -> NDArray[np.float64] | None:
    """(R, K) mean weights of each adapted block, percent; None where blocks do not differ.

    Args:
        routed: N samples.
        task: of this true task; None for all.
    """
    if routed.per_block is None:
        return None
    kept = routed.per_block if task is None else routed.per_block[routed.true == task]
    if not len(kept):
        return np.full(routed.per_block.shape[1:], np.nan)
    return np.asarray(100 * kept.mean(axis=0), np.float64)
