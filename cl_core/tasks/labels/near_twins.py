"""Names that a person takes for one and a program for two: case, Unicode, invisible signs, 1 and 01."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from cl_core.tasks.labels.label_cells import number_of, spell_number


def find_near_twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of names that differ in nothing that is meant: two or more each, in the order in which they come.

    >>> find_near_twins(["Yes", "no", "yes", "1", "01"])
    [('Yes', 'yes'), ('1', '01')]
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(_plain(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def describe_twins(group: Sequence[str]) -> str:
    """ "'café' and 'cafe\\u0301' (composed and decomposed letters)": what looks alike is written out."""
    shown = " and ".join(f"'{_visible(name, group)}'" for name in group)
    return f"{shown} ({_difference(group)})"


def _plain(name: str) -> str:
    """Compatibility letters, one case, single spaces, nothing invisible; numbers by their value."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    plain = " ".join(unicodedata.normalize("NFKC", seen).split())
    number = number_of(plain)
    return plain if number is None else spell_number(number)


def _difference(group: Sequence[str]) -> str:
    """What tells the names of a group apart, the plainest reason first."""
    if len({unicodedata.normalize("NFC", name) for name in group}) == 1:
        return "composed and decomposed letters"
    if len({_without_invisible(name) for name in group}) == 1:
        return "signs that cannot be seen, or spaces"
    if len({name.casefold() for name in group}) == 1:
        return "capital and small letters"
    if all(number_of(name) is not None for name in group):
        return "two ways to write one number"
    return "the same letters, written differently"


def _without_invisible(name: str) -> str:
    seen = "".join(c for c in name if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    return " ".join(seen.split())


def _visible(name: str, group: Sequence[str]) -> str:
    """The name; in a group that looks alike, what cannot be seen is written as its code."""
    alike = _difference(group) not in ("capital and small letters", "two ways to write one number")
    return "".join(
        c
        if ord(c) < 128 and c.isprintable()
        else (f"\\u{ord(c):04x}" if alike and not c.isalpha() else c)
        for c in name
    )
