"""The worker that reads a stream's data sets, and says what is in them and what is wrong with them.

`python -m app.workers.check_worker`.

The request is one JSON object on standard input, the answer one on standard output; see `CheckRequest` and `answer`.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.workers.thumbnails import png
from cl_core.errors import Faults, UserError, counted
from cl_core.settings import Settings
from cl_core.tasks.checks import check_task
from cl_core.tasks.prepared_task import MappedRows, PreparedTask, prepare
from cl_core.tasks.raw_rows import Fault, RawRows, RawTask
from cl_core.tasks.sources.media_files import drop_damaged, lost_to_damage
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_contents import (
    LONGEST,
    describe,
    describe_fault,
    label_of,
    read_contents,
    sample_places,
    words,
)
from cl_core.tasks.stream_file import parse_stream
from cl_core.tasks.stream_loader import data_folder, find_stream, read_task
from cl_core.tasks.task import ENCODED, QA_KINDS, SPLITS

PREVIEW = 10
"""Rows as they were found, beside the column mapping."""
THUMBNAIL = 112
"""Pixels."""
MOST_CLASSES = 40
MOST_ROWS = 50
"""Rows listed of one problem."""


class CheckRequest(Settings):
    """A request: one of `source`, `text` and `task`."""

    source: str | None = None
    """A named stream, or the path of a stream file."""
    text: str | None = None
    """A stream file's text, whose paths are relative to `folder`."""
    task: dict[str, Any] | None = None
    """One task that is about to be added: what its columns are is answered too."""
    folder: str = "."
    size: bool = False
    """Ask the hub how large the task's data are, and load nothing."""


def answer(asked: CheckRequest) -> dict[str, Any]:
    """{"tasks": [...], "faults": [...], "warnings": [...], "words": [...]}, or {"error": ...}."""
    try:
        if asked.size:
            return {"size": hub_size(TaskSpec(**(asked.task or {})))}
        if asked.task is not None:
            spec = TaskSpec(**asked.task)
            return _one(spec, Path(asked.folder))
        if asked.text is not None:
            return _stream(parse_stream(asked.text, "of this page"), Path(asked.folder))
        return _stream(*find_stream(asked.source or ""))
    except Faults as error:
        return {"error": error.subject, "faults": [_plain_fault(fault) for fault in error.faults]}
    except (UserError, ValueError, OSError) as error:
        return {"error": str(error)}


def _stream(spec: StreamSpec, folder: Path) -> dict[str, Any]:
    contents = read_contents(spec, folder, data_folder())
    return {
        "tasks": [card(task) for task in contents.prepared],
        "faults": [_fault(fault) for fault in contents.faults],
        "warnings": list(contents.warnings),
        "words": overlap(contents.prepared[: contents.learnt]),
    }


def _one(spec: TaskSpec, folder: Path) -> dict[str, Any]:
    raw, used = read_task(spec, folder, data_folder())
    prepared = prepare(raw, used)
    report = check_task(prepared)
    warnings, faults = list(report.warnings), list(report.faults)
    if not faults and prepared.kind != "text":  # a zip of pictures: is each of them one?
        whole = prepared.task()
        left, damaged = drop_damaged(whole)
        warnings += damaged
        faults += lost_to_damage(whole, left, damaged, SPLITS)
    return {
        "tasks": [card(prepared)],
        "faults": [_fault(fault) for fault in faults],
        "warnings": warnings,
        "found": preview_of(raw),
    }


def card(task: PreparedTask) -> dict[str, Any]:
    """What a task's card shows: what `adapter-lab check` says, with pictures, and the first of many classes."""
    said = describe(task)
    rows = task.splits.get("train")
    samples = [] if rows is None else [_sample(task, rows, row) for row in sample_places(rows)]
    return {
        **said,
        "classes": said["classes"][:MOST_CLASSES],
        "class_count": len(task.label_names),
        "counts": {split: counts[:MOST_CLASSES] for split, counts in said["counts"].items()},
        "samples": samples,
    }


def _sample(task: PreparedTask, rows: MappedRows, row: int) -> dict[str, str | None]:
    """A row: its text, its picture (PNG, base64), its label."""
    written = {name: values for name, values in rows.inputs.items() if name not in ENCODED}
    return {
        "text": words(written, row),
        "picture": _thumbnail(rows.inputs, row, task.ground),
        "label": label_of(task, rows, row),
    }


def _thumbnail(inputs: Mapping[str, Sequence[Any]], row: int, ground: str) -> str | None:
    """The picture, or a video's first frame; None where there is none or it cannot be read."""
    from PIL import Image

    from cl_core.picture_decoder import open_picture
    from cl_core.video import read_clip

    try:
        if "image" in inputs:
            picture = open_picture(inputs["image"][row], ground)
        elif "video" in inputs:
            clip = read_clip(inputs["video"][row], 1, ground)
            picture = Image.fromarray(clip.frames[0])
        else:
            return None
    except UserError:
        return None
    return png(picture, THUMBNAIL)


def preview_of(raw: RawTask) -> dict[str, Any]:
    """Columns, the first rows, and which columns they could be mapped to."""
    rows = raw.splits.get("train") or next(iter(raw.splits.values()), None)
    if rows is None:
        return {"columns": [], "preview": [], "guess": {}}
    preview = [
        {name: _cell(values[row]) for name, values in rows.columns.items()}
        for row in range(min(PREVIEW, len(rows)))
    ]
    return {"columns": list(rows.columns), "preview": preview, "guess": guess(rows)}


NAMES = {
    "text": ("text", "sentence", "review", "content", "body", "document", "comment", "tweet"),
    "label": ("label", "labels", "class", "category", "target", "sentiment", "topic", "y"),
    "image": ("image", "img", "picture", "photo", "path", "file", "file_name"),
    "video": ("video", "clip", "path", "file"),
    "question": ("question", "query", "q"),
    "answer": ("answer", "a", "label"),
}
"""What columns are often called, by the field that they could be."""


def guess(rows: RawRows) -> dict[str, str]:
    """A column for each field, by what it is called, else by what it holds."""
    lower = {name.lower().strip(): name for name in rows.columns}
    by_name = {
        field: next((lower[name] for name in names if name in lower), None)
        for field, names in NAMES.items()
    }
    taken = {column for column in by_name.values() if column}
    free = [name for name in rows.columns if name not in taken]
    head = {name: [str(value) for value in rows.columns[name][:500]] for name in rows.columns}
    if by_name["text"] is None and free:
        by_name["text"] = max(free, key=lambda name: sum(map(len, head[name])))
    if by_name["label"] is None:
        left = [name for name in free if name != by_name["text"]]
        if left:
            by_name["label"] = min(left, key=lambda name: len(set(head[name])))
    return {field: column for field, column in by_name.items() if column is not None}


def overlap(tasks: Sequence[PreparedTask]) -> list[list[float]]:
    """(T, T) Jaccard index of the words of the training texts; empty where not all tasks are texts."""
    bags = []
    for task in tasks:
        train = task.splits.get("train")
        field = "question" if task.kind in QA_KINDS else "text"
        if train is None or field not in train.inputs:
            return []
        bags.append(
            {w for text in train.inputs[field] for w in re.findall(r"\w+", str(text).lower())}
        )
    return [[len(a & b) / max(len(a | b), 1) for b in bags] for a in bags]


def hub_size(spec: TaskSpec) -> dict[str, Any]:
    """Bytes of a hub data set's files, and the commit that they are of; nothing is downloaded.

    Raises:
        UserError: it does not exist, or the hub cannot be reached.
    """
    from huggingface_hub import HfApi

    from cl_core.tasks.sources.hub import explain

    repository = (spec.hub or "").removeprefix("hub:")
    try:
        info = HfApi().dataset_info(
            repository, revision=spec.revision, files_metadata=True, timeout=20
        )
    # Its client raises its own kinds and those of two HTTP libraries: all are the hub's answer to the user.
    except Exception as error:
        raise UserError(f"{repository}: {explain(error, spec)}") from error
    files = info.siblings or []
    return {
        "bytes": sum(file.size or 0 for file in files),
        "files": len(files),
        "revision": info.sha,
    }


def _cell(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, str | int | float | bool):
        return value[:LONGEST] if isinstance(value, str) else value
    if isinstance(value, bytes):
        return counted(len(value), "byte")
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return counted(len(value["bytes"]), "byte")
    return str(value)[:LONGEST]


def _fault(fault: Fault) -> dict[str, Any]:
    said = describe_fault(fault)
    return {**said, "rows": said["rows"][:MOST_ROWS]}


def _plain_fault(message: str) -> dict[str, Any]:
    return {"task": "", "split": "", "file": "", "problem": message, "rows": [], "row_count": 0}


def main() -> None:
    """One request, one answer; whatever libraries print goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        reply = answer(CheckRequest(**json.load(sys.stdin)))
    json.dump(reply, sys.stdout)


if __name__ == "__main__":
    main()
