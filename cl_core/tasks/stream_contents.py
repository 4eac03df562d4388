"""What a stream's data hold, without training: `adapter-lab check` and the browser's task cards say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from cl_core.errors import Faults, counted
from cl_core.picture_decoder import has_transparency
from cl_core.tasks.checks import check_stream
from cl_core.tasks.prepared_task import MappedRows, PreparedTask
from cl_core.tasks.raw_rows import Fault
from cl_core.tasks.spec import StreamSpec
from cl_core.tasks.stream_loader import choose_stream, data_folder, read_prepared
from cl_core.tasks.stream_tasks import finish
from cl_core.tasks.task import ENCODED, SPLITS
from cl_core.video import clip_has_transparency

SAMPLES = 4
"""Rows of each task that are shown."""
LONGEST = 400
"""Characters of a row that are shown."""


@dataclass(frozen=True)
class StreamContents:
    """What was read of a stream.

    Attributes:
        name: of the stream; "" where its file could not be read.
        protocol: of the stream.
        prepared: its tasks, those that are held out last.
        learnt: how many of them are learnt.
        limits: by task, at most so many rows of a split that a run gets; None for all.
        faults: it must not run with any of them.
        warnings: sentences.
    """

    name: str = ""
    protocol: str = ""
    prepared: Sequence[PreparedTask] = ()
    learnt: int = 0
    limits: Sequence[Mapping[str, int | None]] = ()
    faults: Sequence[Fault] = ()
    warnings: Sequence[str] = field(default_factory=tuple)

    def summary(self) -> dict[str, Any]:
        """For machines: names, tasks, faults and warnings; what the browser shows comes from the same parts."""
        return {
            "stream": self.name,
            "protocol": self.protocol,
            "tasks": [
                {
                    **describe(task),
                    "limits": {split: most for split, most in limits.items() if most is not None},
                    "held_out": number >= self.learnt,
                }
                for number, (task, limits) in enumerate(
                    zip(self.prepared, self.limits, strict=True)
                )
            ],
            "faults": [describe_fault(fault) for fault in self.faults],
            "warnings": list(self.warnings),
        }


def check_source(
    source: str | Path | StreamSpec,
    *,
    data: str | Path | None = None,
    protocol: str | None = None,
    order: str | None = None,
    hold_out: Sequence[str] = (),
) -> StreamContents:
    """Reads all of a stream's data and checks them; nothing is trained, and no fault is raised.

    Args:
        source, data, protocol, order, hold_out: as in `load_stream`.

    Raises:
        UserError: there is no such stream, protocol, order or task.
    """
    try:
        spec, folder = choose_stream(source, order, protocol, hold_out)
    except Faults as error:
        return StreamContents(
            faults=[Fault("", None, fault, str(source)) for fault in error.faults]
        )
    return read_contents(spec, folder, data_folder(data))


def read_contents(spec: StreamSpec, folder: Path, root: Path | None) -> StreamContents:
    """Reads and checks a stream whose paths are relative to a folder; `root` has the real data."""
    prepared = read_prepared(spec, folder, root)
    learnt = len(spec.tasks)
    report = check_stream(spec.protocol, prepared[:learnt], spec.shared, prepared[learnt:])
    faults, warnings = report.faults, report.warnings
    if not faults and not _stay_whole(spec, prepared):
        finished = finish(spec, prepared, {}, 0)
        faults, warnings = finished.faults, warnings + finished.warnings
    limits = [task.limits for task in (*spec.tasks, *spec.held_out)]
    return StreamContents(spec.name, spec.protocol, prepared, learnt, limits, faults, warnings)


def _stay_whole(spec: StreamSpec, prepared: Sequence[PreparedTask]) -> bool:
    """Whether no task can lose a row, to a limit or to damage: none is made then, which would import `datasets`."""
    specs = (*spec.tasks, *spec.held_out)
    return all(
        not any(limit is not None for limit in task.limits.values())
        and (task.builtin is not None or rows.kind == "text")
        for task, rows in zip(specs, prepared, strict=True)
    )


def describe(task: PreparedTask) -> dict[str, Any]:
    """What was read of a task: files, rows, classes with their counts, and a few rows as they will be seen."""
    names = task.label_names
    tallies = {split: Counter(rows.labels) for split, rows in task.splits.items()}
    return {
        "name": task.name,
        "kind": task.kind,
        "source": task.source,
        "files": {split: task.splits[split].source for split in SPLITS if split in task.splits},
        "unused": list(task.unused),
        "ground": task.ground,
        "transparent": count_transparent(task),
        "rows": {split: len(task.splits[split]) for split in SPLITS if split in task.splits},
        "classes": list(names),
        "counts": {
            split: [tallies[split][label] for label in range(len(names))]
            for split in SPLITS
            if split in tallies
        },
        "samples": [
            {"text": words(rows.inputs, row), "label": label_of(task, rows, row)}
            for rows in [task.splits.get("train") or next(iter(task.splits.values()), None)]
            if rows is not None
            for row in sample_places(rows)
        ],
    }


def count_transparent(task: PreparedTask) -> int:
    """How many pictures or clips have transparent parts, or room for them: each once, however many rows name it."""
    pictures = {
        value
        for rows in task.splits.values()
        for column in ENCODED
        for value in rows.inputs.get(column, ())
    }
    look = clip_has_transparency if task.kind == "video-qa" else has_transparency
    with ThreadPoolExecutor() as pool:
        return sum(pool.map(look, pictures))


def describe_fault(fault: Fault) -> dict[str, Any]:
    """A fault, with the rows that it concerns, counted from 1."""
    return {
        "task": fault.task,
        "split": fault.split or "",
        "file": fault.source,
        "problem": fault.message,
        "rows": list(fault.rows),
        "row_count": len(fault.rows),
    }


def sample_places(rows: MappedRows) -> list[int]:
    """Positions of a few rows, one of each class first."""
    first: dict[int, int] = {}
    for row, label in enumerate(rows.labels):
        first.setdefault(label, row)
    others = (row for row in range(len(rows)) if row not in first.values())
    return [*first.values(), *islice(others, SAMPLES)][:SAMPLES]


def words(inputs: Mapping[str, Sequence[object]], row: int) -> str:
    """What a row says: its texts, and the path of its picture or video where it has one."""
    written = []
    for name, values in inputs.items():
        value = values[row]
        if name not in ENCODED:
            written.append(str(value))
        elif isinstance(value, bytes):
            written.append(f"{name} of {counted(len(value), 'byte')}")
        else:
            written.append(Path(str(value)).name)
    return " | ".join(written)[:LONGEST]


def label_of(task: PreparedTask, rows: MappedRows, row: int) -> str:
    """The name of a row's class; "" for an answer that is none of the vocabulary."""
    label = rows.labels[row]
    return task.label_names[label] if 0 <= label < len(task.label_names) else ""
