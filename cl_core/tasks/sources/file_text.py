"""The text of a file: UTF-8, and what is said of bytes and escapes that are no text."""

from __future__ import annotations

import re

from cl_core.tasks.raw_rows import Problem

HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
"""JSON's way of writing half of a character outside the basic plane: with its other half, or alone."""
_HALF = re.compile("[\ud800-\udfff]")
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
MOST_COUNTED = 1000


def decode_text(data: bytes) -> tuple[str, list[Problem]]:
    """UTF-8 text, and where it is not: which encoding it seems to have, byte offsets and lines."""
    wide = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if wide is None and data[:1000].count(0) * 3 > len(data[:1000]):
        wide = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"  # without its mark
    if wide is not None:
        encoding = wide.upper()[:6]
        problem = Problem(f"is {encoding}, as some spreadsheets save it; save it as UTF-8")
        return data.decode(wide, errors="replace"), [problem]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    bad: list[int] = []
    start = 0
    while start < len(data):
        try:
            data[start:].decode("utf-8")
            break
        except UnicodeDecodeError as error:
            offset = start + error.start
            bad.append(offset)
            if len(bad) == MOST_COUNTED:  # not text at all
                break
            start = start + error.end
    listed = ", ".join(_describe_byte(data, offset) for offset in bad[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    guess = "" if len(bad) == MOST_COUNTED else _as_western(data, bad[0])
    problem = Problem(f"not UTF-8 at {listed}{more}{guess}; save the file as UTF-8")
    # What can be read is read, so that other faults of the file are found in the same go.
    return data.decode("utf-8-sig", errors="replace"), [problem]


def _describe_byte(data: bytes, offset: int) -> str:
    line = data.count(b"\n", 0, offset) + 1
    return f"byte {offset} (0x{data[offset]:02x}, line {line})"


def _as_western(data: bytes, offset: int) -> str:
    """What the word would be in the encoding that most files have that are not UTF-8; empty where it is no word."""
    try:
        around = data[max(0, offset - 20) : offset + 20].decode("cp1252")
    except UnicodeDecodeError:
        return ""
    centre = min(offset, 20)
    begin = max((m.end() for m in re.finditer(r"\W", around[:centre])), default=0)
    end = re.search(r"\W", around[centre:])
    word = around[begin : centre + end.start() if end else len(around)]
    return f"; as Latin-1 or Windows-1252 it would say '{word}'" if word else ""


def mend_halves(value: object) -> object:
    """A value of JSON with U+FFFD for every half character that stands alone: such a one is no text anywhere else."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [mend_halves(item) for item in value]
    if isinstance(value, dict):
        return {mend_halves(key): mend_halves(item) for key, item in value.items()}
    return value


def has_half(value: object) -> bool:
    """Whether a value of JSON holds half of a character."""
    if isinstance(value, str):
        return _HALF.search(value) is not None
    if isinstance(value, list):
        return any(map(has_half, value))
    if isinstance(value, dict):
        return any(map(has_half, value)) or any(map(has_half, value.values()))
    return False
