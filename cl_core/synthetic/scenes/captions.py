"""Sentences about scenes, true of what they describe: what `scene-clip` is trained on."""

from __future__ import annotations

from collections import Counter

from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.scene import Scene, Thing

PLACES = {
    "paper": "on paper",
    "sky": "in the sky",
    "meadow": "on a meadow",
    "sand": "on sand",
    "dusk": "at dusk",
}
MANNERS = {
    "flat": "in flat colours",
    "outline": "as a line drawing",
    "shaded": "as shiny solids",
    "crayon": "in crayon",
    "neon": "in neon lights",
    "mosaic": "as a mosaic",
}
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
_IRREGULAR = {"fish": "fish", "cross": "crosses"}


def plural(figure: str) -> str:
    """star -> stars."""
    return _IRREGULAR.get(figure, f"{figure}s")


def with_article(words: str) -> str:
    """an orange star, a red star."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def relation(first: Thing, second: Thing) -> str:
    """How the first lies to the second, by the larger of the two offsets."""
    dx, dy = first.x - second.x, first.y - second.y
    if abs(dx) >= abs(dy):
        return "left of" if dx < 0 else "right of"
    return "above" if dy < 0 else "below"


def describe(thing: Thing, draw: Draw) -> str:
    """A thing in words, with its colour always and its size and texture now and then: "big red striped star"."""
    words = [thing.size] if draw.chance(0.5) else []
    words.append(thing.colour)
    if thing.texture != "plain" and draw.chance(0.5):
        words.append(thing.texture)
    return " ".join([*words, thing.figure])


def caption(scene: Scene, draw: Draw) -> str:
    """One sentence about a scene; which of the true ones is drawn by lot.

    It names all things, or how two of them lie to each other, or how many of a kind there are; the background and the
    style are each named in half of the sentences.
    """
    ends = []
    if draw.chance(0.5):
        ends.append(PLACES[scene.background])
    if draw.chance(0.5):
        ends.append(MANNERS[scene.style])
    return " ".join([_subject(scene, draw), *ends])


def _subject(scene: Scene, draw: Draw) -> str:
    things = scene.things
    if not things:
        return "nothing"
    figure, count = Counter(thing.figure for thing in things).most_common(1)[0]
    if count > 1 and draw.chance(0.5):
        return f"{NUMBERS[count]} {plural(figure)}"
    if len(things) > 1 and draw.chance(0.4):
        first, second = draw.shuffled(things)[:2]
        where = relation(first, second)
        return (
            f"{with_article(describe(first, draw))} {where} {with_article(describe(second, draw))}"
        )
    return " and ".join(with_article(describe(thing, draw)) for thing in draw.shuffled(things))
