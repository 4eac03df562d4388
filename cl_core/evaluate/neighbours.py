"""Points on a plane and the features behind them: neighbours, placing newcomers, how far a map can be trusted.

Pure functions of arrays. Everything is by cosine, as the centroid router measures: rows are scaled to length 1 first,
where |a - b|^2 = 2 - 2 cos(a, b).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
CHUNK = 512
"""Rows of one matrix product: 512 x 10,000 similarities are 20 MB."""


def unit(features: Array) -> Array:
    """Scales each row of (N, d) to length 1; a row of zeros stays one."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), dtype=np.float32)


def nearest(queries: Array, points: Array, k: int) -> tuple[NDArray[np.int32], Array]:
    """Returns the k points nearest to each query, nearest first, and their distances: (Q, k) each.

    Args:
        queries: (Q, d), of length 1. A query that is one of the points finds itself first.
        points: (N, d), of length 1.
        k: at most N.

    Raises:
        ValueError: k is not between 1 and N.
    """
    if not 1 <= k <= len(points):
        raise ValueError(f"k must be between 1 and {len(points)}, the number of points; it is {k}")
    indices = np.empty((len(queries), k), np.int32)
    distances = np.empty((len(queries), k), np.float32)
    for start in range(0, len(queries), CHUNK):
        cosine = queries[start : start + CHUNK] @ points.T
        best = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
        similarity = np.take_along_axis(cosine, best, axis=1)
        order = np.lexsort((best, -similarity), axis=1)
        indices[start : start + CHUNK] = np.take_along_axis(best, order, axis=1)
        similarity = np.take_along_axis(similarity, order, axis=1)
        distances[start : start + CHUNK] = np.sqrt(np.maximum(2 - 2 * similarity, 0))
    return indices, distances


def placed(queries: Array, points: Array, positions: Array, k: int = 15) -> Array:
    """Returns where newcomers belong on a map that is drawn already: (Q, 2).

        y(x) = sum_i w_i y_i / sum_i w_i,    w_i = 1 / |x - x_i|,    i over the k nearest points

    A joint fit would make each centroid a hub that pulls apart what overlaps **(ours)**.

    Args:
        queries: (Q, d) features, of any length.
        points: (N, d) features of what is on the map.
        positions: (N, 2) their places.
        k: neighbours, fewer where there are fewer points.
    """
    indices, distances = nearest(unit(queries), unit(points), min(k, len(points)))
    weights = 1 / np.maximum(distances, 1e-6)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((weights[:, :, None] * positions[indices]).sum(axis=1), dtype=np.float32)


def trustworthiness(features: Array, positions: Array, k: int = 15) -> float:
    """Returns the share of neighbours on the map that are neighbours in truth: 1 is all, chance is about 0.5.

        T(k) = 1 - 2 / (N k (2N - 3k - 1)) sum_i sum_{j in U_k(i)} (r(i, j) - k)

    Venna and Kaski (2001): U_k(i) are the k nearest of i on the map that are not among the k nearest by features, and
    r(i, j) is the rank of j by features. NaN where N <= 2k, for which it is not defined.

    Args:
        features: (N, d), of length 1.
        positions: (N, 2).
        k: neighbours.
    """
    n = len(features)
    if n <= 2 * k:
        return float("nan")
    square = (positions**2).sum(axis=1)
    penalty = 0
    for start in range(0, n, CHUNK):
        rows = np.arange(start, min(start + CHUNK, n))
        far = square[rows, None] + square - 2 * positions[rows] @ positions.T
        far[np.arange(len(rows)), rows] = np.inf  # nobody is a neighbour of oneself
        near = np.argpartition(far, k - 1, axis=1)[:, :k]
        cosine = features[rows] @ features.T
        cosine[np.arange(len(rows)), rows] = -np.inf
        for column in near.T:
            similarity = cosine[np.arange(len(rows)), column]
            rank = 1 + (cosine > similarity[:, None]).sum(axis=1)
            penalty += int(np.maximum(rank - k, 0).sum())
    return 1 - 2 * penalty / (n * k * (2 * n - 3 * k - 1))


def cosines(vectors: Array) -> NDArray[np.float64]:
    """Returns (K, K) the cosine of each pair of (K, d) vectors; NaN with a zero one, which has no direction.

    >>> cosines(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])).tolist()
    [[1.0, 0.0, nan], [0.0, 1.0, nan], [nan, nan, nan]]
    """
    length = np.linalg.norm(vectors, axis=1)
    scaled = (vectors / np.maximum(length, 1e-12)[:, None]).astype(np.float64)
    nowhere = length == 0
    return np.where(nowhere[:, None] | nowhere, np.nan, np.clip(scaled @ scaled.T, -1, 1))
