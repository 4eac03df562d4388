"""What comes with the data and is not used, in words: columns, members of an archive, files of a saved data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cl_core.errors import cut
from cl_core.tasks.raw_rows import RawRows
from cl_core.tasks.spec import TaskSpec

ARCHIVE_NOTE = "left-out-of-zip.txt"
"""Beside what was unpacked of an archive: the members that were not, one a line."""
MOST_NAMED = 8
HIDDEN = "hidden, or an operating system's"
_SAVED = ("dataset_dict.json", "dataset_info.json", "state.json")


def named(names: Iterable[str], most: int = MOST_NAMED) -> str:
    """ "a, b and 3 more"."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(map(cut, listed[:most])) + more


def unread_columns(splits: Mapping[str, RawRows], spec: TaskSpec) -> list[str]:
    """Columns that no field of the task names, a line for the files that have the same ones."""
    read = {*spec.inputs.values(), *spec.outcome.values(), "label_name"}
    places: dict[tuple[str, ...], list[str]] = {}
    for rows in splits.values():
        others = tuple(name for name in rows.columns if name not in read)
        if others:
            places.setdefault(others, []).append(rows.source)
    return [
        f"{'column' if len(others) == 1 else 'columns'} {named(others)} of {named(dict.fromkeys(files))}: "
        "no field of the task names it"
        for others, files in places.items()
    ]


def archive_lines(folder: Path) -> list[str]:
    """What an archive had besides what was unpacked into a folder."""
    note = folder / ARCHIVE_NOTE
    if not note.is_file():
        return []
    members = note.read_text(encoding="utf-8", errors="replace").splitlines()
    return [f"{named(members)} (of the zip): {HIDDEN}"] if members else []


def saved_lines(folder: Path, source: str, splits: Iterable[str]) -> list[str]:
    """Files in a `save_to_disk` folder that are none of its own.

    Args:
        folder: as saved.
        source: what messages call it.
        splits: their names, each with a folder of its own where there are several.
    """
    inner = [folder / name for name in splits if (folder / name).is_dir()]
    others = [
        entry
        for within in (folder, *inner)
        for entry in sorted(within.iterdir())
        if entry not in inner and entry.name not in _SAVED and entry.suffix != ".arrow"
    ]
    names = [f"{source}/{entry.relative_to(folder).as_posix()}" for entry in others]
    return [f"{named(names)}: no part of the saved data set"] if names else []
