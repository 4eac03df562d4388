"""Generic questions about drawn scenes and clips: what `scene-qa` is trained on before any task.

Captions with one word left out, and questions in other words than those of the built-in streams. Scenes are drawn under
other names than those of the streams. The same seed and number give the same question.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from cl_core.backbones.vision.vision_encoder import Medium
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import animation, png
from cl_core.synthetic.scenes.captions import (
    MANNERS,
    NUMBERS,
    PLACES,
    caption,
    plural,
    relation,
    with_article,
)
from cl_core.synthetic.scenes.clips import CLIP_FAMILIES, WAYS, ask_clip
from cl_core.synthetic.scenes.figures import FIGURES, SHAPES
from cl_core.synthetic.scenes.painter import paint
from cl_core.synthetic.scenes.scene import COLOURS, TEXTURES, Scene, Thing, draw_scene

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
    "motion": ("slides", "rests"),
}
"""Answers, by what they say."""
SCENE_KINDS = ("colour", "figure", "number", "relation", "place", "manner", "texture", "size")
"""Which words of a scene's caption may be left out."""
ANSWERS = tuple(dict.fromkeys(word for words in KINDS.values() for word in words))


@dataclass(frozen=True)
class GenericQuestion:
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


def lot(seed: int, number: int) -> GenericQuestion:
    """Of every eight four are captions of clips with a word left out, one of a scene, three questions about scenes."""
    draw = Draw("scene-questions", seed, number)
    match number % 8:
        case 0 | 1 | 2 | 3:
            return _clip(draw)
        case 4 | 5 | 6:
            return _question(draw)
        case _:
            return _caption(draw)


def _clip(draw: Draw) -> GenericQuestion:
    """What happens in a clip, with a word left out; every other clip shows one thing alone, and which way it slides."""
    family = draw.choice(("which-way", "which-way", "what-moved", "what-first", "how-often"))
    film = ask_clip(family, draw, draw.choice(CLIP_FAMILIES[family].answers))
    frames = film.frames
    if family == "which-way" and draw.chance(0.7):
        frames = tuple(replace(scene, things=scene.things[:1]) for scene in frames)
    sentence, kinds = _happens(draw, family, film.answer, frames[0].things, frames[-1].things)
    question, answer, kind = _leave_out(draw, sentence.split(), kinds)
    return GenericQuestion(
        "video", animation([paint(frame) for frame in frames], 0.25), question, answer, kind
    )


def _happens(
    draw: Draw, family: str, answer: str, begun: Sequence[Thing], ended: Sequence[Thing]
) -> tuple[str, tuple[str, ...]]:
    """A true sentence about a clip, and the kinds of its words that may be left out."""
    name = [with_article(f"{thing.colour} {thing.figure}") for thing in begun]
    if family == "how-often":
        return f"the {begun[0].figure} jumps {answer} times", ("number",)
    if family == "what-first":  # the first thing slides before the second
        return f"{name[0]} slides and then {name[1]}", ("figure",)
    motions = [_motion(one, other) for one, other in zip(begun, ended, strict=True)]
    if family == "what-moved" and draw.chance(0.4):  # whether something slides, without the way
        index = draw.below(len(begun))
        return f"the {begun[index].figure} {motions[index].split()[0]}", ("motion",)
    moving = [index for index, motion in enumerate(motions) if motion != "rests"]
    index = draw.choice(moving)
    return f"{name[index]} {motions[index]}", ("way",) if family == "which-way" else (
        "figure",
        "way",
    )


def _motion(begun: Thing, ended: Thing) -> str:
    """What a thing does between the first frame and the last."""
    dx, dy = ended.x - begun.x, ended.y - begun.y
    if max(abs(dx), abs(dy)) < 1e-6:
        return "rests"
    if abs(dx) >= abs(dy):
        return "slides left" if dx < 0 else "slides right"
    return "slides up" if dy < 0 else "slides down"


def _caption(draw: Draw) -> GenericQuestion:
    """A true sentence about a scene, without one of its words."""
    alone = draw.chance(0.3)
    scene = (
        draw_scene(draw, 1, sizes=("big", "huge")) if alone else draw_scene(draw, 1 + draw.below(4))
    )
    question, answer, kind = _leave_out(draw, caption(scene, draw).split(), SCENE_KINDS)
    return GenericQuestion("image", png(paint(scene)), question, answer, kind)


def _leave_out(draw: Draw, words: Sequence[str], kinds: Sequence[str]) -> tuple[str, str, str]:
    """The sentence with a blank, the word that stood there and its kind, which is drawn before the word."""
    kind_at = {
        index: kind for index, word in enumerate(words) for kind in kinds if word in KINDS[kind]
    }
    kind = draw.choice(tuple(dict.fromkeys(kind_at.values())))
    index = draw.choice([index for index in kind_at if kind_at[index] == kind])
    return " ".join([*words[:index], BLANK, *words[index + 1 :]]), words[index], kind


def _question(draw: Draw) -> GenericQuestion:
    """About one thing of a scene, or how many of a kind there are."""
    kind = draw.choice(("colour", "figure", "relation", "yes or no", "number", "texture"))
    some = draw.shuffled(tuple(SHAPES))
    while True:
        if kind == "number":  # several of a kind, among others
            scene = draw_scene(draw, 1 + draw.below(5), figures=some[:2], sizes=("small",))
            names = [thing.figure for thing in scene.things]
            question = f"There are {BLANK} {plural(some[0])}."
            return GenericQuestion(
                "image", png(paint(scene)), question, NUMBERS[names.count(some[0])], kind
            )
        scene = draw_scene(draw, 2 + draw.below(2), figures=some)
        names = [thing.figure for thing in scene.things]
        colours = [thing.colour for thing in scene.things]
        if len(names) > 1 and len(set(names)) == len(names) == len(set(colours)):
            question, answer = _about(draw, kind, scene)
            return GenericQuestion("image", png(paint(scene)), question, answer, kind)


def _about(draw: Draw, kind: str, scene: Scene) -> tuple[str, str]:
    """A question of this kind about a scene whose things differ in figure and colour, and its answer."""
    one, other = scene.things[:2]
    match kind:
        case "texture":
            return f"How is the {one.figure} patterned?", one.texture
        case "colour":
            return f"The {one.figure} is {BLANK}.", one.colour
        case "figure":
            return f"The {one.colour} thing is a {BLANK}.", one.figure
        case "relation":
            word, *rest = relation(one, other).split()
            return " ".join([f"The {one.figure} is {BLANK}", *rest, f"the {other.figure}."]), word
        case _:
            there = draw.chance(0.5)
            absent = [
                name for name in SHAPES if name not in {thing.figure for thing in scene.things}
            ]
            figure = one.figure if there else draw.choice(absent)
            return f"Is there {with_article(figure)}?", "yes" if there else "no"


def lots(asked: tuple[int, int, int]) -> list[GenericQuestion]:
    """Those numbered begin..end - 1."""
    seed, begin, end = asked
    return [lot(seed, number) for number in range(begin, end)]


def make(seed: int, begin: int, count: int) -> list[GenericQuestion]:
    """`count` questions, made by all cores, those about pictures first."""
    step = 250
    parts = [(seed, b, min(b + step, begin + count)) for b in range(begin, begin + count, step)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        questions = [question for part in pool.map(lots, parts) for question in part]
    return sorted(questions, key=lambda question: question.medium)
