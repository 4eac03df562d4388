"""Overlap of marks, removed: marks of one size that would cover each other are moved side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROUNDS = 50
"""Of moving marks apart; two are apart after one."""


def moved_apart(positions: NDArray[np.float64], distance: float) -> NDArray[np.float64]:
    """Returns positions moved as little as keeps any two a distance apart, none by more than that distance: (K, 2).

    Args:
        positions: (K, 2); those of one place stand side by side afterwards.
        distance: in the same unit.
    """
    moved = np.asarray(positions, dtype=np.float64).copy()
    order = np.arange(len(moved))
    aside = np.stack([np.sign(order[:, None] - order), np.zeros((len(moved),) * 2)], axis=-1)
    for _ in range(ROUNDS):
        between = moved[:, None] - moved
        far = np.linalg.norm(between, axis=-1)
        lacking = np.where(order[:, None] == order, 0.0, np.maximum(distance - far, 0.0))
        if not lacking.any():
            break
        way = np.where(far[..., None] > 0, between / np.maximum(far, 1e-12)[..., None], aside)
        step = moved - positions + (way * lacking[..., None]).sum(axis=1) / 2
        length = np.linalg.norm(step, axis=-1, keepdims=True)
        moved = positions + step * np.minimum(1.0, distance / np.maximum(length, 1e-12))
    return moved
