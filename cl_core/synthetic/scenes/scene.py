"""What a scene is: things with attributes, before a background, drawn in a style; and how scenes are drawn by lot.

Positions and sizes are in units of the picture's side: x to the right, y down, both 0 to 1; a thing's size is the
radius of the circle that it fills.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.figures import FIGURES, SHAPES

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 50, 47),
    "orange": (242, 140, 40),
    "yellow": (244, 208, 63),
    "green": (62, 160, 85),
    "blue": (48, 105, 200),
    "purple": (135, 80, 180),
    "pink": (240, 130, 170),
    "brown": (130, 85, 50),
}
"""Name to sRGB."""
TEXTURES = ("plain", "striped", "dotted", "checked")
BACKGROUNDS = ("paper", "sky", "meadow", "sand", "dusk")
STYLES = ("flat", "outline", "shaded", "crayon", "neon", "mosaic")
SIZES: dict[str, tuple[float, float]] = {
    "small": (0.10, 0.13),
    "big": (0.18, 0.23),
    "huge": (0.28, 0.36),
}
"""Name to the range of radii; huge things stand alone."""
_MARGIN, _GAP, _TRIES = 0.03, 0.02, 60


@dataclass(frozen=True)
class Thing:
    """One figure in a scene.

    Attributes:
        figure: a name in FIGURES.
        colour: a name in COLOURS.
        texture: a name in TEXTURES.
        size: a name in SIZES.
        x: of its middle.
        y: of its middle.
        radius: in the range of its size.
        turn: radians, clockwise.
    """

    figure: str
    colour: str
    texture: str
    size: str
    x: float
    y: float
    radius: float
    turn: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Things before a background.

    Attributes:
        things: those behind first.
        background: a name in BACKGROUNDS.
        style: a name in STYLES.
        grain: seeds the strokes and the paper of styles that have some.
    """

    things: tuple[Thing, ...]
    background: str
    style: str
    grain: int = 0


def draw_scene(
    draw: Draw,
    count: int,
    styles: Sequence[str] = STYLES,
    figures: Sequence[str] = tuple(SHAPES),
    colours: Sequence[str] = tuple(COLOURS),
    sizes: Sequence[str] = ("small", "big"),
    plain: bool = False,
) -> Scene:
    """A scene of `count` things that do not touch, every attribute drawn evenly and by itself.

    Fewer things are drawn where no room for the next is found. `plain` things have no texture and lie on paper.
    """
    textures, backgrounds = (TEXTURES, BACKGROUNDS) if not plain else (("plain",), ("paper",))
    things: list[Thing] = []
    for _ in range(count):
        figure, colour = draw.choice(figures), draw.choice(colours)
        texture, size = draw.choice(textures), draw.choice(sizes)
        for _ in range(_TRIES):
            low, high = SIZES[size]
            radius = draw.between(low, high)
            edge = radius + _MARGIN
            x, y = draw.between(edge, 1 - edge), draw.between(edge, 1 - edge)
            free = all(
                math.hypot(x - other.x, y - other.y) > radius + other.radius + _GAP
                for other in things
            )
            if free:
                # Plain shapes may lie at an angle; things stand upright, as they do.
                turn = draw.between(-0.35, 0.35) if figure in SHAPES else 0.0
                things.append(Thing(figure, colour, texture, size, x, y, radius, turn))
                break
    return Scene(tuple(things), draw.choice(backgrounds), draw.choice(styles), draw.below(2**31))


__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "FIGURES",
    "SIZES",
    "STYLES",
    "TEXTURES",
    "Scene",
    "Thing",
    "draw_scene",
]
