"""Local data: a folder with one file per split, a `save_to_disk` or image folder, or one file that is split."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from cl_core.tasks.arrow_table import rows_of_table
from cl_core.tasks.file_text import mend_halves
from cl_core.tasks.formats import READERS, read_file
from cl_core.tasks.image_folder import read_image_folder
from cl_core.tasks.raw import Fault, Problem, RawRows, RawTask
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.task import SPLITS

ALIASES = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}


def read_files(path: Path, spec: TaskSpec, place: str) -> RawTask:
    """Reads whatever is at ``path``; faults are collected, not raised.

    Splits that are not there are not made up here; see `cl_core.tasks.prepare`.

    Args:
        path: a folder or a file.
        spec: its task, for the names of the files.
        place: what messages call the path: as the user wrote it.
    """
    if not path.exists():
        message = f"there is nothing at '{place}' (looked for {path}); paths are relative to the stream file"
        return RawTask(spec.name, place, {}, faults=(Fault(spec.name, None, message),))
    if path.is_file():
        return _read_splits(spec, place, {"train": [(path, place)]})
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return _read_saved(path, spec, place)
    tables = any(e.suffix.lower() in READERS and e.name != "meta.json" for e in path.iterdir())
    if spec.kind == "image" and not tables and (pictures := read_image_folder(path, place)):
        return RawTask(spec.name, place, pictures)
    files, faults = _find_files(path, spec, place)
    names, wrong = _read_meta(path, spec, place)
    return _read_splits(spec, place, files, names, (*faults, *wrong))


def _find_files(
    folder: Path, spec: TaskSpec, place: str
) -> tuple[dict[str, list[tuple[Path, str]]], list[Fault]]:
    """The files of each split; several are parts of one where they are numbered as on the hub."""
    faults: list[Fault] = []
    found: dict[str, list[tuple[Path, str]]] = {}
    for split in SPLITS:
        named = getattr(spec.split, split)
        if named is not None:
            if (folder / named).is_file():
                found[split] = [(folder / named, f"{place}/{named}")]
            else:
                message = f"there is no file '{named}'; the folder has {_listing(folder)}"
                faults.append(Fault(spec.name, split, message, place))
            continue
        pattern = re.compile(rf"({'|'.join(ALIASES[split])})(-\d+-of-\d+)?", re.IGNORECASE)
        files = sorted(
            file
            for file in folder.iterdir()
            if file.suffix.lower() in READERS and pattern.fullmatch(file.stem)
        )
        if len(files) > 1 and not all("-of-" in file.stem for file in files):
            names = ", ".join(file.name for file in files)
            message = f"several files could be it ({names}); name one under split: {{{split}: ...}}"
            faults.append(Fault(spec.name, split, message, place))
        if files:
            found[split] = [(file, f"{place}/{file.name}") for file in files]
    if "train" not in found and not faults:
        if found:
            message = (
                f"there are no training rows, only {' and '.join(found)}; a stream's tasks are learnt, unless they "
                "stand under held_out"
            )
        else:
            message = (
                f"there is no train file ({', '.join(f'train{s}' for s in READERS)}); the folder has "
                f"{_listing(folder)}; name the files under split: {{train: ...}}"
            )
        faults.append(Fault(spec.name, None, message, place, lacks_train=bool(found)))
    return found, faults


def _listing(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir())
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more if names else "no files"


def _read_splits(
    spec: TaskSpec,
    place: str,
    files: dict[str, list[tuple[Path, str]]],
    label_names: tuple[str, ...] | None = None,
    faults: tuple[Fault, ...] = (),
) -> RawTask:
    splits = {}
    found = list(faults)
    warnings: list[str] = []
    for split, parts in files.items():
        read = []
        for path, name in parts:
            file = read_file(path, name, spec.separator)
            found += _faults(spec, split, name, file.problems)
            warnings += map(str, _faults(spec, split, name, file.warnings))
            if file.rows is not None:
                read.append(replace(file.rows, folder=path.parent))
        if read:
            splits[split] = read[0] if len(read) == 1 else _joined(read, f"{place}/{split}-*")
    return RawTask(spec.name, place, splits, label_names, tuple(found), tuple(warnings))


def _faults(spec: TaskSpec, split: str, place: str, problems: tuple[Problem, ...]) -> list[Fault]:
    """Problems as faults of a task; what is wrong with a column that it does not read is no concern of its."""
    asked = {*spec.inputs.values(), *spec.outcome.values(), "label_name", None}
    return [
        Fault(spec.name, split, message, place, rows)
        for message, rows, column in problems
        if column in asked
    ]


def _joined(parts: list[RawRows], place: str) -> RawRows:
    names = dict.fromkeys(name for part in parts for name in part.columns)
    columns = {
        name: [value for part in parts for value in part.columns.get(name, [None] * len(part))]
        for name in names
    }
    carried = dict(parts[0].class_names)
    for name in {column for part in parts for column in part.class_names}:
        if any(part.class_names.get(name) != carried.get(name) for part in parts):
            # Parts that number their classes differently are joined by the classes' names.
            columns[name] = [cell for part in parts for cell in _by_name(part, name)]
            carried.pop(name, None)
    count = sum(map(len, parts))
    return RawRows(columns, place, range(count), carried, parts[0].folder)


def _by_name(part: RawRows, column: str) -> list[object]:
    """A column's cells, numbers that the file itself names being replaced by their names."""
    names = dict(enumerate(part.class_names.get(column, ())))
    cells = part.columns.get(column, [None] * len(part))
    return [names.get(cell, cell) if isinstance(cell, int) else cell for cell in cells]


def _read_meta(
    folder: Path, spec: TaskSpec, place: str
) -> tuple[tuple[str, ...] | None, list[Fault]]:
    """`label_names` of a meta.json beside the data, if there is one."""
    file = folder / "meta.json"
    if not file.is_file():
        return None, []
    try:
        names = json.loads(file.read_text(encoding="utf-8")).get("label_names")
    except (ValueError, AttributeError) as error:
        message = f"not valid JSON ({error}); mend it or remove it"
        return None, [Fault(spec.name, None, message, f"{place}/meta.json")]
    if names is None:
        return None, []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        message = "label_names must be a list of names"
        return None, [Fault(spec.name, None, message, f"{place}/meta.json")]
    return tuple(str(mend_halves(name)) for name in names), []


def _read_saved(folder: Path, spec: TaskSpec, place: str) -> RawTask:
    """A folder written by `datasets`' `save_to_disk`: one split, or several."""
    from datasets import DatasetDict, load_from_disk

    try:
        saved = load_from_disk(str(folder))
    except (OSError, ValueError, KeyError) as error:
        message = f"cannot be read as a save_to_disk folder ({error})"
        return RawTask(spec.name, place, {}, faults=(Fault(spec.name, None, message, place),))
    splits = dict(saved) if isinstance(saved, DatasetDict) else {"train": saved}
    return read_datasets(splits, spec, place)


def read_datasets(splits: dict[str, Any], spec: TaskSpec, place: str) -> RawTask:
    """Rows of `datasets.Dataset`s by split name, the spec's names and the usual aliases understood."""
    faults: list[Fault] = []
    rows = {}
    for split in SPLITS:
        named = getattr(spec.split, split)
        if named is not None and named not in splits:
            message = f"there is no split '{named}'; there are {', '.join(splits)}"
            faults.append(Fault(spec.name, split, message, place))
            continue
        wanted = (named,) if named is not None else ALIASES[split]
        source = next((splits[name] for name in wanted if name in splits), None)
        if source is None:
            continue
        table = source.with_format("arrow")[:]
        file = rows_of_table(table, f"{place}, split {split}")
        faults += _faults(spec, split, place, file.problems)
        if file.rows is not None:
            names = {
                column: tuple(feature.names)
                for column, feature in source.features.items()
                if hasattr(feature, "names")
            }
            rows[split] = RawRows(file.rows.columns, file.rows.place, file.rows.numbers, names)
    if "train" not in rows and not faults:
        message = f"there are no training rows; there are splits {', '.join(splits)}"
        faults.append(Fault(spec.name, None, message, place, lacks_train=bool(rows)))
    return RawTask(spec.name, place, rows, faults=tuple(faults))
