"""An ordered list of tasks with a protocol, and the label space that follows from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from cl_core.errors import UserError, cut
from cl_core.tasks.task import QA_KINDS, Task

Protocol = Literal["til", "cil", "dil"]
PROTOCOLS: tuple[Protocol, ...] = ("til", "cil", "dil")
PROTOCOL_TITLES: Mapping[str, str] = {
    "til": "task-incremental",
    "cil": "class-incremental",
    "dil": "domain-incremental",
}
"""As the field calls them."""
MOST_QUOTED = 10


def protocol_title(protocol: str) -> str:
    """What people read of a protocol, with the head rule behind it where there is one.

    >>> protocol_title("dil"), protocol_title("cil/compose")
    ('domain-incremental', 'class-incremental (compose)')
    """
    name, _, rule = protocol.partition("/")
    return f"{PROTOCOL_TITLES[name]} ({rule})" if rule else PROTOCOL_TITLES[name]


@dataclass(frozen=True)
class StreamLabels:
    """The labels of all tasks side by side.

    Attributes:
        names: the global labels of the learnt tasks, unique, in the order in which the tasks bring them.
        indices: by task, the global index of each of its own labels; -1 for a held-out task's label that no learnt
            task has.
    """

    names: tuple[str, ...]
    indices: Mapping[str, tuple[int, ...]]

    def global_index(self, task: str) -> tuple[int, ...]:
        """The global label of each local label of a task.

        Raises:
            UserError: the stream has no such task.
        """
        if task not in self.indices:
            raise UserError(f"there is no task '{task}'; the stream has {', '.join(self.indices)}")
        return self.indices[task]


@dataclass(frozen=True, eq=False)
class Stream:
    """Tasks in the order in which they are learnt.

    Attributes:
        name: for run names and reports.
        protocol: "til" (task id known at test), "cil" (unknown, labels of all tasks), "dil" (unknown, one
            label space for all tasks: the union of their classes, or of their vocabularies).
        tasks: in order.
        shared: CIL: groups of task names within which labels of one name are one label. Without a group
            they are distinct.
        title: one line for people.
        description: a few sentences for people.
        held_out: tasks that are never learnt, only routed to the others' adapters and scored. They bring no label.
        warnings: what the checks found that is not a fault, each a sentence.
    """

    name: str
    protocol: Protocol
    tasks: tuple[Task, ...]
    shared: tuple[tuple[str, ...], ...] = ()
    title: str = ""
    description: str = ""
    warnings: tuple[str, ...] = ()
    held_out: tuple[Task, ...] = ()

    @property
    def all_tasks(self) -> tuple[Task, ...]:
        """The tasks that are learnt, in order, and behind them those that are held out."""
        return self.tasks + self.held_out

    @cached_property
    def label_space(self) -> StreamLabels:
        """Global labels and each task's place among them; see `label_space`.

        Raises:
            UserError: DIL, and the tasks have no classes in common.
        """
        learnt = {task.name: task.label_names for task in self.tasks}
        held_out = {task.name: task.label_names for task in self.held_out}
        questions = all(task.kind in QA_KINDS for task in self.tasks)
        return label_space(self.protocol, learnt, self.shared, held_out, questions=questions)

    def task(self, name: str) -> Task:
        """The task of that name.

        Raises:
            UserError: there is none.
        """
        for task in self.all_tasks:
            if task.name == name:
                return task
        raise UserError(
            f"there is no task '{name}'; the stream has {', '.join(t.name for t in self.all_tasks)}"
        )

    def first(self, n: int) -> Stream:
        """The same stream with only its first ``n`` tasks."""
        kept = self.tasks[:n]
        names = {task.name for task in kept}
        shared = tuple(tuple(task for task in group if task in names) for group in self.shared)
        return replace(self, tasks=kept, shared=tuple(group for group in shared if len(group) > 1))


def vocabulary(stream: Stream) -> tuple[str, ...]:
    """What the labels of all learnt tasks are called, each name once, in the order in which the tasks bring them."""
    return tuple(dict.fromkeys(name for task in stream.tasks for name in task.label_names))


def label_space(
    protocol: Protocol,
    labels: Mapping[str, tuple[str, ...]],
    shared: tuple[tuple[str, ...], ...] = (),
    held_out: Mapping[str, tuple[str, ...]] | None = None,
    questions: bool = False,
) -> StreamLabels:
    """Lays the tasks' labels side by side.

    DIL: one space, the union of the tasks' labels in the order in which they bring them; a task may lack some, and list
    its own in another order. Tasks without a label in common with the others are refused **(ours)**, unless they ask
    questions, where it is the union of any vocabularies (DAM, arXiv 2403.08755).
    CIL: labels of different tasks are distinct, also when they share a name, unless both tasks are in one
    group of ``shared``. TIL: the same without sharing, since each head answers only for its own task.
    A name is qualified ("yelp: positive") only where two distinct labels share it **(ours)**.

    Args:
        protocol: of the stream.
        labels: label names by task, tasks in order.
        shared: groups of tasks within which equal names are one label.
        held_out: label names of tasks that are never learnt; they bring no label. Theirs are, by name, those of the
            DIL space; in CIL those of a learnt task in the same group, else of the only learnt task with that name
            **(ours)**; -1 where there is none, and in TIL, where no head is theirs.
        questions: DIL: whether the tasks ask questions.

    Raises:
        UserError: DIL, and learnt tasks have no label in common, or a held-out task has a label that is not theirs.
    """
    space = _learnt_space(protocol, labels, shared, questions)
    indices = dict(space.indices)
    for task, classes in (held_out or {}).items():
        extra = [name for name in classes if name not in space.names]
        if protocol == "dil" and not questions and extra:
            raise UserError(describe_extra(space.names, task, extra))
        group = next((group for group in shared if task in group), ())
        indices[task] = tuple(
            -1 if protocol == "til" else _place(name, group, labels, space.indices)
            for name in classes
        )
    return StreamLabels(space.names, indices)


def _place(
    name: str,
    group: tuple[str, ...],
    labels: Mapping[str, tuple[str, ...]],
    indices: Mapping[str, tuple[int, ...]],
) -> int:
    """Where a held-out task's label is among the learnt ones; -1 where no one place is."""
    indices_by_task = {
        task: indices[task][classes.index(name)]
        for task, classes in labels.items()
        if name in classes
    }
    candidates = {index for task, index in indices_by_task.items() if task in group} or set(
        indices_by_task.values()
    )
    return candidates.pop() if len(candidates) == 1 else -1


def _learnt_space(
    protocol: Protocol,
    labels: Mapping[str, tuple[str, ...]],
    shared: tuple[tuple[str, ...], ...],
    questions: bool,
) -> StreamLabels:
    if protocol == "dil":
        if not questions and (strangers := describe_strangers(labels)):
            raise UserError(next(iter(strangers.values())))
        names = tuple(dict.fromkeys(name for classes in labels.values() for name in classes))
        return StreamLabels(
            names, {task: tuple(map(names.index, classes)) for task, classes in labels.items()}
        )
    groups = {task: group for group in (shared if protocol == "cil" else ()) for task in group}
    members: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for task, names in labels.items():
        for name in names:
            members.setdefault((groups.get(task, (task,)), name), []).append(task)
    owners: dict[str, int] = {}
    for _, name in members:
        owners[name] = owners.get(name, 0) + 1
    names = tuple(
        name if owners[name] == 1 else f"{'+'.join(tasks)}: {name}"
        for (_, name), tasks in members.items()
    )
    places = {key: index for index, key in enumerate(members)}
    indices = {
        task: tuple(places[groups.get(task, (task,)), name] for name in classes)
        for task, classes in labels.items()
    }
    return StreamLabels(names, indices)


def describe_strangers(labels: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """By task, a sentence for each DIL task that no chain of common labels joins to the first task."""
    first = next((task for task, classes in labels.items() if classes), "")
    joined = set(labels.get(first, ()))
    left = {task: classes for task, classes in labels.items() if classes}
    while reached := [task for task, classes in left.items() if joined & set(classes)]:
        for task in reached:
            joined |= set(left.pop(task))
    return {
        task: f"task '{task}' has no class in common with task '{first}': {_quoted(classes)} here, "
        f"{_quoted(labels[first])} there; in a dil stream all tasks share one label space, and each may lack some of "
        "it: give the same label_names, or use protocol til or cil"
        for task, classes in left.items()
    }


def describe_extra(names: tuple[str, ...], task: str, extra: Sequence[str]) -> str:
    """A sentence for a held-out DIL task whose labels are not all in the learnt tasks' space."""
    return (
        f"task '{task}' adds {_quoted(list(extra))} to the classes of the learnt tasks ({_quoted(names)}); a held-out "
        "task of a dil stream is answered over the labels of the others"
    )


def _quoted(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - MOST_QUOTED} more" if len(names) > MOST_QUOTED else ""
    return ", ".join(f"'{cut(name)}'" for name in names[:MOST_QUOTED]) + more
