"""From checked tasks to those that a run gets: limits drawn, rows that cannot be decoded left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cl_core.errors import cut
from cl_core.tasks.prepared_task import PreparedTask
from cl_core.tasks.raw_rows import Fault
from cl_core.tasks.sources.media_files import drop_damaged, lost_to_damage
from cl_core.tasks.spec import StreamSpec
from cl_core.tasks.splits import limit_rows
from cl_core.tasks.task import QA_KINDS, SPLITS, Task


@dataclass(frozen=True)
class StreamTasks:
    """What a run would get.

    Attributes:
        tasks: the learnt ones, and behind them those that are held out.
        faults: classes and splits of which nothing is left, and limits that leave a task one class.
        warnings: sentences.
    """

    tasks: tuple[Task, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


def finish(
    spec: StreamSpec,
    prepared: Sequence[PreparedTask],
    limits: Mapping[str, int | None],
    limit_seed: int,
) -> StreamTasks:
    """Draws the limits and decodes every picture and video once, but for those that are drawn here.

    Args:
        spec: the stream.
        prepared: its tasks without faults, those that are held out last.
        limits: at most so many rows by split, after the limits of the tasks themselves.
        limit_seed: draws the subset.
    """
    tasks: list[Task] = []
    faults: list[Fault] = []
    warnings: list[str] = []
    for task_spec, prepared_task in zip((*spec.tasks, *spec.held_out), prepared, strict=True):
        whole = prepared_task.task()
        limited = limit_rows(
            limit_rows(whole, task_spec.limits, task_spec.seed), limits, limit_seed
        )
        task, damaged = (limited, []) if task_spec.builtin else drop_damaged(limited)
        warnings += damaged
        learns = len(tasks) < len(spec.tasks)
        lost = _classes_lost(whole, limited) if learns and task.kind not in QA_KINDS else ""
        if lost:
            sentence = f"the limit leaves no training samples of class {lost}"
            warnings.append(f"task '{task.name}': {sentence}")
        if lost and spec.protocol != "dil" and len(set(limited.train["label"][:])) == 1:
            only = limited.label_names[limited.train["label"][0]]
            message = (
                f"the limit leaves one class, '{cut(only)}'; there is nothing to tell apart: allow more training "
                "samples"
            )
            faults.append(Fault(task.name, "train", message))
        faults += lost_to_damage(limited, task, damaged, SPLITS if learns else ("test",))
        tasks.append(task)
    return StreamTasks(tuple(tasks), tuple(faults), tuple(warnings))


def _classes_lost(before: Task, after: Task) -> str:
    """The classes that had training samples before and have none any more, listed; "" where there are none."""
    left = set(after.train["label"][:])
    lost = sorted(set(before.train["label"][:]) - left)
    return ", ".join(repr(before.label_names[label]) for label in lost)
