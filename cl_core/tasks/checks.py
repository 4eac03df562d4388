"""What must hold of tasks and streams before anything runs. Faults are collected, warnings are sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cl_core.errors import counted, cut
from cl_core.tasks.missing_classes import check_one_space
from cl_core.tasks.prepared_task import MappedRows, PreparedTask
from cl_core.tasks.raw_rows import Fault
from cl_core.tasks.stream import Protocol
from cl_core.tasks.task import QA_KINDS, SPLITS, content_keys

FEW_ROWS = 8  # a class with fewer training samples is called tiny (ours)
MOST_LISTED = 10


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes:
        faults: the stream must not run with any of them.
        warnings: worth knowing, each a sentence.
    """

    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


def check_task(task: PreparedTask, one_space: bool = False) -> CheckReport:
    """Checks one task as a whole, beside what was already found row by row.

    Args:
        task: what was read of it.
        one_space: whether other tasks may have the classes that this one lacks (DIL); see `check_one_space`.
    """
    faults = list(task.faults)
    warnings = list(task.warnings)
    train = task.splits.get("train")
    hidden = any(fault.hides_classes and fault.split == "train" for fault in faults)
    if train is not None and len(train) and task.kind in QA_KINDS:
        faults += _check_answers(task, train)
    elif train is not None and len(train) and not hidden:
        faults += [] if one_space else _check_classes(task, train)
        warnings += _tiny_classes(task, train)
        warnings += _unscored_classes(task, train)
    for split in SPLITS:
        rows = task.splits.get(split)
        if rows is None and not faults:
            faults.append(Fault(task.name, split, "there are no rows", task.source))
        elif rows is not None and not len(rows) and not faults:
            message = "there are too few rows to cut it from train; add rows, or a file of its own"
            faults.append(Fault(task.name, split, message, rows.source))
        if rows is not None and train is not None and split != "train":
            warnings += _shared_rows(task.name, train, split, rows)
    return CheckReport(tuple(faults), tuple(warnings))


def _check_answers(task: PreparedTask, train: MappedRows) -> list[Fault]:
    """A vocabulary may hold answers that no row gives: other tasks' rows may. One answer alone is no question."""
    given = set(train.labels)
    if len(given) > 1:
        return []
    only = task.label_names[next(iter(given))]
    message = f"all questions have one answer, '{cut(only)}'; there is nothing to tell apart"
    return [Fault(task.name, "train", message, train.source)]


def _check_classes(task: PreparedTask, train: MappedRows) -> list[Fault]:
    counts = Counter(train.labels)
    if len(counts) == 1:
        only = task.label_names[next(iter(counts))]
        message = f"all rows have one class, '{cut(only)}'; there is nothing to tell apart"
        return [Fault(task.name, "train", message, train.source)]
    absent = [name for index, name in enumerate(task.label_names) if not counts[index]]
    if not absent:
        return []
    listed = ", ".join(f"'{cut(name)}'" for name in absent[:MOST_LISTED])
    more = f" and {len(absent) - MOST_LISTED} more" if len(absent) > MOST_LISTED else ""
    message = f"no rows of class {listed}{more}, so it cannot be learnt; add rows, or leave it out of label_names"
    for split, rows in task.splits.items():
        here = sum(task.label_names[label] in absent for label in rows.labels)
        if here:
            message += f" ({split} has {here})"
    return [Fault(task.name, "train", message, train.source)]


def _tiny_classes(task: PreparedTask, train: MappedRows) -> list[str]:
    counts = Counter(train.labels)
    tiny = [
        f"'{cut(task.label_names[index])}' ({count})"
        for index, count in sorted(counts.items())
        if count < FEW_ROWS
    ]
    if not tiny:
        return []
    more = f" and {len(tiny) - MOST_LISTED} more" if len(tiny) > MOST_LISTED else ""
    listed = ", ".join(tiny[:MOST_LISTED])
    return [f"task '{task.name}': fewer than {FEW_ROWS} training samples of class {listed}{more}"]


def _unscored_classes(task: PreparedTask, train: MappedRows) -> list[str]:
    """Classes that are learnt and have no rows to choose the epoch on, or to be tested on."""
    so_what = {
        "validation": "so the epoch is chosen without it",
        "test": "so no score says how it is told apart",
    }
    said = []
    for split, consequence in so_what.items():
        rows = task.splits.get(split)
        absent = sorted(set(train.labels) - set(rows.labels)) if rows else []
        if absent:
            listed = ", ".join(
                f"'{cut(task.label_names[label])}'" for label in absent[:MOST_LISTED]
            )
            more = f" and {len(absent) - MOST_LISTED} more" if len(absent) > MOST_LISTED else ""
            said.append(
                f"task '{task.name}': no {split} rows of class {listed}{more}, {consequence}"
            )
    return said


def _shared_rows(task: str, train: MappedRows, split: str, rows: MappedRows) -> list[str]:
    seen = set(_keys(train))
    shared = sum(key in seen for key in _keys(rows))
    if not shared:
        return []
    verb = "is" if shared == 1 else "are"
    return [
        f"task '{task}': {shared} of {len(rows)} {split} rows {verb} also in train; scores on them show memory"
    ]


def _keys(rows: MappedRows) -> list[tuple[str, ...]]:
    if "text" not in rows.inputs:
        return [(str(key),) for key in content_keys(rows.inputs)]
    columns = [[str(value).strip() for value in values] for values in rows.inputs.values()]
    return list(zip(*columns, strict=True))


def check_held_out(task: PreparedTask) -> CheckReport:
    """Checks a task that is only scored: it needs test samples, and no others."""
    faults = list(task.faults)
    if not faults and not len(task.splits.get("test", ())):
        message = "there are no test samples, and a held-out task is only scored"
        faults.append(Fault(task.name, "test", message, task.source))
    return CheckReport(tuple(faults), tuple(task.warnings))


def check_stream(
    protocol: Protocol,
    tasks: Sequence[PreparedTask],
    shared: Sequence[Sequence[str]] = (),
    held_out: Sequence[PreparedTask] = (),
) -> CheckReport:
    """Checks all tasks, and how they fit together under the protocol.

    Args:
        protocol: of the stream.
        tasks: in order.
        shared: CIL: groups of tasks that share labels by name.
        held_out: tasks that are never learnt.
    """
    # Vocabularies of questions may differ in any way; classes of one label space may be lacking.
    one_space = protocol == "dil" and not all(task.kind in QA_KINDS for task in tasks)
    reports = [
        *(check_task(task, one_space) for task in tasks),
        *map(check_held_out, held_out),
    ]
    faults = [fault for report in reports for fault in report.faults]
    warnings = [warning for report in reports for warning in report.warnings]
    named = Counter(task.name for task in (*tasks, *held_out))
    for name, count in named.items():
        if count > 1:
            faults.append(
                Fault(name, None, f"{counted(count, 'task')} have this name; names must be unique")
            )
    labelled = [task for task in tasks if task.label_names]
    if one_space:
        wrong, notes = check_one_space(labelled, held_out)
        faults += wrong
        warnings += notes
    labels = {task.name: task.label_names for task in (*labelled, *held_out)}
    for group in shared:
        names = Counter(name for task in group for name in set(labels.get(task, ())))
        if names and max(names.values()) < 2:
            warnings.append(f"tasks {', '.join(group)} share labels, but no label name is the same")
    return CheckReport(tuple(faults), tuple(warnings))
