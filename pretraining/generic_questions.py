"""Generic questions about drawn scenes and clips: what `scene-qa` is trained on before any task.

Captions with one word left out, and questions of kinds that the built-in streams do not ask. Scenes are drawn under
other names than those of the streams. The same seed and number give the same question.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from cl_core.backbones.visual import Medium
from cl_core.tasks.draw import Draw
from cl_core.tasks.encode import animation, png
from cl_core.tasks.scenes.captions import MANNERS, NUMBERS, PLACES, caption, relation
from cl_core.tasks.scenes.clips import WAYS, ask_clip
from cl_core.tasks.scenes.figures import FIGURES, SHAPES
from cl_core.tasks.scenes.paint import paint
from cl_core.tasks.scenes.scene import COLOURS, TEXTURES, Scene, Thing, draw_scene

BLANK = "what"
KINDS: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "figure": tuple(FIGURES),
    "number": NUMBERS,
    "way": tuple(WAYS),
    "relation": ("left", "right", "above", "below"),
    "place": tuple(PLACES),
    "manner": tuple(MANNERS),
    "texture": TEXTURES,
    "size": ("small", "big"),
    "yes or no": ("no", "yes"),
}
"""Answers, by what they say."""
ANSWERS = tuple(dict.fromkeys(word for words in KINDS.values() for word in words))


@dataclass(frozen=True)
class Asked:
    """A question about a picture or a clip.

    Attributes:
        medium: which of the two.
        shown: its bytes.
        question: in words.
        answer: the right one.
        kind: what the answer says.
    """

    medium: Medium
    shown: bytes
    question: str
    answer: str
    kind: str


def lot(seed: int, number: int) -> Asked:
    """Of every four one is a clip, one a question about a scene, two a caption with a word left out."""
    draw = Draw("scene-questions", seed, number)
    match number % 4:
        case 3:
            return _clip(draw)
        case 2:
            return _question(draw)
        case _:
            return _caption(draw)


def _clip(draw: Draw) -> Asked:
    """Two things slide in different ways: which way goes the one, or which of them goes this way?"""
    way = draw.choice(tuple(WAYS))
    clip = ask_clip("which-way", draw, way)
    figure = clip.question.removeprefix("Which way did the ").removesuffix(" move?")
    shown = animation([paint(frame) for frame in clip.frames], 0.25)
    if draw.chance(0.5):
        return Asked("video", shown, f"the {figure} slides {BLANK}", way, "way")
    return Asked("video", shown, f"the {BLANK} slides {way}", figure, "figure")


def _caption(draw: Draw) -> Asked:
    """A true sentence about a scene, without one of its words."""
    while True:
        alone = draw.chance(0.3)
        scene = (
            draw_scene(draw, 1, sizes=("big", "huge"))
            if alone
            else draw_scene(draw, 1 + draw.below(4))
        )
        words = caption(scene, draw).split()
        kinds = {place: kind for place, word in enumerate(words) if (kind := _kind(word))}
        if kinds:
            kind = draw.choice(tuple(dict.fromkeys(kinds.values())))
            place = draw.choice([place for place in kinds if kinds[place] == kind])
            answer, words[place] = words[place], BLANK
            return Asked("image", png(paint(scene)), " ".join(words), answer, kind)


def _kind(word: str) -> str | None:
    return next((kind for kind, words in KINDS.items() if word in words), None)


def _question(draw: Draw) -> Asked:
    """About one thing of a scene, its place or how it is drawn."""
    while True:
        scene = draw_scene(draw, 2 + draw.below(2), figures=draw.shuffled(tuple(SHAPES))[:6])
        one, other = scene.things[:2] if len(scene.things) > 1 else (None, None)
        names = [thing.figure for thing in scene.things]
        if one is None or other is None or len(set(names)) < len(names):
            continue
        question, answer, kind = _about(draw, scene, one, other)
        return Asked("image", png(paint(scene)), question, answer, kind)


def _about(draw: Draw, scene: Scene, one: Thing, other: Thing) -> tuple[str, str, str]:
    match draw.below(6):
        case 0:
            return f"How is the {one.figure} patterned?", one.texture, "texture"
        case 1:
            return f"How large is the {one.figure}?", one.size, "size"
        case 2:
            return "Where is this?", scene.background, "place"
        case 3:
            return "How is this drawn?", scene.style, "manner"
        case 4:
            where = relation(one, other)
            word = where.split()[0]
            rest = where.removeprefix(word)
            return f"The {one.figure} is {BLANK}{rest} the {other.figure}.", word, "relation"
        case _:
            there = draw.chance(0.5)
            absent = [name for name in SHAPES if name not in {t.figure for t in scene.things}]
            figure = one.figure if there else draw.choice(absent)
            return f"Is there a {figure}?", "yes" if there else "no", "yes or no"


def lots(asked: tuple[int, int, int]) -> list[Asked]:
    """Those numbered begin..end - 1."""
    seed, begin, end = asked
    return [lot(seed, number) for number in range(begin, end)]


def make(seed: int, begin: int, count: int) -> list[Asked]:
    """`count` questions, made by all cores, those about pictures first."""
    step = 250
    parts = [(seed, b, min(b + step, begin + count)) for b in range(begin, begin + count, step)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = [each for part in pool.map(lots, parts) for each in part]
    return sorted(found, key=lambda each: each.medium)
