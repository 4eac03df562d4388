"""From a frame and a vocabulary to a sentence: slots, agreement, denial, capitals."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cl_core.synthetic.domains.vocabulary import Aspect, Vocabulary
from cl_core.synthetic.draw import Draw

# Worded so that each denies praise as firmly as it denies blame.
DENIALS = (
    "anything but {}",
    "far from {}",
    "not {} in the least",
    "by no means {}",
    "hardly {}",
    "never {} for a moment",
)
PERSONS = (
    "my sister",
    "my neighbour",
    "a colleague",
    "the man next to me",
    "my brother-in-law",
    "an old friend",
    "my daughter",
)
OFFICIALS = ("mayor", "fire chief", "minister", "chief engineer", "police spokeswoman")

_SLOT = re.compile(r"\{(\w+)(?:\.(\w+))?\}")
_FIRST_LETTER = re.compile(r"(^|[.!?] )(['\"]?)([a-z])")
_DENIED = 0.25


@dataclass(frozen=True)
class Frame:
    """A sentence pattern with ``{slots}``; ``label`` is the only one it is good for, if any."""

    text: str
    label: int | None = None


class Writer:
    """Fills one frame: no aspect, phrase or person is used twice in a text.

    Args:
        draw: where choices come from.
        domain: the domain's vocabulary.
        shared: the vocabulary that all domains of the label space share.
        overlap: the probability that a slot is filled from ``shared``.
        articles: False for headlines ("harbour bridge closed").
    """

    def __init__(
        self,
        draw: Draw,
        domain: Vocabulary,
        shared: Vocabulary,
        overlap: float,
        articles: bool = True,
    ) -> None:
        self._draw = draw
        self._domain = domain
        self._shared = shared
        self._overlap = overlap
        self._articles = articles

    def write(self, frame: Frame, label: int) -> str:
        """The frame as a text whose true label is ``label``."""
        self._used: set[str] = set()
        self._label = label
        self._latest: Aspect | None = None
        text = _SLOT.sub(lambda slot: self._fill(slot[1], slot[2] or ""), frame.text)
        return capitalised(text) if self._articles else _FIRST_LETTER.sub(_upper, text, count=1)

    def _fill(self, slot: str, form: str) -> str:
        if slot == "with":
            return self._opinion(self._label, form)
        if slot == "against":
            return self._opinion(1 - self._label, form)
        if slot in ("severe", "mild"):
            return self._event(int(slot == "severe"), form)
        if slot == "person":
            return self._unused(PERSONS)
        if slot == "official":
            return self._unused(OFFICIALS)
        kind = f"verdict{self._label}" if slot == "verdict" else slot
        return self._unused(self._vocabulary().phrases[kind])

    def _vocabulary(self) -> Vocabulary:
        return self._shared if self._draw.chance(self._overlap) else self._domain

    def _unused(self, values: tuple[str, ...]) -> str:
        value = self._draw.choice([v for v in values if v not in self._used] or values)
        self._used.add(value)
        return value

    def _aspect(self) -> Aspect:
        aspects = self._vocabulary().aspects
        free = [aspect for aspect in aspects if aspect.noun not in self._used] or aspects
        self._latest = self._draw.choice(free)
        self._used.add(self._latest.noun)
        return self._latest

    def _opinion(self, polarity: int, form: str) -> str:
        aspect = self._aspect()
        denied = not form and self._draw.chance(_DENIED)
        adjective = self._draw.choice(aspect.predicates[1 - polarity if denied else polarity])
        if denied:
            adjective = self._unused(DENIALS).format(adjective)
        link = {"would": "would be", "used": "used to be", "to_be": "to be", "call": ""}
        return f"{aspect.named} {link.get(form, aspect.was)} {adjective}".replace("  ", " ")

    def _event(self, severity: int, form: str) -> str:
        same = self._latest if form == "same" else None
        aspect = same or self._aspect()
        said = aspect.agreeing(self._draw.choice(aspect.predicates[severity]))
        if same:
            return f"{'they' if aspect.plural else 'it'} {said}"
        return f"{aspect.named if self._articles else aspect.noun} {said}"


def capitalised(text: str) -> str:
    """Capital letters at the start of every sentence (after a colon the letter stays small)."""
    return _FIRST_LETTER.sub(_upper, text)


def _upper(match: re.Match[str]) -> str:
    return match[1] + match[2] + match[3].upper()
