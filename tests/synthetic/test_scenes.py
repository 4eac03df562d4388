"""Scenes, their captions, questions and clips: the same bytes again, and true of what is painted."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.captions import NUMBERS, caption, plural
from cl_core.synthetic.scenes.clips import CLIP_FAMILIES, FRAMES, SceneClip, ask_clip
from cl_core.synthetic.scenes.figures import FIGURES, SHAPES
from cl_core.synthetic.scenes.painter import paint
from cl_core.synthetic.scenes.questions import FAMILIES, SceneQuestion, ask
from cl_core.synthetic.scenes.scene import BACKGROUNDS, COLOURS, STYLES, Scene, Thing, draw_scene
from cl_core.synthetic.scenes.shapes import polygon

ONE = Thing("square", "red", "plain", "huge", 0.5, 0.5, 0.3)
MANY = 40


def alone(**changes: object) -> Scene:
    fields = {**vars(ONE), **changes}
    return Scene((Thing(**fields),), "paper", "flat")  # type: ignore[arg-type]


def test_the_same_lot_paints_the_same_pixels() -> None:
    for style in STYLES:
        first, again = (paint(draw_scene(Draw(3, style), 3, styles=[style])) for _ in range(2))
        assert first.shape == (64, 64, 3)
        assert first.dtype == np.uint8
        assert (first == again).all()
        assert first.std() > 5


def test_a_flat_square_covers_its_area_in_its_colour() -> None:
    picture = paint(alone()).astype(int)
    red = (np.abs(picture - COLOURS["red"]).sum(axis=2) < 3).sum()
    assert red == pytest.approx((1.5 * 0.3 * 64) ** 2, rel=0.08)
    assert (picture[32, 32] == COLOURS["red"]).all()
    assert (picture[2, 2] > 220).all()


def test_the_distance_to_a_polygon_is_that_to_its_sides_signed_by_the_inside() -> None:
    points = [(-0.8, -0.6), (0.9, -0.5), (0.1, 0.1), (0.5, 0.8)]
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1.2, 1.2, (2, 200))
    distances = polygon(points)(x, y)
    for px, py, distance in zip(x, y, distances, strict=True):
        sides = list(zip(points, [*points[1:], points[0]], strict=True))
        steps = np.linspace(0, 1, 4001)
        nearest = min(
            np.hypot(ax + steps * (bx - ax) - px, ay + steps * (by - ay) - py).min()
            for (ax, ay), (bx, by) in sides
        )
        winding = sum(
            math.remainder(math.atan2(by - py, bx - px) - math.atan2(ay - py, ax - px), 2 * math.pi)
            for (ax, ay), (bx, by) in sides
        )
        assert abs(distance) == pytest.approx(nearest, abs=1e-3)
        assert (distance < 0) == (abs(winding) > math.pi)


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_fills_its_circle_and_stays_near_it(figure: str) -> None:
    middle = (np.arange(256) + 0.5) / 128 - 1
    x, y = np.meshgrid(1.3 * middle, 1.3 * middle)
    inside = np.minimum.reduce([part.distance(x, y) for part in FIGURES[figure]]) < 0
    reach = np.hypot(x, y)[inside]
    assert 0.8 < reach.max() < 1.25
    assert inside.mean() > 0.08


def test_things_do_not_touch_and_stay_in_the_picture() -> None:
    for number in range(MANY):
        scene = draw_scene(Draw("room", number), 4)
        for i, thing in enumerate(scene.things):
            assert thing.radius < min(thing.x, thing.y, 1 - thing.x, 1 - thing.y)
            for other in scene.things[:i]:
                apart = math.hypot(thing.x - other.x, thing.y - other.y)
                assert apart > thing.radius + other.radius


def test_styles_and_backgrounds_all_look_different() -> None:
    scene = draw_scene(Draw("looks"), 3)
    kinds = [
        paint(Scene(scene.things, background, style, 1)).astype(int)
        for style in STYLES
        for background in BACKGROUNDS
    ]
    for i, first in enumerate(kinds):
        for second in kinds[:i]:
            assert np.abs(first - second).mean() > 0.5


def test_captions_name_only_what_is_there() -> None:
    for number in range(4 * MANY):
        draw = Draw("caption", number)
        scene = draw_scene(draw, 1 + draw.below(3))
        words = caption(scene, draw).replace(",", "").split()
        figures = Counter(thing.figure for thing in scene.things)
        for figure in SHAPES:
            if figure in words:
                assert figures[figure]
            if plural(figure) in words:
                before = words[words.index(plural(figure)) - 1]
                assert NUMBERS.index(before) == figures[figure]
        for colour in COLOURS:
            assert colour not in words or any(t.colour == colour for t in scene.things)


def truth(asked: SceneQuestion) -> str:
    """The answer, worked out from the scene and the words of the question alone."""
    things, words = asked.scene.things, asked.question.rstrip("?").split()
    shapes = {plural(figure): figure for figure in SHAPES} | {figure: figure for figure in SHAPES}
    named = [shapes[word] for word in words if word in shapes]
    match words[:2]:
        case ["What", "colour"]:
            (thing,) = (t for t in things if t.figure == named[0])
            return thing.colour
        case ["What", "shape"]:
            (thing,) = (t for t in things if t.colour == words[4])
            return thing.figure
        case ["How", "many"]:
            wanted = named[0] if named else words[2]
            return NUMBERS[sum(wanted in (t.figure, t.colour) for t in things)]
        case ["Do", _]:
            one, other = (next(t for t in things if t.figure == figure) for figure in named)
            return "yes" if one.colour == other.colour else "no"
        case ["Are", _]:
            more, fewer = (sum(t.figure == figure for t in things) for figure in named)
            return "yes" if more > fewer else "no"
    one, other = (next(t for t in things if t.figure == figure) for figure in named)
    lies = {
        "left": one.x < other.x,
        "right": one.x > other.x,
        "above": one.y < other.y,
        "below": one.y > other.y,
    }
    return "yes" if next(lies[word] for word in words if word in lies) else "no"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_question_has_the_answer_that_its_scene_gives(family: str) -> None:
    answers = FAMILIES[family].answers
    for number in range(MANY):
        answer = answers[number % len(answers)]
        asked = ask(family, Draw(family, number), answer)
        assert asked.answer == answer == truth(asked)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_question_does_not_give_its_answer_away(family: str) -> None:
    answers = FAMILIES[family].answers
    for answer in answers:
        words = {ask(family, Draw(answer, n), answer).question for n in range(10)}
        assert not any(answer in question for question in words)


def moved(clip: SceneClip) -> dict[str, tuple[int, float, float]]:
    """Figure -> (first frame in which it is elsewhere, dx, dy), of those that move."""
    paths = {}
    for index, start in enumerate(clip.frames[0].things):
        path = [(f.things[index].x - start.x, f.things[index].y - start.y) for f in clip.frames]
        away = [number for number, (dx, dy) in enumerate(path) if math.hypot(dx, dy) > 1e-9]
        if away:
            paths[start.figure] = (away[0], *path[-1])
    return paths


@pytest.mark.parametrize("family", CLIP_FAMILIES)
def test_every_clip_shows_the_answer_to_its_question(family: str) -> None:
    answers = CLIP_FAMILIES[family].answers
    for number in range(MANY):
        answer = answers[number % len(answers)]
        clip = ask_clip(family, Draw(family, number), answer)
        assert clip.answer == answer
        assert len(clip.frames) == FRAMES
        for frame in clip.frames:
            for thing in frame.things:
                assert thing.radius - 1e-9 <= min(thing.x, thing.y, 1 - thing.x, 1 - thing.y)
        paths = moved(clip)
        match family:
            case "what-moved":
                assert set(paths) == {answer}
            case "what-first":
                assert min(paths, key=lambda figure: paths[figure][0]) == answer
                assert len({first for first, _, _ in paths.values()}) == 2
            case "which-way":
                figure = next(shape for shape in SHAPES if f" {shape} " in clip.question)
                _, dx, dy = paths[figure]
                axis = ("left" if dx < 0 else "right") if abs(dx) > 1e-9 else ""
                assert answer == (axis or ("up" if dy < 0 else "down"))
            case "how-often":
                heights = [frame.things[0].y for frame in clip.frames]
                lows = [
                    1
                    for before, here, after in zip(heights, heights[1:], heights[2:], strict=False)
                    if here >= before and here > after
                ]
                assert NUMBERS[sum(lows)] == answer
