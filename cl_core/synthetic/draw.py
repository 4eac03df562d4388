"""Seeded choices that are the same on every machine and every supported Python.

Only `random.Random.random` on a string seed is used: Python documents that sequence as stable,
while ``choice``, ``shuffle`` and ``sample`` may change between versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A stream of choices named by its parts: ``Draw(seed, "films", "train")``."""

    def __init__(self, *parts: object) -> None:
        self._random = Random("/".join(map(str, parts)))  # noqa: S311 (rows, not secrets)

    def chance(self, probability: float) -> bool:
        """True with the given probability; never at 0, always at 1."""
        return self._random.random() < probability

    def below(self, bound: int) -> int:
        """A whole number in [0, bound)."""
        return int(self._random.random() * bound)

    def between(self, low: float, high: float) -> float:
        """A number in [low, high), all equally likely."""
        return low + (high - low) * self._random.random()

    def choice(self, values: Sequence[T]) -> T:
        """One of the values, all equally likely."""
        return values[self.below(len(values))]

    def weighted(self, values: Sequence[tuple[float, T]]) -> T:
        """One of the values, each as likely as the share before it; shares add up to 1."""
        left = self._random.random()
        for share, value in values:
            left -= share
            if left < 0:
                return value
        return values[-1][1]  # shares may add up to a little less than 1 in floating point

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """The values in a random order (Fisher and Yates)."""
        order = list(values)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order
