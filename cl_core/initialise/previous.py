"""DAM's continual initialisation: an adapter starts where the one before it ended."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor


class PreviousInitialiser:
    """Adapter t starts as a byte copy of adapter t - 1; the first at random (DAM)."""

    version: ClassVar[int] = 1

    def parent(self, task: int, centroids: Tensor | None = None) -> int | None:
        """Returns task - 1, or None for the first task."""
        return task - 1 if task > 0 else None
