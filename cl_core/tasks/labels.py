"""Finds a task's classes and turns labels, whole numbers or names, into indices."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cl_core.errors import did_you_mean
from cl_core.tasks.raw import Fault, describe_rows

_WHOLE = re.compile(r"[+-]?\d+")
_MOST_LISTED = 5


@dataclass(frozen=True)
class LabelColumn:
    """One split's labels as they were found.

    Attributes:
        values: (N,) labels.
        names: (N,) the column `label_name`, if there is one.
        class_names: what the format says (`ClassLabel`).
        numbers: (N,) row numbers, counted from 0.
        place: the file.
    """

    values: Sequence[object]
    names: Sequence[object] | None
    class_names: tuple[str, ...] | None
    numbers: Sequence[int]
    place: str


@dataclass(frozen=True)
class LabelNames:
    """The classes, and how a label finds its own.

    Attributes:
        names: in order.
        index: a label as it is found -> its index.
    """

    names: tuple[str, ...]
    index: Mapping[int | str, int]


def read_label(value: object) -> int | str | None:
    """A label as a whole number or a name; None where there is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else str(value)
    if value is None:
        return None
    return str(value).strip() or None


def find_label_names(
    task: str,
    columns: Mapping[str, LabelColumn],
    given: tuple[str, ...] | None,
    beside: tuple[str, ...] | None,
) -> tuple[LabelNames, list[Fault]]:
    """The classes of a task, over all of its splits.

    Args:
        task: its name.
        columns: labels by split.
        given: `label_names` of the stream file.
        beside: `label_names` of a meta.json.
    """
    labels = [read_label(value) for column in columns.values() for value in column.values]
    found = dict.fromkeys(label for label in labels if label is not None)
    carried = next((c.class_names for c in columns.values() if c.class_names), None)
    names = given or carried or beside
    faults: list[Fault] = []
    # "0", "1", ... in a csv file are indices, unless they are themselves the names.
    written = all(isinstance(label, int) or _WHOLE.fullmatch(label) for label in found)
    whole = bool(found) and written and not (names and all(str(label) in names for label in found))
    if names is None and whole:
        names, faults = _names_by_index(task, columns)
    if names is None:
        ordered = sorted(found, key=lambda label: (int(label), "") if whole else (0, str(label)))
        names = tuple(dict.fromkeys(str(label) for label in ordered))
        return LabelNames(names, _places(names, {label: str(label) for label in found})), faults
    index: dict[int | str, int] = {name: place for place, name in enumerate(names)}
    index |= {label: names.index(str(label)) for label in found if str(label) in names}
    if whole:
        index = {place: place for place in range(len(names))}
        index |= {label: int(label) for label in found if 0 <= int(label) < len(names)}
    return LabelNames(names, index), faults


def _places(names: tuple[str, ...], spelt: Mapping[int | str, str]) -> dict[int | str, int]:
    return {label: names.index(name) for label, name in spelt.items()}


def _names_by_index(
    task: str, columns: Mapping[str, LabelColumn]
) -> tuple[tuple[str, ...] | None, list[Fault]]:
    """Names from the column `label_name`: the first name that each index has; contradictions are faults."""
    faults = []
    names: dict[int, str] = {}
    for split, column in columns.items():
        if column.names is None:
            return None, []
        wrong: dict[tuple[int, str], list[int]] = {}
        for number, value, name in zip(column.numbers, column.values, column.names, strict=True):
            label = read_label(value)
            if label is None or not isinstance(name, str):
                continue
            if names.setdefault(int(label), name) != name:
                wrong.setdefault((int(label), name), []).append(number + 1)
        for (label, name), rows in wrong.items():
            message = f"label {label} is named '{names[label]}' elsewhere, and '{name}'"
            faults.append(Fault(task, split, message, column.place, tuple(rows)))
    if not names or min(names) < 0 or sorted(names) != list(range(len(names))):
        return None, faults  # gaps: the sorted labels themselves are the classes
    return tuple(names[index] for index in range(len(names))), faults


def index_labels(
    task: str, split: str, column: LabelColumn, names: LabelNames
) -> tuple[list[int | None], list[Fault]]:
    """(N,) indices, None where the label is missing or unknown; those rows are faults."""
    indices: list[int | None] = []
    missing: list[int] = []
    unknown: dict[int | str, list[int]] = {}
    for number, value in zip(column.numbers, column.values, strict=True):
        label = read_label(value)
        index = None if label is None else names.index.get(label)
        indices.append(index)
        if label is None:
            missing.append(number + 1)
        elif index is None:
            unknown.setdefault(label, []).append(number + 1)
    faults = []
    if missing:
        message = "label is empty"
        faults.append(Fault(task, split, message, column.place, tuple(missing), hides_classes=True))
    if unknown:
        message = _describe_unknown(unknown, names)
        faults.append(Fault(task, split, message, column.place, hides_classes=True))
    return indices, faults


def _describe_unknown(unknown: Mapping[int | str, list[int]], names: LabelNames) -> str:
    parts = []
    for label, rows in list(unknown.items())[:_MOST_LISTED]:
        hint = did_you_mean(label, names.names).rstrip("?") if isinstance(label, str) else ""
        parts.append(f"'{label}'{describe_rows(rows)}" + (f" ({hint.strip()}?)" if hint else ""))
    more = len(unknown) - _MOST_LISTED
    found = "; ".join(parts) + (f"; and {more} further unknown labels" if more > 0 else "")
    whole = all(isinstance(label, int) or _WHOLE.fullmatch(label) for label in unknown)
    if whole and any(isinstance(key, int) for key in names.index):
        allowed = f"0 to {len(names.names) - 1} ({_some(names.names)})"
        if {int(label) for label in unknown} == {len(names.names)}:
            allowed += "; labels count from 0, these seem to count from 1"
    else:
        allowed = _some(names.names)
    return f"unknown label{'s' if len(unknown) > 1 else ''} {found}; allowed are {allowed}"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
