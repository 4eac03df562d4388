"""One label space for all tasks (DIL): what a task lacks of it is said, what nobody can learn is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cl_core.errors import cut
from cl_core.tasks.labels.label_cells import is_whole
from cl_core.tasks.labels.near_twins import describe_twins, find_near_twins
from cl_core.tasks.prepared_task import PreparedTask
from cl_core.tasks.raw_rows import Fault
from cl_core.tasks.stream import describe_extra, describe_strangers
from cl_core.tasks.task import QA_KINDS

MOST_LISTED = 10


def check_one_space(
    tasks: Sequence[PreparedTask], held_out: Sequence[PreparedTask]
) -> tuple[list[Fault], list[str]]:
    """Checks that the tasks' classes are one label space: the union of what they have.

    A task may lack a class. One that nobody has training samples of, a task without any class in common with the
    others, and names that only look like another task's are faults.

    Args:
        tasks: those with classes, in order.
        held_out: tasks that are never learnt.

    Returns:
        Faults and warnings.
    """
    labels = {task.name: task.label_names for task in tasks}
    faults = [
        Fault(name, None, sentence.removeprefix(f"task '{name}' "))
        for name, sentence in describe_strangers(labels).items()
    ]
    strangers = {fault.task for fault in faults}
    names = tuple(dict.fromkeys(name for task_labels in labels.values() for name in task_labels))
    faults += _twins(tasks, names)
    rows = {task.name: _training_rows(task) for task in tasks}
    learnt = {name for counts in rows.values() for name in counts}
    unread = any(fault.hides_classes for task in tasks for fault in task.faults)
    warnings = _counted_otherwise(tasks)
    for task in tasks:
        if task.kind in QA_KINDS or not rows[task.name] or task.name in strangers:
            continue
        if never := [name for name in task.label_names if name not in learnt]:
            message = (
                f"no rows of class {_listed(never)} here nor in another task, so it cannot be learnt; add rows, or "
                "leave it out of label_names"
            )
            if not unread:
                faults.append(Fault(task.name, "train", message, task.splits["train"].source))
        lacking = [name for name in names if name in learnt and name not in rows[task.name]]
        if len(learnt) == 1:
            message = (
                f"all rows have one class, {_listed(list(learnt))}; there is nothing to tell apart"
            )
            faults.append(Fault(task.name, "train", message, task.splits["train"].source))
        elif lacking and not strangers:
            warnings.append(_lacks(task, lacking))
    for task in held_out:
        if extra := [name for name in task.label_names if name not in names]:
            sentence = describe_extra(names, task.name, extra)
            faults.append(Fault(task.name, None, sentence.removeprefix(f"task '{task.name}' ")))
    return faults, warnings


def _training_rows(task: PreparedTask) -> Counter[str]:
    train = task.splits.get("train")
    return Counter(task.label_names[label] for label in train.labels) if train else Counter()


def _lacks(task: PreparedTask, lacking: Sequence[str]) -> str:
    scored = Counter(
        task.label_names[label] for label in getattr(task.splits.get("test"), "labels", ())
    )
    tested = sum(scored[name] for name in lacking)
    also = f" (test has {tested} of them)" if tested else ""
    return (
        f"task '{task.name}': no training samples of class {_listed(lacking)}{also}, which other tasks have; its head "
        "has the class all the same, and its macro F1 averages over the classes of its test samples and predictions"
    )


def _counted_otherwise(tasks: Sequence[PreparedTask]) -> list[str]:
    """That one task's numbers may be another's, counted from elsewhere: 0, 1 and 1, 2 have one in common here."""
    numbers = {
        task.name: sorted(map(int, task.label_names))
        for task in tasks
        if task.kind not in QA_KINDS and all(map(is_whole, task.label_names))
    }
    first = next(iter(numbers), "")
    steps = {name: [number - classes[0] for number in classes] for name, classes in numbers.items()}
    return [
        f"task '{name}': its classes are {_listed(list(map(str, classes)))}, those of '{first}' are "
        f"{_listed(list(map(str, numbers[first])))}: equal numbers are one class in a dil stream; where these "
        "count the same classes from another number, name them (label_names)"
        for name, classes in numbers.items()
        if classes != numbers[first] and steps[name] == steps[first]
    ]


def _twins(tasks: Sequence[PreparedTask], names: Sequence[str]) -> list[Fault]:
    """Names of different tasks that differ in nothing that is meant: one class would be learnt as two."""
    faults = []
    for twins in find_near_twins(names):
        owners = [task for task in tasks if set(twins) & set(task.label_names)]
        if any(set(twins) <= set(task.label_names) for task in owners):
            continue  # one task has them all: its own warning says so
        message = (
            f"{describe_twins(twins)} name one class in different tasks; in a dil stream a class has one name in all "
            "of them: write it alike"
        )
        faults.append(Fault(owners[-1].name, None, message, owners[-1].source))
    return faults


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(f"'{cut(name)}'" for name in names[:MOST_LISTED]) + more
