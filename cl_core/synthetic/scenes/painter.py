"""A scene as pixels, in one of six drawing styles.

Edges are smooth: a pixel's share of a part is how far its middle lies inside, clipped to one pixel. All is computed in
float64 from documented functions of the scene, so the same scene gives the same picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cl_core.synthetic.scenes.figures import FIGURES, Part
from cl_core.synthetic.scenes.scene import COLOURS, Scene, Thing
from cl_core.synthetic.scenes.shapes import Array

SIDE = 64
"""Pixels of a picture's side."""

_PAPER = {
    "paper": ((246, 243, 235), (238, 233, 222)),
    "sky": ((176, 216, 240), (226, 241, 250)),
    "meadow": ((196, 226, 240), (160, 200, 130)),
    "sand": ((240, 228, 200), (222, 200, 156)),
    "dusk": ((92, 88, 130), (198, 150, 150)),
}
"""Colours of the top and of the bottom of each background."""
_SHADES = {"main": 0.0, "light": 0.55, "dark": -0.45}
_NIGHT = (14, 14, 30)


@dataclass(frozen=True)
class _Grid:
    """Middles of the pixels: x, y in units of the side; for crayon, two smooth random fields in about -1..1."""

    x: Array
    y: Array
    noise: Array
    other: Array

    def window(self, rows: slice, columns: slice) -> _Grid:
        """Some of the pixels."""
        here = rows, columns
        return _Grid(self.x[here], self.y[here], self.noise[here], self.other[here])


def paint(scene: Scene, side: int = SIDE) -> NDArray[np.uint8]:
    """(side, side, 3) sRGB pixels of a scene."""
    middle = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(middle, middle)
    grain = (_field(scene.grain + n, x, y) if scene.style == "crayon" else x for n in range(2))
    grid = _Grid(x, y, *grain)
    picture = _ground(scene, grid)
    for thing in scene.things:
        rows, columns = _around(thing.y, thing, side), _around(thing.x, thing, side)
        near = grid.window(rows, columns)
        painted = _PAINTERS[scene.style](picture[rows, columns], thing, near, 1 / side)
        picture[rows, columns] = painted
    if scene.style == "mosaic":
        picture = _tiles(picture, side)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _around(middle: float, thing: Thing, side: int) -> slice:
    """The pixels of one axis that a thing may reach, with its glow or its shadow."""
    reach = 1.25 * thing.radius + 0.16
    return slice(max(0, int((middle - reach) * side)), max(0, int((middle + reach) * side) + 1))


def _ground(scene: Scene, grid: _Grid) -> Array:
    """The background in its style: bare paper for outlines, night for neon."""
    top, bottom = (np.array(colour, dtype=float) for colour in _PAPER[scene.background])
    if scene.style == "neon":
        return np.broadcast_to(np.array(_NIGHT) + 0.12 * top, (*grid.x.shape, 3)).copy()
    if scene.style == "outline":
        return np.broadcast_to(0.25 * top + 0.75 * 255.0, (*grid.x.shape, 3)).copy()
    share = grid.y[..., None]
    if scene.background == "meadow":  # a horizon
        share = np.clip((share - 0.62) * 40, 0, 1)
    ground: Array = top + (bottom - top) * share
    if scene.style == "crayon":
        ground = ground + 10 * grid.noise[..., None]
    return ground


def _flat(picture: Array, thing: Thing, grid: _Grid, pixel: float) -> Array:
    for part, distance in _parts(thing, grid.x, grid.y):
        colour = _textured(thing, part, grid.x, grid.y)
        picture = _over(picture, colour, _inside(distance, pixel))
    return picture


def _outline(picture: Array, thing: Thing, grid: _Grid, pixel: float) -> Array:
    base = np.array(COLOURS[thing.colour], dtype=float)
    for part, distance in _parts(thing, grid.x, grid.y):
        inside = _inside(distance, pixel)
        wash = _textured(thing, part, grid.x, grid.y)
        picture = _over(picture, 0.35 * wash + 0.65 * 255.0, inside)
        picture = _over(picture, 0.7 * base, _inside(np.abs(distance) - 0.9 * pixel, pixel))
    return picture


def _shaded(picture: Array, thing: Thing, grid: _Grid, pixel: float) -> Array:
    parts = _parts(thing, grid.x - 0.03, grid.y - 0.04)
    shadow = np.minimum.reduce([distance for _, distance in parts])
    picture = picture * (1 - 0.35 * np.clip(0.5 - shadow / (4 * pixel), 0, 1)[..., None])
    u, v = (grid.x - thing.x) / thing.radius, (grid.y - thing.y) / thing.radius
    light = np.clip(1.15 - 0.55 * np.hypot(u + 0.4, v + 0.45), 0.45, 1.25)[..., None]
    for part, distance in _parts(thing, grid.x, grid.y):
        colour = _textured(thing, part, grid.x, grid.y) * light
        gleam = np.clip(1 - np.hypot(u + 0.35, v + 0.4) / 0.35, 0, 1)[..., None] ** 2
        picture = _over(picture, np.minimum(colour + 90 * gleam, 255.0), _inside(distance, pixel))
    return picture


def _crayon(picture: Array, thing: Thing, grid: _Grid, pixel: float) -> Array:
    wobble = 0.016 * grid.noise
    x, y = grid.x + wobble, grid.y + 0.016 * grid.other
    strokes = np.sin((grid.x * 0.8 + grid.y) * 150 + 5 * grid.noise)
    cover = np.clip(0.78 + 0.22 * strokes + 0.25 * grid.noise, 0.35, 1)
    for part, distance in _parts(thing, x, y):
        colour = _textured(thing, part, x, y)
        picture = _over(picture, colour, _inside(distance, pixel) * cover)
        edge = _inside(np.abs(distance) - 0.6 * pixel, pixel) * 0.6
        picture = _over(picture, 0.75 * colour, edge)
    return picture


def _neon(picture: Array, thing: Thing, grid: _Grid, pixel: float) -> Array:
    base = np.array(COLOURS[thing.colour], dtype=float)
    bright = base * min(255 / base.max(), 1.2)  # brown stays darker than orange
    for part, distance in _parts(thing, grid.x, grid.y):
        glow = np.exp(-np.maximum(np.abs(distance), 0) / (3.0 * pixel))[..., None]
        fill = 0.35 * _textured(thing, part, grid.x, grid.y)
        picture = _over(picture, fill, 0.8 * _inside(distance, pixel))
        picture = picture + 0.75 * bright * glow
        line = _inside(np.abs(distance) - 0.8 * pixel, pixel)
        picture = _over(picture, 0.6 * bright + 0.4 * 255.0, line)
    return np.minimum(picture, 255.0)


_PAINTERS = {
    "flat": _flat,
    "outline": _outline,
    "shaded": _shaded,
    "crayon": _crayon,
    "neon": _neon,
    "mosaic": _flat,
}


def _parts(thing: Thing, x: Array, y: Array) -> list[tuple[Part, Array]]:
    """Each part of a thing with its distance, in units of the side."""
    u, v = _local(thing, x, y)
    return [(part, part.distance(u, v) * thing.radius) for part in FIGURES[thing.figure]]


def _local(thing: Thing, x: Array, y: Array) -> tuple[Array, Array]:
    """Points in the thing's own coordinates, where it fills the unit circle."""
    u, v = (x - thing.x) / thing.radius, (y - thing.y) / thing.radius
    cos, sin = math.cos(thing.turn), math.sin(thing.turn)
    return cos * u + sin * v, cos * v - sin * u


def _inside(distance: Array, pixel: float) -> Array:
    """A pixel's share inside, 0 to 1."""
    return np.clip(0.5 - distance / pixel, 0.0, 1.0)


def _over(picture: Array, colour: Array, share: Array) -> Array:
    """The colour laid over the picture."""
    return picture + (colour - picture) * share[..., None]


def _textured(thing: Thing, part: Part, x: Array, y: Array) -> Array:
    """(..., 3) colours of a part: its tone of the thing's colour, with the thing's texture on the main part."""
    base = np.array(COLOURS[thing.colour], dtype=float)
    shade = np.full(x.shape, _SHADES[part.tone])
    if part.tone == "main" and thing.texture != "plain":
        # Patterns are of the picture's scale, so that they can be seen on small things too.
        u, v = (x - thing.x) * 16, (y - thing.y) * 16
        match thing.texture:
            case "striped":
                mark = np.sin(2 * math.pi * (u + v) * 0.8)
            case "dotted":
                mark = 1.2 - 4.2 * np.hypot(u - np.rint(u), v - np.rint(v))
            case _:
                mark = np.sin(2 * math.pi * u * 0.6) * np.sin(2 * math.pi * v * 0.6) * 4
        shade = shade + 0.6 * np.clip(2 * mark, 0, 1)
    share = np.clip(np.abs(shade), 0, 1)[..., None]
    towards = np.where(shade[..., None] >= 0, 255.0, 0.0)
    colours: Array = base + (towards - base) * share
    return colours


def _tiles(picture: Array, side: int) -> Array:
    """Square tiles, 21 in a row, each its mean, with the joints a little darker."""
    edge = max(2, side // 21)
    count = -(-side // edge)
    padded = np.pad(picture, ((0, count * edge - side), (0, count * edge - side), (0, 0)), "edge")
    means = padded.reshape(count, edge, count, edge, 3).mean(axis=(1, 3))
    tiles = np.repeat(np.repeat(means, edge, axis=0), edge, axis=1)[:side, :side]
    joint = (np.arange(side) % edge == edge - 1)[:, None] | (np.arange(side) % edge == edge - 1)
    return np.where(joint[..., None], tiles * 0.82, tiles)


def _field(seed: int, x: Array, y: Array) -> Array:
    """A smooth random field: a sum of waves whose directions and phases come from the seed, in about -1..1."""
    total = np.zeros(x.shape)
    state = seed * 2654435761 % 2**32
    for _ in range(6):
        numbers = []
        for _ in range(3):
            state = (state * 1664525 + 1013904223) % 2**32
            numbers.append(state / 2**32)
        angle, phase, scale = numbers[0] * math.tau, numbers[1] * math.tau, 12 + 40 * numbers[2]
        total += np.sin(scale * (math.cos(angle) * x + math.sin(angle) * y) + phase)
    return total / 3.5
