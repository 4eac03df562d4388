"""Edits of a stream: what becomes of it by one, checked as if it had been read from a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from cl_core.errors import Faults, UserError
from cl_core.settings import allowed
from cl_core.tasks.spec import StreamSpec, TaskSpec

Spec = TypeVar("Spec", StreamSpec, TaskSpec)


def rebuilt(spec: StreamSpec, **changed: Any) -> StreamSpec:
    """The same with some fields changed, checked as if it had been read.

    Raises:
        Faults: it does not fit together.
    """
    return checked_stream({**spec.model_dump(mode="json", exclude_defaults=True), **changed})


def checked_stream(fields: dict[str, Any]) -> StreamSpec:
    """A stream of plain values.

    Raises:
        Faults: everything that is wrong with it.
    """
    return _checked(StreamSpec, "stream", fields)


def checked_task(fields: dict[str, Any]) -> TaskSpec:
    """A task of plain values.

    Raises:
        Faults: everything that is wrong with it.
    """
    return _checked(TaskSpec, "task", fields)


def _checked(model: type[Spec], what: str, fields: dict[str, Any]) -> Spec:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        lines = [line for detail in error.errors() for line in _lines(detail)]
        raise Faults(f"{what} '{fields.get('name', '')}'", lines) from None


def _lines(detail: Any) -> list[str]:
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "value_error":
        lines = str(detail["ctx"]["error"]).splitlines()
        field = detail["loc"] and isinstance(detail["loc"][-1], str)
        return [f"{where} {line}" for line in lines] if field else lines
    if detail["type"] == "string_pattern_mismatch":
        return [
            f"{where}: '{detail['input']}' begins with no letter or digit, or has more than letters, digits, "
            "spaces and . + - _"
        ]
    return [f"{where}: {allowed(detail)}"]


def added(spec: StreamSpec, tasks: Iterable[TaskSpec]) -> StreamSpec:
    """With tasks at the end; a name that is taken gets a number."""
    listed = list(spec.tasks)
    for task in tasks:
        taken = {other.name for other in (*listed, *spec.held_out)}
        listed.append(task.model_copy(update={"name": free_name(task.name, taken)}))
    return _with_tasks(spec, listed)


def moved(spec: StreamSpec, index: int, by: int) -> StreamSpec:
    """With the task at `index` (from 0) `by` positions later; it stays within the stream."""
    listed = list(spec.tasks)
    task = listed.pop(index)
    listed.insert(min(max(index + by, 0), len(listed)), task)
    return _with_tasks(spec, listed)


def removed(spec: StreamSpec, index: int) -> StreamSpec:
    """Without the task at `index`.

    Raises:
        UserError: it is the only one.
    """
    if len(spec.tasks) == 1:
        raise UserError("a stream has one task at least: remove the stream instead")
    gone = spec.tasks[index].name
    orders = {
        name: tuple(task for task in listed if task != gone) for name, listed in spec.orders.items()
    }
    shared = spec.shared_labels
    if isinstance(shared, tuple):
        groups = (tuple(task for task in group if task != gone) for group in shared)
        shared = tuple(group for group in groups if len(group) > 1) or None
    kept = [task for i, task in enumerate(spec.tasks) if i != index]
    return rebuilt(
        spec,
        tasks=[_fields(task) for task in kept],
        orders={name: listed for name, listed in orders.items() if listed},
        shared_labels=shared,
    )


def renamed(spec: StreamSpec, index: int, name: str) -> StreamSpec:
    """With the task at `index` called differently, wherever it is named.

    Raises:
        Faults: the name is taken, or is none.
    """
    old = spec.tasks[index].name

    def new(names: Iterable[str]) -> list[str]:
        return [name if task_name == old else task_name for task_name in names]

    tasks = [_fields(task) for task in spec.tasks]
    tasks[index] = {**tasks[index], "name": name}
    shared = spec.shared_labels
    return rebuilt(
        spec,
        tasks=tasks,
        orders={order: new(listed) for order, listed in spec.orders.items()},
        shared_labels=[new(group) for group in shared] if isinstance(shared, tuple) else shared,
    )


def copied(spec: StreamSpec, name: str, source: Path) -> StreamSpec:
    """Under another name; paths are made absolute, as the file may lie elsewhere."""
    tasks = [
        {**_fields(task), "path": str((source / Path(task.path).expanduser()).resolve())}
        if task.path is not None
        else _fields(task)
        for task in spec.tasks
    ]
    return rebuilt(spec, name=name, tasks=tasks)


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, or with the first number that makes it a new one."""
    taken_names = set(taken)
    number = 2
    free = name
    while free in taken_names:
        free, number = f"{name}-{number}", number + 1
    return free


def _with_tasks(spec: StreamSpec, tasks: Iterable[TaskSpec]) -> StreamSpec:
    return rebuilt(spec, tasks=[_fields(task) for task in tasks])


def _fields(task: TaskSpec) -> dict[str, Any]:
    return task.model_dump(mode="json", exclude_defaults=True)
