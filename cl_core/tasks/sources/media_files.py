"""Pictures and videos of a task: where they are, whether they may be read, and which are damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from cl_core.errors import UserError, cut
from cl_core.picture_decoder import open_picture
from cl_core.tasks.raw_rows import Fault, RawRows, describe_rows
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.task import QA_KINDS, Task, dataset_of
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
    pictures: list[object] = []
    good: list[bool] = []
    wrong: dict[str, list[int]] = {}
    for number, value in zip(rows.numbers, rows.columns[column], strict=True):
        picture, fault = _picture(value, rows.folder)
        pictures.append(picture)
        good.append(fault is None)
        if fault is not None:
            wrong.setdefault(fault, []).append(number + 1)
    faults = [
        Fault(spec.name, split, f"'{cut(column)}' {fault}", rows.source, tuple(numbers))
        for fault, numbers in wrong.items()
    ]
    return pictures, good, faults


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
        values = rows[column][:]
        distinct = list(dict.fromkeys(values))  # many questions may be about one picture
        with ThreadPoolExecutor() as pool:  # decoding lets go of the interpreter's lock
            damage = dict(zip(distinct, pool.map(partial(_damage, read), distinct), strict=True))
        reasons = [damage[value] for value in values]
        damaged = [row for row, reason in enumerate(reasons) if reason is not None]
        if damaged:
            numbers = [int(name.rsplit("/", 1)[1]) + 1 for name in rows.select(damaged)["id"][:]]
            whole = [row for row, reason in enumerate(reasons) if reason is None]
            splits[split] = dataset_of(rows.select(whole).to_dict(), rows.features)
            warnings.append(
                f"task '{task.name}': {len(damaged)} of {len(rows)} {split} {column}s cannot be read and are left out,"
                f"{describe_rows(numbers)}; the first: {reasons[damaged[0]]}"
            )
    return replace(task, splits=splits), warnings


def lost_to_damage(
    before: Task, after: Task, damaged: Sequence[str], needed: Sequence[str]
) -> list[Fault]:
    """What a task cannot do without and has no longer: all rows of a split, or of a class.

    Args:
        before: with the rows that cannot be read.
        after: without them.
        damaged: what `drop_damaged` said of them.
        needed: splits that must have rows; "train" among them if the task is learnt.
    """
    faults = []
    plain = [line.removeprefix(f"task '{after.name}': ") for line in damaged]
    why = {split: next((line for line in plain if f" {split} " in line), "") for split in needed}
    what = "video" if after.kind == "video-qa" else "image"
    for split in needed:
        if len(before.splits.get(split, ())) and not len(after.splits[split]):
            message = f"none of the {what}s can be read; mend the files ({why[split]})"
            faults.append(Fault(after.name, split, message))
    if "train" not in needed or any(fault.split == "train" for fault in faults):
        return faults
    left = set(after.train["label"][:])
    lost = sorted(set(before.train["label"][:]) - left)
    names = ", ".join(repr(before.label_names[label]) for label in lost)
    question = after.kind in QA_KINDS  # an answer that no row gives any more is only rarer
    if lost and len(left) == 1:
        kind = "answer" if question else "class"
        message = (
            f"no {what} of {kind} {names} can be read, so nothing is left to tell apart; mend the files "
            f"({why['train']})"
        )
        faults.append(Fault(after.name, "train", message))
    elif lost and not question:
        message = (
            f"no {what} of class {names} can be read, so it cannot be learnt; mend the files, or leave the class out "
            f"({why['train']})"
        )
        faults.append(Fault(after.name, "train", message))
    return faults


def _damage(read: Callable[[bytes | str], object], source: bytes | str) -> str | None:
    """Why a picture or video cannot be read, or None."""
    try:
        read(source)
    except UserError as error:
        return str(error)
    return None
