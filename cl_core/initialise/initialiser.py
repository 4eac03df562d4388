"""What an initialiser is: it names the adapter that a new one is copied from."""

from __future__ import annotations

from typing import ClassVar, Protocol

from torch import Tensor


class Initialiser(Protocol):
    """One choice of the slot *initialise*.

    The copy is of the parent's *best-validation* checkpoint, byte for byte; whoever trains makes
    it.

    Attributes:
        version: part of every adapter's key; raised when the choice of parents changes.
    """

    version: ClassVar[int]

    def parent(self, task: int, centroids: Tensor | None) -> int | None:
        """Returns the index of the adapter that adapter `task` starts from; None means at random.

        Args:
            task: index of the new task, from 0.
            centroids: (n, d), n > task: mean training embedding of each task up to and including
                the new one, in the stream's order; None unless its row needs features.
        """
        ...
