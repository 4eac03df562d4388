"""How well a router routes: pure functions of weights (N, K) and true tasks (N,).

A true task without an adapter (an unseen one, index >= K) is never routed rightly. Of equal weights
the lower index counts as the larger, as in `select`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cl_core.evaluate.scores import cross_counts


def routed_task(weights: ArrayLike) -> NDArray[np.int64]:
    """Returns (N,) the adapter with the largest weight."""
    return np.asarray(_matrix(weights).argmax(axis=1), dtype=np.int64)


def router_accuracy(weights: ArrayLike, true: ArrayLike) -> float:
    """Returns the share of samples whose largest weight is their true task's; NaN without samples.

    Args:
        weights: (N, K) weights or scores.
        true: (N,) indices of the true tasks.

    >>> router_accuracy([[0.9, 0.1], [0.4, 0.6]], true=[0, 0])
    0.5
    """
    return _mean(routed_task(weights) == _tasks(true, weights))


def top_k(weights: ArrayLike, k: int) -> NDArray[np.int64]:
    """Returns (N, min(k, K)) the adapters with the largest weights, largest first."""
    order = np.argsort(-_matrix(weights), axis=1, kind="stable")
    return np.asarray(order[:, :k], dtype=np.int64)


def top_k_recall(scores: ArrayLike, true: ArrayLike, k: int) -> float:
    """Returns the share of samples whose true task is among the k best; NaN without samples.

    Args:
        scores: (N, K). Pass scores where weights were cut to fewer than k: among zeros nothing is
            best.
        true: (N,) indices of the true tasks.
        k: at least 1.

    >>> top_k_recall([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], true=[1, 0], k=2)
    0.5
    """
    return _mean((top_k(scores, k) == _tasks(true, scores)[:, None]).any(axis=1))


def entropy(weights: ArrayLike) -> NDArray[np.float64]:
    """Returns (N,) -sum_t p_t ln p_t in nats, with 0 ln 0 = 0: 0 is one adapter, ln K is all
    alike.

    >>> entropy([[1.0, 0.0], [0.5, 0.5]]).round(3).tolist()
    [0.0, 0.693]
    """
    p = _matrix(weights)
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1) + 0.0)


def margin(weights: ArrayLike) -> NDArray[np.float64]:
    """Returns (N,) the largest weight minus the second: 1 is certain, 0 a tie. With K = 1 the
    weight itself.

    >>> margin([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]]).tolist()
    [1.0, 0.0, 0.5]
    """
    ordered = -np.sort(-_matrix(weights), axis=1)
    return np.asarray(ordered[:, 0] - (ordered[:, 1] if ordered.shape[1] > 1 else 0.0))


def task_confusion(weights: ArrayLike, true: ArrayLike, n_tasks: int) -> NDArray[np.int64]:
    """Returns (n_tasks, K) counts: row = true task, column = the adapter with the largest weight.

    Raises:
        ValueError: a true task outside 0..n_tasks-1.

    >>> task_confusion([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], true=[0, 0, 1], n_tasks=2).tolist()
    [[1, 1], [0, 1]]
    """
    return cross_counts(
        _tasks(true, weights), routed_task(weights), n_tasks, _matrix(weights).shape[1]
    )


def expected_calibration_error(weights: ArrayLike, true: ArrayLike, bins: int = 15) -> float:
    """Returns sum_b (n_b / N) |accuracy_b - confidence_b|: 0 is calibrated; NaN without samples.

    Guo et al. (2017): confidence is the largest weight, b runs over `bins` equal intervals (low,
    high] of [0, 1]. A softmax at tau = 0.01 is not made to be a probability; the number says how
    far it is from one.
    """
    p, right = _matrix(weights), routed_task(weights) == _tasks(true, weights)
    if not len(p):
        return float("nan")
    confidence = p.max(axis=1)
    which = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = np.bincount(which, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(p))


def _matrix(weights: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"weights must be (N, K) with K > 0; found {matrix.shape}")
    return matrix


def _tasks(true: ArrayLike, weights: ArrayLike) -> NDArray[np.int64]:
    tasks = np.asarray(true, dtype=np.int64)
    if tasks.shape != (len(_matrix(weights)),):
        raise ValueError(f"true tasks {tasks.shape} must be (N,), one per row of weights")
    return tasks


def _mean(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else float("nan")
