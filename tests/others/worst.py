"""The task that fares worst."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def worst_task(matrix: ArrayLike) -> float:
    """Returns min_j R[T, j]; higher is better."""
    return float(np.asarray(matrix, dtype=np.float64)[-1].min())
