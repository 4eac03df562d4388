"""What is said about labels: rows without one, unknown ones, names that do not fit the data's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from cl_core.errors import counted, cut, did_you_mean
from cl_core.tasks.labels.label_cells import Label, is_whole
from cl_core.tasks.labels.label_tables import LabelTable
from cl_core.tasks.labels.near_twins import describe_twins
from cl_core.tasks.raw_rows import Fault, describe_rows

_MOST_LISTED = 5
_MOST_NAMES = 20


def twin_classes(task: str, twins: Sequence[str]) -> str:
    """Class names that a person takes for one."""
    return (
        f"task '{task}': {describe_twins(twins)} are learnt as {counted(len(twins), 'class')}; where they are "
        "one, write them "
        "alike"
    )


def irreconcilable(
    task: str,
    tables: Sequence[LabelTable],
    absent: Sequence[str],
    declared: Sequence[str],
    dropped: set[str],
) -> Fault:
    """`label_names` has a name that the data do not have, and leaves out one that has rows."""
    left = [name for name in declared if name in dropped]
    message = (
        f"label_names lists {_quoted(absent)}, which the data do not have, and leaves out {_quoted(left)}, which they "
        f"have; the data's own names are {_some(declared)}: write them as the data do, in any order"
    )
    return Fault(task, None, message, tables[0].source, hides_classes=True)


def left_out(task: str, counts: Mapping[str, int], dropped: set[str]) -> str:
    """Classes that `label_names` does not select, with their rows."""
    rows = ", ".join(f"'{cut(name)}' ({counts[name]})" for name in sorted(dropped)[:_MOST_NAMES])
    return f"task '{task}': rows of classes that label_names does not list are left out: {rows}"


def without_rows(task: str, names: Sequence[str], unused: Sequence[str]) -> str:
    """Classes that the data declare and of which this task has no rows."""
    return (
        f"task '{task}': the data name {counted(len(names) + len(unused), 'class')} and have rows of "
        f"{len(names)}; without rows, "
        f"and so no classes of this task: {_some(unused)}"
    )


@dataclass(frozen=True)
class Allowed:
    """The labels that a table's rows may have, and how they are said.

    Attributes:
        names: the classes, in order.
        dropped: classes that `label_names` leaves out.
        counted: the names that numbers count from 0; None where they are counted otherwise.
        listed: numbers of the data that `label_names` has, which is why it lists labels.
    """

    names: tuple[str, ...]
    dropped: Set[str]
    counted: Sequence[str] | None
    listed: Sequence[str]


def row_faults(
    task: str, table: LabelTable, name_of: Mapping[Label, str | None], allowed: Allowed
) -> list[Fault]:
    """Rows whose label is missing, or is none of the classes."""
    faults = []
    if table.missing:
        rows = tuple(table.numbers[row] + 1 for row in table.missing)
        faults.append(
            Fault(task, table.split, "label is empty", table.source, rows, hides_classes=True)
        )
    classes = {*allowed.names, *allowed.dropped}
    unknown: dict[Label, list[int]] = {}
    for number, label in zip(table.numbers, table.labels, strict=True):
        if label is not None and (name_of[label] is None or name_of[label] not in classes):
            unknown.setdefault(label, []).append(number + 1)
    if unknown:
        from_zero = any(
            label is not None and is_whole(label) and int(label) == 0 for label in name_of
        )
        message = _describe_unknown(unknown, allowed, from_zero)
        faults.append(Fault(task, table.split, message, table.source, hides_classes=True))
    return faults


def _describe_unknown(unknown: Mapping[Label, list[int]], allowed: Allowed, from_zero: bool) -> str:
    parts = []
    for label, rows in list(unknown.items())[:_MOST_LISTED]:
        hint = "" if is_whole(label) else did_you_mean(str(label), allowed.names).rstrip("?")
        parts.append(
            f"'{cut(str(label))}'{describe_rows(rows)}" + (f" ({hint.strip()}?)" if hint else "")
        )
    more = len(unknown) - _MOST_LISTED
    listed = "; ".join(parts) + (f"; and {more} further unknown labels" if more > 0 else "")
    said = _some(allowed.names)
    if allowed.counted and all(map(is_whole, unknown)):
        said = f"0 to {len(allowed.counted) - 1} ({_some(allowed.counted)})"
        if not from_zero and {int(label) for label in unknown} == {len(allowed.counted)}:
            said += "; labels count from 0, these seem to count from 1"
    elif allowed.listed:
        said += (
            f"; label_names lists labels here, not names of the numbers from 0, since {_quoted(allowed.listed)} "
            f"{'are labels' if len(allowed.listed) > 1 else 'is a label'} of the data: list every label, or give names "
            "that are none of them"
        )
    return f"unknown label{'s' if len(unknown) > 1 else ''} {listed}; allowed are {said}"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{cut(name)}'" for name in names[:_MOST_LISTED]) + (
        f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(cut, names[:_MOST_NAMES])) + more
