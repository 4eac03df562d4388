"""Text from outside as a terminal may be shown it: what would steer the terminal is written out instead.

A run, a log or a zip may be a stranger's, and a terminal obeys what it is sent: it clears itself, renames its window,
overwrites what was said. A backslash of the text itself stays one.
"""

from __future__ import annotations

import re

_STEERING = "\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""C0 but tab and newline, DEL, C1, what turns the direction of writing, and halves of letters."""
_IN_TEXT, _IN_CELL = (re.compile(f"[{more}{_STEERING}]") for more in ("", "\t\n"))


def visible(text: str) -> str:
    r"""The text, with each character that steers a terminal as its escape; lines and tabs stay.

    >>> print(visible("done\x1b[2J, \u202ereversed"))
    done\x1b[2J, \u202ereversed
    """
    return _IN_TEXT.sub(_escape, text)


def visible_cell(text: str) -> str:
    r"""The same in one line, for a table: a second one would pass for a row.

    >>> print(visible_cell("first\nsecond"))
    first\nsecond
    """
    return _IN_CELL.sub(_escape, text)


def visible_json(text: str) -> str:
    r"""JSON that says the same, with each such character as JSON escapes it; what lies between values stays.

    >>> print(visible_json('{"name": "\x9b2J"}'))
    {"name": "\u009b2J"}
    """
    return _IN_TEXT.sub(_json_escape, text)


def _escape(character: re.Match[str]) -> str:
    code = ord(character[0])
    return _NAMED.get(code) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _json_escape(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"


_NAMED = {ord("\n"): "\\n", ord("\t"): "\\t"}
