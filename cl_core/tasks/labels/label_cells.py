"""What stands in a label's cell, read alike from every format: a whole number, a name, or nothing.

CSV has only words, json lines have numbers and truth, parquet and arrow have types: 0.0 and "0.0", True and "True",
1 and "1" are the same label, so that the same rows give the same classes wherever they were kept **(ours)**.
"""

from __future__ import annotations

import ast
import json
import math
import re
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum

Label = int | str
"""A whole number, or a name; a number with a fraction is its shortest spelling."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WHOLE = re.compile(rf"[+-]?\d{{1,{sys.int_info.default_max_str_digits}}}")
"""As many digits as Python reads as one number."""
_TRUTH = ("false", "true")
_UNREAL = frozenset(sign + word for sign in ("", "+", "-") for word in ("nan", "inf", "infinity"))
"""Spellings of what is no number in a table of words; among names they are names."""


class LabelFault(Enum):
    """What is no label of one row, and what to do about it."""

    SEVERAL = (
        "is a list: several labels a row (multilabel), and a row has one class here; keep one label a row, or make a "
        "task of each label, with true and false in its column"
    )
    MAPPING = (
        "is a mapping, and a row has one class here, a name or a whole number; name a column that holds it: "
        "label: ..."
    )
    INFINITE = "is an infinite number, and no class; mend the value, or leave its row out"
    BYTES = "is neither text nor a number but bytes; write the class's name"


def read_label(value: object) -> Label | LabelFault | None:
    """A label as it stands in one cell; None where there is none.

    A number with a fraction is returned as text; `settle` knows whether it is meant as one.

    >>> read_label(" 3 "), read_label(3), read_label(True), read_label(float("nan"))
    ('3', 3, 'true', None)
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return _TRUTH[value]
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        return None if math.isnan(value) else _finite(float(value))
    if isinstance(value, Mapping):
        return LabelFault.MAPPING
    if isinstance(value, list | tuple | set):
        return LabelFault.SEVERAL
    if isinstance(value, bytes | bytearray):
        try:
            value = bytes(value).decode()
        except UnicodeDecodeError:
            return LabelFault.BYTES
    written = str(value).strip()
    if written[:1] in ("[", "{", "("):
        match _parsed(written):
            case dict():
                return LabelFault.MAPPING
            case list() | tuple() | set():
                return LabelFault.SEVERAL
    return written or None


def settle(cells: Iterable[Label]) -> dict[Label, Label | LabelFault | None]:
    """What each label of a task means once all of them are known, over all splits.

    Where all are numbers, "1.0" is 1, and "nan" is none, as in tables that have a type for numbers; where all say true
    or false, they are spelt alike. "01" stays as it is written.
    """
    labels = list(cells)
    numbers = [label for label in labels if str(label).lower() not in _UNREAL]
    if numbers and all(number_of(label) is not None for label in numbers):
        return {label: _settled(label) for label in labels}
    if all(str(label).lower() in _TRUTH for label in labels):
        return {label: str(label).lower() for label in labels}
    return {label: label for label in labels}


def number_of(label: Label) -> int | float | None:
    """The number that a label is or spells, whole numbers exactly; None for a name."""
    if is_whole(label):
        return int(label)
    return float(label) if _NUMBER.fullmatch(str(label)) else None


def is_whole(label: Label) -> bool:
    """Whether it is a whole number, or spells one without a decimal point."""
    return isinstance(label, int) or WHOLE.fullmatch(label) is not None


def same_label(label: Label) -> str:
    """Equal for labels that a person takes for one: "1" and 1.0, "True" and true.

    >>> same_label("01"), same_label("1.0"), same_label(1), same_label("True")
    ('1', '1', '1', 'true')
    """
    number = number_of(label)
    return str(label).lower() if number is None else spell_number(number)


def spell_number(number: int | float) -> str:
    """One spelling of a number: 1 and 1.0 have the same."""
    return str(int(number) if number == number // 1 else number)


def _settled(label: Label) -> Label | LabelFault | None:
    if is_whole(label):
        return label
    number = float(label)
    return None if math.isnan(number) else _finite(number)


def _finite(number: float) -> Label | LabelFault:
    if math.isinf(number):
        return LabelFault.INFINITE
    return int(number) if number.is_integer() else repr(number)


def _parsed(written: str) -> object:
    """The list or mapping that a text spells, as JSON or as Python; the text itself where it is none."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(written)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return written
