"""Labels in figures: names shortened in the middle, or their numbers alone, so that none lies over another.

What a mark is called in full is said when it is pointed at, and in the table under the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TypeVar

from app.base.theme import Look

Number = TypeVar("Number", int, float)
MOST = 26
"""Letters of a name beside a row."""
IN_LEGENDS = 22
"""Letters of a name in a legend."""
ACROSS = 96
"""Letters of all names side by side under a figure; more of them, and their numbers stand there alone."""
MOST_LISTED = 12
"""Names in a legend; of more tasks it lists the numbers, which the strip above the figures explains."""
MOST_TICKS = 12
"""Numbers along an axis."""


def short(name: str, most: int = MOST) -> str:
    """A name of at most so many letters; what is left out is left out in the middle."""
    if len(name) <= most:
        return name
    head = most // 2
    return f"{name[:head].rstrip()}…{name[head + 1 - most :].lstrip()}"


def tag(name: str) -> str:
    """ "T3" of a task's numbered name; "" of what belongs to no single task, as one adapter for all.

    >>> tag("3 tickets"), tag("one for all tasks")
    ('T3', '')
    """
    number = name.partition(" ")[0]
    return f"T{number}" if number.isdigit() else ""


def beside(names: Sequence[str], most: int = MOST) -> list[str]:
    """Names of rows, shortened and made harmless: plotly reads a few HTML tags in every text."""
    return [escape(short(name, most)) for name in names]


def across(names: Sequence[str]) -> list[str]:
    """Names of columns: whole where there is room for all, else their numbers, else shortened."""
    if sum(len(name) for name in names) <= ACROSS:
        return [escape(name) for name in names]
    return _numbers(names)


def listed(names: Sequence[str]) -> list[str]:
    """Names in a legend: shortened, or their numbers where there are many."""
    return beside(names, IN_LEGENDS) if len(names) <= MOST_LISTED else _numbers(names)


def thinned(values: Sequence[Number]) -> list[Number]:
    """Values to write along an axis: all, or every second, third ... of them with the first and the last."""
    step = -(-len(values) // MOST_TICKS)
    kept: list[Number] = list(values[::step])
    kept[-1:] = values[-1:]
    return kept


def ticks(names: Sequence[str]) -> dict[str, list[int] | list[str]]:
    """Ticks of columns at 0, 1, 2 ..., as an axis takes them: not more of them than can be read on a phone."""
    called = across(names)
    indices = thinned(range(len(names)))
    return {"tickvals": indices, "ticktext": [called[index] for index in indices]}


def width(names: Sequence[str], look: Look) -> int:
    """Pixels that the longest of these takes up, about."""
    return round(0.52 * look.size * max((len(name) for name in names), default=0))


def _numbers(names: Sequence[str]) -> list[str]:
    """ "13 films" is 13; a name without a number is shortened."""
    heads = [name.partition(" ")[0] for name in names]
    return [
        head if head.isdecimal() else escape(short(name, 12))
        for head, name in zip(heads, names, strict=True)
    ]
