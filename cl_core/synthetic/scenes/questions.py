"""Questions about scenes, each with one right answer that can be read off the scene.

Answers are drawn first and scenes made to fit, so that within a family all answers are equally common and none can be
guessed from the question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.captions import NUMBERS, plural, relation
from cl_core.synthetic.scenes.figures import SHAPES
from cl_core.synthetic.scenes.scene import COLOURS, STYLES, Scene, Thing, draw_scene

_SHAPES, _COLOURS = tuple(SHAPES), tuple(COLOURS)
_MOST, _CLEAR = 5, 0.1
_YES_NO = ("no", "yes")


@dataclass(frozen=True)
class SceneQuestion:
    """A question about a scene.

    Attributes:
        scene: what it is about.
        question: in words.
        answer: the right one, among the family's answers.
    """

    scene: Scene
    question: str
    answer: str


@dataclass(frozen=True)
class Family:
    """A kind of question.

    Attributes:
        title: for people.
        answers: all that there are, in order.
        ask: (draw, answer, styles) -> the question, or None where the scene drawn does not fit.
    """

    title: str
    answers: tuple[str, ...]
    ask: Callable[[Draw, str, Sequence[str]], SceneQuestion | None]


def _colour(draw: Draw, answer: str, styles: Sequence[str]) -> SceneQuestion | None:
    """The colour of the one thing of its shape."""
    figures = draw.shuffled(_SHAPES)[:3]
    scene = _of(draw, [(figures[0], answer), (figures[1], None), (figures[2], None)], styles)
    return _asked(scene, f"What colour is the {figures[0]}?", answer)


def _shape(draw: Draw, answer: str, styles: Sequence[str]) -> SceneQuestion | None:
    """The shape of the one thing of its colour."""
    colours = draw.shuffled(_COLOURS)[:3]
    others = [shape for shape in _SHAPES if shape != answer]
    rest = [(draw.choice(others), colour) for colour in colours[1:]]
    scene = _of(draw, [(answer, colours[0]), *rest], styles)
    return _asked(scene, f"What shape is the {colours[0]} thing?", answer)


def _count(draw: Draw, answer: str, styles: Sequence[str]) -> SceneQuestion | None:
    """How many there are of a shape, or of a colour."""
    wanted = NUMBERS.index(answer)
    total = max(wanted, 1 + draw.below(_MOST))
    if draw.chance(0.5):
        shape = draw.choice(_SHAPES)
        others = [other for other in _SHAPES if other != shape]
        things: list[tuple[str, str | None]] = [(shape, None)] * wanted
        things += [(draw.choice(others), None) for _ in range(total - wanted)]
        question = f"How many {plural(shape)} are there?"
    else:
        colour = draw.choice(_COLOURS)
        rest = [other for other in _COLOURS if other != colour]
        things = [(draw.choice(_SHAPES), colour) for _ in range(wanted)]
        things += [(draw.choice(_SHAPES), draw.choice(rest)) for _ in range(total - wanted)]
        question = f"How many {colour} things are there?"
    scene = _of(draw, things, styles, sizes=("small",))
    return _asked(scene, question, answer)


def _relation(draw: Draw, answer: str, styles: Sequence[str]) -> SceneQuestion | None:
    """Whether one thing lies so to another."""
    first, second = draw.shuffled(_SHAPES)[:2]
    scene = _of(draw, [(first, None), (second, None)], styles)
    if scene is None:
        return None
    one, other = _named(scene, first, second)
    if abs(abs(one.x - other.x) - abs(one.y - other.y)) < _CLEAR:
        return None
    true = relation(one, other)
    opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    said = true if answer == "yes" else opposite[true]
    return SceneQuestion(scene, f"Is the {first} {said} the {second}?", answer)


def _comparison(draw: Draw, answer: str, styles: Sequence[str]) -> SceneQuestion | None:
    """Whether two things have one colour, or whether there are more of one shape than of another."""
    first, second = draw.shuffled(_SHAPES)[:2]
    things: list[tuple[str, str | None]]
    if draw.chance(0.5):
        one, other = draw.shuffled(_COLOURS)[:2]
        things = [(first, one), (second, one if answer == "yes" else other)]
        question = f"Do the {first} and the {second} have the same colour?"
        scene = _of(draw, things, styles)
    else:
        more, fewer = 2 + draw.below(2), 1 + draw.below(2)
        if more <= fewer:
            more, fewer = fewer + 1, more
        counts = (more, fewer) if answer == "yes" else (fewer, more)
        things = [
            (figure, None)
            for figure, n in zip((first, second), counts, strict=True)
            for _ in range(n)
        ]
        question = f"Are there more {plural(first)} than {plural(second)}?"
        scene = _of(draw, things, styles, sizes=("small",))
    return _asked(scene, question, answer)


FAMILIES: dict[str, Family] = {
    "colour": Family("What colour is it?", _COLOURS, _colour),
    "shape": Family("What shape is it?", _SHAPES, _shape),
    "count": Family("How many are there?", NUMBERS[: _MOST + 1], _count),
    "relation": Family("How do they lie to each other?", _YES_NO, _relation),
    "comparison": Family("How do they compare?", _YES_NO, _comparison),
}
"""Kinds of questions by name."""


def ask(family: str, draw: Draw, answer: str, styles: Sequence[str] = STYLES) -> SceneQuestion:
    """A question of a family with the given answer, about a scene in one of the styles."""
    while True:
        asked = FAMILIES[family].ask(draw, answer, styles)
        if asked is not None:
            return asked


def _asked(scene: Scene | None, question: str, answer: str) -> SceneQuestion | None:
    return None if scene is None else SceneQuestion(scene, question, answer)


def _of(
    draw: Draw,
    things: Sequence[tuple[str, str | None]],
    styles: Sequence[str],
    sizes: Sequence[str] = ("small", "big"),
) -> Scene | None:
    """A scene with things of these shapes and colours (None: any); None where there was no room for all."""
    scene = draw_scene(draw, len(things), styles=styles, sizes=sizes)
    if len(scene.things) < len(things):
        return None
    drawn = [
        replace(thing, figure=figure, colour=colour or thing.colour)
        for thing, (figure, colour) in zip(scene.things, things, strict=True)
    ]
    return replace(scene, things=tuple(draw.shuffled(drawn)))


def _named(scene: Scene, *figures: str) -> list[Thing]:
    """The things of these shapes, each the only one."""
    return [next(thing for thing in scene.things if thing.figure == figure) for figure in figures]
