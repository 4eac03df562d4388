"""Short clips of moving things, and questions that one frame alone does not answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.captions import NUMBERS
from cl_core.synthetic.scenes.figures import SHAPES
from cl_core.synthetic.scenes.scene import STYLES, Scene, Thing, draw_scene

FRAMES = 8
"""Frames of a clip."""
WAYS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}
_SHAPES = tuple(SHAPES)
_FAR, _FLOOR = 0.42, 0.82
_MOST_BOUNCES = 3  # a fourth would fall between the frames

Path = Callable[[float], tuple[float, float]]
"""Time in 0..1 -> how far a thing has moved from where it began, (dx, dy)."""


@dataclass(frozen=True)
class SceneClip:
    """A scene in time, with a question about it.

    Attributes:
        frames: FRAMES scenes, evenly spaced in time.
        question: in words.
        answer: the right one, among the family's answers.
    """

    frames: tuple[Scene, ...]
    question: str
    answer: str


@dataclass(frozen=True)
class ClipFamily:
    """A kind of question about clips.

    Attributes:
        title: for people.
        answers: all that there are, in order.
        ask: (draw, answer, styles) -> the clip.
    """

    title: str
    answers: tuple[str, ...]
    ask: Callable[[Draw, str, Sequence[str]], SceneClip]


def _what_moved(draw: Draw, answer: str, styles: Sequence[str]) -> SceneClip:
    """One of three things slides; the others stay."""
    scene = _stage(draw, _with(draw, answer, 3), styles)
    way = draw.choice(tuple(WAYS))
    return _film(scene, {0: _slide(way)}, "What moved?", answer)


def _which_way(draw: Draw, answer: str, styles: Sequence[str]) -> SceneClip:
    """Two things slide in different ways; the question names one."""
    figures = draw.shuffled(_SHAPES)[:2]
    scene = _stage(draw, figures, styles)
    other = draw.choice([way for way in WAYS if way != answer])
    moves = {0: _slide(answer), 1: _slide(other)}
    return _film(scene, moves, f"Which way did the {figures[0]} move?", answer)


def _what_first(draw: Draw, answer: str, styles: Sequence[str]) -> SceneClip:
    """Two things slide, one after the other; the third stays."""
    scene = _stage(draw, _with(draw, answer, 3), styles)
    early, late = _slide(draw.choice(tuple(WAYS))), _slide(draw.choice(tuple(WAYS)))
    moves = {0: _during(early, 0.0, 0.45), 1: _during(late, 0.55, 1.0)}
    return _film(scene, moves, "What moved first?", answer)


def _how_often(draw: Draw, answer: str, styles: Sequence[str]) -> SceneClip:
    """A thing bounces along the floor."""
    figure = draw.choice(_SHAPES)
    scene = _stage(draw, [figure], styles)
    times = NUMBERS.index(answer)
    thing = replace(scene.things[0], x=0.2, y=_FLOOR - 0.45, turn=0.0)
    mirrored = draw.chance(0.5)
    thing = replace(thing, x=1 - thing.x) if mirrored else thing
    scene = replace(scene, things=(thing,))
    moves = {0: _bounce(times, -1.0 if mirrored else 1.0)}
    return _film(scene, moves, f"How often did the {figure} bounce?", answer)


CLIP_FAMILIES: dict[str, ClipFamily] = {
    "what-moved": ClipFamily("What moved?", _SHAPES, _what_moved),
    "which-way": ClipFamily("Which way did it move?", tuple(WAYS), _which_way),
    "what-first": ClipFamily("What moved first?", _SHAPES, _what_first),
    "how-often": ClipFamily("How often did it bounce?", NUMBERS[: _MOST_BOUNCES + 1], _how_often),
}
"""Kinds of questions about clips by name."""


def ask_clip(family: str, draw: Draw, answer: str, styles: Sequence[str] = STYLES) -> SceneClip:
    """A clip of a family whose question has the given answer."""
    return CLIP_FAMILIES[family].ask(draw, answer, styles)


def _with(draw: Draw, figure: str, count: int) -> list[str]:
    """`figure` and others, all different."""
    others = [shape for shape in draw.shuffled(_SHAPES) if shape != figure]
    return [figure, *others[: count - 1]]


def _stage(draw: Draw, figures: Sequence[str], styles: Sequence[str]) -> Scene:
    """Small things of these shapes, one each."""
    while True:
        scene = draw_scene(draw, len(figures), styles=styles, sizes=("small",))
        if len(scene.things) == len(figures):
            named = zip(scene.things, figures, strict=True)
            return replace(
                scene, things=tuple(replace(thing, figure=figure) for thing, figure in named)
            )


def _film(scene: Scene, moves: Mapping[int, Path], question: str, answer: str) -> SceneClip:
    """The scene at FRAMES points in time; moves are by the thing's place in the scene."""
    things = list(scene.things)
    for index, path in moves.items():
        things[index] = _fit(things[index], path)
    frames = []
    for number in range(FRAMES):
        time = number / (FRAMES - 1)
        now = list(things)
        for index, path in moves.items():
            dx, dy = path(time)
            now[index] = replace(now[index], x=now[index].x + dx, y=now[index].y + dy)
        frames.append(replace(scene, things=tuple(now)))
    return SceneClip(tuple(frames), question, answer)


def _fit(thing: Thing, path: Path) -> Thing:
    """The thing, begun where its whole path stays in the picture."""
    steps = [path(number / (FRAMES - 1)) for number in range(FRAMES)]

    def begin(start: float, offsets: list[float]) -> float:
        low, high = thing.radius - min(offsets), 1 - thing.radius - max(offsets)
        return min(max(start, low), high)

    return replace(
        thing,
        x=begin(thing.x, [dx for dx, _ in steps]),
        y=begin(thing.y, [dy for _, dy in steps]),
    )


def _slide(way: str) -> Path:
    """A straight way, even speed."""
    dx, dy = WAYS[way]
    return lambda time: (_FAR * time * dx, _FAR * time * dy)


def _during(path: Path, begin: float, end: float) -> Path:
    """A path walked between two moments; at rest before and after."""
    return lambda time: path(min(max((time - begin) / (end - begin), 0.0), 1.0))


def _bounce(times: int, side: float) -> Path:
    """From a height down to the floor `times` times, moving sideways."""

    def path(time: float) -> tuple[float, float]:
        # |cos| begins at the top and touches 0, the floor, once in every half turn.
        return 0.55 * side * time, 0.45 * (1 - abs(math.cos(math.pi * times * time)))

    return path
