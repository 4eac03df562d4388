"""Errors that help: what was wrong, what was found, what is allowed, what to do.

A `UserError` is a mistake that the user can mend; the terminal and the app show its message without a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MOST_SHOWN = 200
"""Characters of a value in a message."""


class AdapterLabError(Exception):
    """Base of every error that this package raises on purpose."""


class RunStopped(AdapterLabError):
    """Somebody asked the run to stop; the checkpoint is kept."""


class UserError(AdapterLabError):
    """A mistake of the user's. The message says what to do about it."""


class Faults(UserError):
    """All faults of one subject (a stream file, a recipe, settings) at once.

    Args:
        subject: what was checked, for the headline ("stream 'reviews'").
        faults: one message per fault, each complete in itself.
    """

    def __init__(self, subject: str, faults: Sequence[str]) -> None:
        if not faults:
            raise ValueError("Faults needs at least one fault")
        self.subject = subject
        self.faults = tuple(faults)
        count = counted(len(faults), "fault")
        super().__init__(f"{subject}: {count}\n" + "\n".join(f"  - {fault}" for fault in faults))


def short(value: object) -> str:
    """A value as a message shows it."""
    begins = value[: MOST_SHOWN + 1] if isinstance(value, str | list | tuple) else value
    shown = repr(begins)
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}..."


def cut(name: str) -> str:
    """A name as a sentence quotes it: of a long one its beginning, for data can call a column by megabytes."""
    return name if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]}..."


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 run", "2 runs", "1,200 training samples", "no" being written by whoever wants it.

    Args:
        count: of them.
        one: what a single one is called; its last word is what changes.
        many: what several are called, where that is not an ending alone.
    """
    if count == 1:
        return f"1 {one}"
    hisses = one.endswith(("s", "sh", "ch", "x")) and not one.endswith("epoch")
    ending = "es" if hisses else "s"
    return f"{count:,} {many or one + ending}"


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Returns " Did you mean 'x'?" for the closest allowed name, or "" when none is close.

    >>> did_you_mean("dli", ["til", "cil", "dil"])
    " Did you mean 'dil'?"
    >>> did_you_mean("image", ["til", "cil", "dil"])
    ''
    """
    if len(given) > MOST_SHOWN:  # comparing takes the product of the lengths
        return ""
    close = get_close_matches(given, [name for name in allowed if len(name) <= MOST_SHOWN], n=1)
    return f" Did you mean '{close[0]}'?" if close else ""
