"""Pictures and videos of a task: where they are, whether they may be read, and which are damaged."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from cl_core.decode import open_picture
from cl_core.errors import UserError
from cl_core.tasks.raw import Fault, RawRows, describe_rows
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.task import Task
from cl_core.video import read_clip


def read_pictures(
    rows: RawRows, split: str, spec: TaskSpec, column: str
) -> tuple[list[object], list[bool], list[Fault]]:
    """The pictures of a column: encoded bytes as they are, paths made absolute.

    A value is bytes, a path relative to the file that names it, or the hub's mapping with `bytes` or `path`. Nothing is
    decoded here; `drop_damaged` does that once it is known which rows are wanted.

    Returns:
        (N,) pictures, (N,) whether each is one, and what is wrong with the others.
    """
    found: list[object] = []
    good: list[bool] = []
    wrong: dict[str, list[int]] = {}
    for number, value in zip(rows.numbers, rows.columns[column], strict=True):
        picture, fault = _picture(value, rows.folder)
        found.append(picture)
        good.append(fault is None)
        if fault is not None:
            wrong.setdefault(fault, []).append(number + 1)
    faults = [
        Fault(spec.name, split, f"'{column}' {fault}", rows.place, tuple(numbers))
        for fault, numbers in wrong.items()
    ]
    return found, good, faults


def _picture(value: object, folder: Path | None) -> tuple[bytes | str, str | None]:
    """A picture as `make_rows` takes it, or what is wrong with it."""
    if isinstance(value, dict):  # the hub's Image feature, not decoded
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes | bytearray | memoryview):
        return (bytes(value), None) if len(value) else (b"", "is empty")
    if value is None or value == "":
        return b"", "is empty"
    if not isinstance(value, str):
        return b"", f"is not a picture (encoded bytes or a path) but {type(value).__name__}"
    if folder is None:
        return b"", "is a path, but these rows come from no folder"
    root = folder.resolve()
    path = (root / value).resolve()
    if not path.is_relative_to(root):
        return b"", f"is a path that leaves the folder of its file ({folder.name})"
    if not path.is_file():
        return b"", "is a path where there is no file"
    return str(path), None


def drop_damaged(task: Task) -> tuple[Task, list[str]]:
    """Decodes every picture or video once and leaves out the rows whose own cannot be read.

    A run must not fail in the middle of its training for one file in a thousand; so these rows are named, and the
    others go on.

    Returns:
        The task without them, and a sentence for each split that lost rows.
    """
    if task.kind == "text":
        return task, []
    column, read = (
        ("video", lambda video: read_clip(video, 1))
        if task.kind == "video-qa"
        else ("image", open_picture)
    )
    splits, warnings = dict(task.splits), []
    for split, rows in task.splits.items():
        values = list(rows[column])
        each = list(dict.fromkeys(values))  # many questions may be about one picture
        with ThreadPoolExecutor() as pool:  # decoding lets go of the interpreter's lock
            damage = dict(zip(each, pool.map(partial(_damage, read), each), strict=True))
        reasons = [damage[value] for value in values]
        damaged = [row for row, reason in enumerate(reasons) if reason is not None]
        if damaged:
            numbers = [int(name.rsplit("/", 1)[1]) + 1 for name in rows.select(damaged)["id"]]
            whole = [row for row, reason in enumerate(reasons) if reason is None]
            splits[split] = type(rows).from_dict(
                rows.select(whole).to_dict(), features=rows.features
            )
            warnings.append(
                f"task '{task.name}': {len(damaged)} of {len(rows)} {split} {column}s cannot be read and are left out,"
                f"{describe_rows(numbers)}; the first: {reasons[damaged[0]]}"
            )
    return replace(task, splits=splits), warnings


def _damage(read: Callable[[bytes | str], object], source: bytes | str) -> str | None:
    """Why a picture or video cannot be read, or None."""
    try:
        read(source)
    except UserError as error:
        return str(error)
    return None
