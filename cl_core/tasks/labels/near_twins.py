"""Names that a person takes for one and a program for two: case, Unicode, invisible signs, other scripts, 1 and 01."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from cl_core.errors import cut
from cl_core.tasks.labels.label_cells import number_of, spell_number

_LATIN, _ALIKE = (
    "aeopcyxsijhdqwlABEKMHOPCTYXSIJQWaiovpABEZHIKMNOPTYXouh",
    "аеорсухѕіјһԁԛԝӏАВЕКМНОРСТУХЅІЈԚԜαιονρΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսհ",
)
"""Letters of Latin, and those of Cyrillic, Greek and Armenian that look like them: of Unicode's confusables (TS 39)
those that no font tells apart **(ours)**."""
_AS_LATIN = str.maketrans(_ALIKE, _LATIN)
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2800\u3164\ufe00-\ufe0f\uffa0]")
"""What cannot be seen though Unicode calls it a letter, a mark or a sign."""


def find_near_twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of names that differ in nothing that is meant: two or more each, in the order in which they come.

    >>> find_near_twins(["Yes", "no", "yes", "1", "01"])
    [('Yes', 'yes'), ('1', '01')]
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        # Of a name that is Cyrillic alone, capitals that look Latin would have small letters that do not.
        keys = _plain(name), _plain(name.translate(_AS_LATIN))
        group = next((groups[key] for key in keys if key in groups), [])
        group.append(name)
        groups |= dict.fromkeys(keys, group)
    distinct = {id(group): group for group in groups.values()}
    return [tuple(group) for group in distinct.values() if len(group) > 1]


def describe_twins(group: Sequence[str]) -> str:
    """ "'café' and 'cafe\\u0301' (composed and decomposed letters)": what looks alike is written out."""
    shown = " and ".join(f"'{cut(_visible(name, group))}'" for name in group)
    return f"{shown} ({_difference(group)})"


def _plain(name: str) -> str:
    """Compatibility letters, one case, single spaces, nothing invisible; numbers by their value."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    plain = " ".join(unicodedata.normalize("NFKC", _seen(folded)).split())
    number = number_of(plain)
    return plain if number is None else spell_number(number)


def _difference(group: Sequence[str]) -> str:
    """What tells the names of a group apart, the plainest reason first."""
    if len({_plain(name) for name in group}) > 1:
        return "letters of different scripts that look alike"
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
    return " ".join(_seen(name).split())


def _seen(name: str) -> str:
    """What can be seen of it, and spaces."""
    shown = "".join(c for c in name if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    return _UNSEEN.sub("", shown)


def _visible(name: str, group: Sequence[str]) -> str:
    """The name; in a group that looks alike, what cannot be seen is written as its code."""
    alike = _difference(group) not in ("capital and small letters", "two ways to write one number")
    scripts = len({_plain(one) for one in group}) > 1

    def hidden(c: str) -> bool:
        unseen = not c.isalpha() or _UNSEEN.match(c) is not None
        return alike and (unseen or (scripts and ord(c) in _AS_LATIN))

    return "".join(
        c if ord(c) < 128 and c.isprintable() else f"\\u{ord(c):04x}" if hidden(c) else c
        for c in name
    )
