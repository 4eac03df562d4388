"""Signed distances to plane shapes: negative inside, 0 on the edge, positive outside.

Points are given as two arrays of one shape, x to the right and y down. Sources: the distances to boxes and polygons are
Quilez' (iquilezles.org, "2D distance functions"); the rest follows from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Distance = Callable[[Array, Array], Array]
"""(x, y) -> distance, all of one shape."""


def disc(radius: float, x: float = 0.0, y: float = 0.0) -> Distance:
    """A filled circle."""

    def distance(px: Array, py: Array) -> Array:
        signed: Array = np.hypot(px - x, py - y) - radius
        return signed

    return distance


def box(
    width: float, height: float, x: float = 0.0, y: float = 0.0, corner: float = 0.0
) -> Distance:
    """A rectangle around (x, y), with corners of the given radius."""

    def distance(px: Array, py: Array) -> Array:
        dx = np.abs(px - x) - width / 2 + corner
        dy = np.abs(py - y) - height / 2 + corner
        outside = np.hypot(np.maximum(dx, 0.0), np.maximum(dy, 0.0))
        signed: Array = outside + np.minimum(np.maximum(dx, dy), 0.0) - corner
        return signed

    return distance


def polygon(points: Sequence[tuple[float, float]]) -> Distance:
    """A closed polygon; its sides may not cross."""

    def distance(px: Array, py: Array) -> Array:
        nearest = np.full(px.shape, np.inf)
        sign = np.ones(px.shape)
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
            ex, ey, wx, wy = bx - ax, by - ay, px - ax, py - ay
            along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0.0, 1.0)
            nearest = np.minimum(nearest, (wx - along * ex) ** 2 + (wy - along * ey) ** 2)
            above, below, left = py >= ay, py < by, ex * wy > ey * wx
            crosses = (above & below & left) | (~above & ~below & ~left)
            sign = np.where(crosses, -sign, sign)
        signed: Array = sign * np.sqrt(nearest)
        return signed

    return distance


def regular(corners: int, radius: float = 1.0, turn: float = 0.0) -> Distance:
    """A regular polygon, one corner at the top when `turn` (radians) is 0."""
    angles = [turn - math.pi / 2 + 2 * math.pi * i / corners for i in range(corners)]
    return polygon([(radius * math.cos(a), radius * math.sin(a)) for a in angles])


def star(tips: int, outer: float = 1.0, inner: float = 0.45) -> Distance:
    """A star, one tip at the top."""
    angles = [-math.pi / 2 + math.pi * i / tips for i in range(2 * tips)]
    radii = [outer, inner] * tips
    return polygon([(r * math.cos(a), r * math.sin(a)) for a, r in zip(angles, radii, strict=True)])


def union(*parts: Distance) -> Distance:
    """What lies in any of the parts."""

    def distance(px: Array, py: Array) -> Array:
        signed: Array = np.minimum.reduce([part(px, py) for part in parts])
        return signed

    return distance


def without(whole: Distance, hole: Distance) -> Distance:
    """What lies in the whole and not in the hole."""

    def distance(px: Array, py: Array) -> Array:
        return np.maximum(whole(px, py), -hole(px, py))

    return distance


def both(first: Distance, second: Distance) -> Distance:
    """What lies in both."""

    def distance(px: Array, py: Array) -> Array:
        return np.maximum(first(px, py), second(px, py))

    return distance
