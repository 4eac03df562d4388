"""What can stand in a scene: figures made of a few parts, each within the unit circle around the origin.

A part is a distance with a tone: "main" is painted in the figure's own colour, "light" and "dark" in shades of it, so
that a figure has one colour that can be asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cl_core.synthetic.scenes.shapes import (
    Distance,
    both,
    box,
    disc,
    polygon,
    regular,
    star,
    union,
    without,
)

Tone = Literal["main", "light", "dark"]


@dataclass(frozen=True)
class Part:
    """One piece of a figure.

    Attributes:
        distance: signed, in the figure's own coordinates.
        tone: which shade of the figure's colour it has.
    """

    distance: Distance
    tone: Tone = "main"


def _heart() -> Distance:
    lobes = union(disc(0.5, -0.44, -0.3), disc(0.5, 0.44, -0.3))
    tip = polygon([(-0.88, -0.08), (0.0, -0.35), (0.88, -0.08), (0.0, 0.92)])
    return union(lobes, tip)


def _around(count: int, radius: float) -> list[tuple[float, float]]:
    """Points on a circle, the first at the top."""
    angles = [2 * math.pi * i / count - math.pi / 2 for i in range(count)]
    return [(radius * math.cos(a), radius * math.sin(a)) for a in angles]


SHAPES: dict[str, tuple[Part, ...]] = {
    "circle": (Part(disc(0.86)),),
    "square": (Part(box(1.5, 1.5, corner=0.06)),),
    "triangle": (Part(polygon([(0.0, -0.92), (0.9, 0.72), (-0.9, 0.72)])),),
    "star": (Part(star(5)),),
    "heart": (Part(_heart()),),
    "ring": (Part(without(disc(0.9), disc(0.5))),),
    "cross": (Part(union(box(1.7, 0.6), box(0.6, 1.7))),),
    "hexagon": (Part(regular(6, 0.95)),),
    "moon": (Part(without(disc(0.9), disc(0.78, 0.45, -0.2))),),
    "diamond": (Part(polygon([(0.0, -0.98), (0.68, 0.0), (0.0, 0.98), (-0.68, 0.0)])),),
}
"""Plain shapes: what questions are about."""

THINGS: dict[str, tuple[Part, ...]] = {
    "house": (
        Part(box(1.3, 1.0, 0.0, 0.4)),
        Part(polygon([(-0.9, -0.05), (0.0, -0.9), (0.9, -0.05)]), "dark"),
        Part(box(0.34, 0.56, 0.22, 0.62), "dark"),
        Part(box(0.34, 0.34, -0.3, 0.3), "light"),
    ),
    "tree": (
        Part(box(0.26, 0.7, 0.0, 0.58), "dark"),
        Part(polygon([(0.0, -0.3), (0.75, 0.42), (-0.75, 0.42)])),
        Part(polygon([(0.0, -0.95), (0.55, -0.05), (-0.55, -0.05)]), "light"),
    ),
    "boat": (
        Part(polygon([(-0.95, 0.35), (0.95, 0.35), (0.6, 0.85), (-0.6, 0.85)])),
        Part(box(0.08, 1.2, -0.05, -0.25), "dark"),
        Part(polygon([(0.05, -0.85), (0.8, 0.2), (0.05, 0.2)]), "light"),
        Part(polygon([(-0.15, -0.6), (-0.15, 0.2), (-0.7, 0.2)]), "light"),
    ),
    "fish": (
        Part(polygon([(-0.45, 0.0), (-0.98, -0.5), (-0.98, 0.5)]), "dark"),
        Part(both(disc(0.95, 0.1, 0.55), disc(0.95, 0.1, -0.55))),
        Part(disc(0.1, 0.5, -0.1), "light"),
    ),
    "flower": (
        Part(box(0.14, 1.1, 0.0, 0.45), "dark"),
        Part(union(*(disc(0.34, x, y - 0.35) for x, y in _around(5, 0.4)))),
        Part(disc(0.26, 0.0, -0.35), "light"),
    ),
    "car": (
        Part(box(1.9, 0.55, 0.0, 0.22, corner=0.16)),
        Part(polygon([(-0.6, 0.0), (-0.35, -0.5), (0.4, -0.5), (0.72, 0.0)]), "light"),
        Part(union(disc(0.27, -0.5, 0.5), disc(0.27, 0.5, 0.5)), "dark"),
    ),
    "balloon": (
        Part(disc(0.66, 0.0, -0.3)),
        Part(disc(0.18, -0.22, -0.52), "light"),
        Part(polygon([(0.0, 0.3), (0.14, 0.48), (-0.14, 0.48)]), "dark"),
        Part(box(0.06, 0.5, 0.0, 0.72), "dark"),
    ),
    "mushroom": (
        Part(box(0.5, 0.85, 0.0, 0.42, corner=0.16), "light"),
        Part(both(disc(0.92, 0.0, 0.05), box(2.0, 1.0, 0.0, -0.45))),
        Part(
            union(disc(0.14, -0.42, -0.32), disc(0.17, 0.1, -0.5), disc(0.12, 0.52, -0.25)), "light"
        ),
    ),
    "rocket": (
        Part(polygon([(-0.75, 0.8), (-0.3, 0.1), (0.3, 0.1), (0.75, 0.8)]), "dark"),
        Part(both(disc(1.0, 0.62, 0.0), disc(1.0, -0.62, 0.0))),
        Part(disc(0.18, 0.0, -0.15), "light"),
    ),
    "cat": (
        Part(polygon([(-0.78, -0.9), (-0.15, -0.45), (-0.72, 0.0)]), "dark"),
        Part(polygon([(0.78, -0.9), (0.72, 0.0), (0.15, -0.45)]), "dark"),
        Part(disc(0.78, 0.0, 0.12)),
        Part(union(disc(0.13, -0.3, 0.0), disc(0.13, 0.3, 0.0)), "light"),
        Part(polygon([(-0.12, 0.3), (0.12, 0.3), (0.0, 0.46)]), "dark"),
    ),
}
"""Things with parts: what images are classified by."""

FIGURES: dict[str, tuple[Part, ...]] = {**SHAPES, **THINGS}
