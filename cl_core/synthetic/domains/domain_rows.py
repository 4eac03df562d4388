"""Rows of one domain: balanced labels, no text twice, a stated share of wrong labels."""

from __future__ import annotations

from collections.abc import Mapping

from cl_core.synthetic.domains.domain_vocabularies import SHARED, Domain
from cl_core.synthetic.domains.grammar import Frame, Writer
from cl_core.synthetic.domains.templates_headlines import HEADLINE_FRAMES
from cl_core.synthetic.domains.templates_requests import REQUEST_FRAMES
from cl_core.synthetic.domains.templates_sentiment import SENTIMENT_FRAMES
from cl_core.synthetic.draw import Draw

_FRAMES = {"review": SENTIMENT_FRAMES, "request": REQUEST_FRAMES, "headline": HEADLINE_FRAMES}
_NOISY_SPLITS = ("train", "validation")
_CLOSED_BY_A_VERDICT = 0.45
_MOST_TRIES = 10_000


def generate(
    domain: Domain, overlap: float, seed: int, sizes: Mapping[str, int], noise: float
) -> dict[str, list[tuple[str, int]]]:
    """Rows by split, in the order of ``sizes``.

    The test split is drawn first and then validation, so that more training samples leave both as they
    are. Labels are wrong in ``round(noise * rows)`` rows of train and validation, never in test:
    scores are measured against what a reader would say (ours).

    Raises:
        RuntimeError: the grammar holds too few different texts for the rows asked for.
    """
    seen: set[str] = set()
    rows: dict[str, list[tuple[str, int]]] = {}
    for split in sorted(sizes, key=["test", "validation", "train"].index):
        draw = Draw(seed, domain.name, overlap, split)
        rows[split] = _split(domain, overlap, draw, sizes[split], seen)
        if split in _NOISY_SPLITS:
            rows[split] = _with_noise(rows[split], noise, draw)
    return {split: rows[split] for split in sizes}


def _split(
    domain: Domain, overlap: float, draw: Draw, size: int, seen: set[str]
) -> list[tuple[str, int]]:
    rows = []
    for label in draw.shuffled([row % 2 for row in range(size)]):
        for _ in range(_MOST_TRIES):
            text = _text(domain, overlap, draw, label)
            if text not in seen:
                break
        else:
            raise RuntimeError(f"domain {domain.name!r} has no further texts after {len(seen)}")
        seen.add(text)
        rows.append((text, label))
    return rows


def _text(domain: Domain, overlap: float, draw: Draw, label: int) -> str:
    # A style is part of a domain's vocabulary too, yet a headline among requests would jar; it
    # gives way from an overlap of one half onwards, so that at 1 domains do coincide.
    style = domain.style
    if style == "headline" and draw.chance(2 * overlap - 1):
        style = "request"
    writer = Writer(draw, domain.vocabulary, SHARED[style], overlap, style != "headline")
    return writer.write(_frame(style, draw, label), label)


def _frame(style: str, draw: Draw, label: int) -> Frame:
    family = draw.weighted(_FRAMES[style])
    frame = draw.choice([frame for frame in family if frame.label in (None, label)])
    if style == "review" and "{verdict}" not in frame.text and draw.chance(_CLOSED_BY_A_VERDICT):
        return Frame(frame.text + " {verdict}.", frame.label)
    return frame


def _with_noise(rows: list[tuple[str, int]], noise: float, draw: Draw) -> list[tuple[str, int]]:
    wrong = set(draw.shuffled(range(len(rows)))[: round(noise * len(rows))])
    return [(text, 1 - label if i in wrong else label) for i, (text, label) in enumerate(rows)]
