"""Local data: a folder with one file per split, a `save_to_disk` or image folder, or one file that is split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cl_core.bounded_files import files_within
from cl_core.errors import cut
from cl_core.limits import TooLarge
from cl_core.table_sizes.table_limits import check_arrow, within_limits
from cl_core.tasks.raw_rows import Fault, Problem, RawRows, RawTask
from cl_core.tasks.sources.arrow_table import rows_of_table
from cl_core.tasks.sources.formats import READERS, read_file
from cl_core.tasks.sources.image_folder import read_image_folder
from cl_core.tasks.sources.meta_file import meta_beside, read_meta
from cl_core.tasks.sources.split_names import find_splits, resembles
from cl_core.tasks.sources.table_folder import (
    Tables,
    find_tables,
    listing,
    missing_parts,
    other_splits,
    tables_beside,
)
from cl_core.tasks.sources.unused_data import saved_lines
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.task import ENCODED, SPLITS


def read_files(path: Path, spec: TaskSpec, source: str) -> RawTask:
    """Reads whatever is at ``path``; faults are collected, not raised.

    Splits that are not there are not made up here; see `cl_core.tasks.prepared_task`.

    Args:
        path: a folder or a file.
        spec: its task, for the names of the files.
        source: what messages call the path: as the user wrote it.
    """
    try:
        return _read(path, spec, source)
    except TooLarge as error:
        return RawTask(spec.name, source, {}, faults=(Fault(spec.name, None, str(error), source),))


def _read(path: Path, spec: TaskSpec, source: str) -> RawTask:
    if not path.exists():
        message = f"there is nothing at '{source}' (looked for {path}); paths are relative to the stream file"
        return RawTask(spec.name, source, {}, faults=(Fault(spec.name, None, message),))
    if path.is_file():
        alone = _read_splits(spec, source, {"train": [(path, source)]})
        beside = (*other_splits(path, source), *meta_beside(path, source))
        half = [
            f"task '{spec.name}' ({source}): {line}" for line in [missing_parts([path])] if line
        ]
        return replace(
            alone,
            unused=(*alone.unused, *beside),
            warnings=(*alone.warnings, *_said(spec, beside), *half),
        )
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return _read_saved(path, spec, source)
    tables = find_tables(path, spec.split.model_dump())
    if (
        spec.kind == "image"
        and not tables.files
        and (pictures := _read_pictures(path, spec, source))
    ):
        return pictures
    faults = _faults_of(tables, path, spec, source)
    names, wrong, unread = read_meta(path, spec, source)
    files = {
        split: [(file, f"{source}/{file.relative_to(path).as_posix()}") for file in paths]
        for split, paths in tables.files.items()
    }
    read = _read_splits(spec, source, files, names, (*faults, *wrong))
    media = {name: column for name, column in spec.inputs.items() if name in ENCODED}
    lost, like = tables_beside(path, source, tables, read.splits, media)
    half = [f"task '{spec.name}' ({source}): {line}" for line in tables.halves]
    return replace(
        read,
        unused=(*read.unused, *lost, *unread),
        warnings=(*read.warnings, *half, *_said(spec, (*like, *unread))),
    )


def _said(spec: TaskSpec, lines: Sequence[str]) -> list[str]:
    return [f"task '{spec.name}': not used: {line}" for line in lines]


def _read_pictures(path: Path, spec: TaskSpec, source: str) -> RawTask | None:
    """A folder of folders of pictures; None where it is none."""
    pictures = read_image_folder(path, source, spec.split.model_dump())
    faults = [Fault(spec.name, split, message, source) for split, message in pictures.problems]
    if not pictures.rows and not faults:
        return None
    if "train" not in pictures.rows and not faults:
        faults.append(_no_training(spec, source, list(pictures.rows)))
    warnings = [f"task '{spec.name}': {line}" for line in pictures.warnings]
    return RawTask(
        spec.name, source, pictures.rows, None, tuple(faults), tuple(warnings), pictures.unused
    )


def _no_training(spec: TaskSpec, source: str, splits: list[str]) -> Fault:
    message = (
        f"there are no training samples, only {' and '.join(splits)}; a stream's tasks are learnt, unless they "
        "stand under held_out"
    )
    return Fault(spec.name, None, message, source, lacks_train=True)


def _faults_of(tables: Tables, folder: Path, spec: TaskSpec, source: str) -> list[Fault]:
    """What is wrong with the choice of files."""
    faults = [Fault(spec.name, split, message, source) for split, message in tables.problems]
    if "train" in tables.files or faults:
        return faults
    if tables.files:
        return [_no_training(spec, source, list(tables.files))]
    message = (
        f"there is no train file ({', '.join(f'train{s}' for s in READERS)}); the folder has "
        f"{listing(folder)}; name the files under split: {{train: ...}}"
    )
    return [Fault(spec.name, None, message, source)]


def _read_splits(
    spec: TaskSpec,
    source: str,
    files: dict[str, list[tuple[Path, str]]],
    label_names: tuple[str, ...] | None = None,
    faults: tuple[Fault, ...] = (),
) -> RawTask:
    splits = {}
    all_faults = list(faults)
    warnings: list[str] = []
    unused: list[str] = []
    for split, parts in files.items():
        read = []
        for path, name in parts:
            file = read_file(path, name, spec.separator)
            all_faults += _faults(spec, split, name, file.problems)
            warnings += map(str, _faults(spec, split, name, file.warnings))
            unused += file.unused
            if file.rows is not None:
                read.append(replace(file.rows, folder=path.parent))
        if read:
            splits[split] = read[0] if len(read) == 1 else _joined(read, f"{source}/{split}-*")
    return RawTask(
        spec.name, source, splits, label_names, tuple(all_faults), tuple(warnings), tuple(unused)
    )


def _faults(spec: TaskSpec, split: str, source: str, problems: tuple[Problem, ...]) -> list[Fault]:
    """Problems as faults of a task; what is wrong with a column that it does not read is no concern of its."""
    asked = {*spec.inputs.values(), *spec.outcome.values(), "label_name", None}
    return [
        Fault(spec.name, split, message, source, rows)
        for message, rows, column in problems
        if column in asked
    ]


def _joined(parts: list[RawRows], source: str) -> RawRows:
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
    return RawRows(columns, source, range(count), carried, parts[0].folder)


def _by_name(part: RawRows, column: str) -> list[object]:
    """A column's cells, numbers that the file itself names being replaced by their names."""
    names = dict(enumerate(part.class_names.get(column, ())))
    cells = part.columns.get(column, [None] * len(part))
    return [names.get(cell, cell) if isinstance(cell, int) else cell for cell in cells]


def _read_saved(folder: Path, spec: TaskSpec, source: str) -> RawTask:
    """A folder written by `datasets`' `save_to_disk`: one split, or several."""
    import pyarrow
    from datasets import DatasetDict, load_from_disk

    try:
        for file in sorted(file for file in files_within(folder) if file.suffix == ".arrow"):
            with pyarrow.memory_map(str(file)) as opened:
                check_arrow(opened, file.name)
        saved = load_from_disk(str(folder))
    except (OSError, ValueError, KeyError, TooLarge) as error:
        message = f"cannot be read as a save_to_disk folder ({error})"
        return RawTask(spec.name, source, {}, faults=(Fault(spec.name, None, message, source),))
    splits = dict(saved) if isinstance(saved, DatasetDict) else {"train": saved}
    read = read_datasets(splits, spec, source)
    names = saved if isinstance(saved, DatasetDict) else ()
    return replace(read, unused=(*read.unused, *saved_lines(folder, source, names)))


def read_datasets(splits: dict[str, Any], spec: TaskSpec, source: str) -> RawTask:
    """Rows of `datasets.Dataset`s by split name, the spec's names and the usual aliases understood."""
    import pyarrow

    faults: list[Fault] = []
    rows = {}
    aliased = find_splits(splits)
    used = set()
    for split in SPLITS:
        named = getattr(spec.split, split)
        if named is not None and named not in splits:
            message = f"there is no split '{named}'; there are {', '.join(splits)}"
            faults.append(Fault(spec.name, split, message, source))
            continue
        names = [named] if named is not None else aliased.get(split, [])
        if len(names) > 1:
            message = f"several splits could be it ({', '.join(names)}); name one under split: {{{split}: ...}}"
            faults.append(Fault(spec.name, split, message, source))
        if not names:
            continue
        dataset = splits[names[0]]
        used |= set(names)
        table = dataset.with_format("arrow")[:]
        try:
            whole = pyarrow.Table.from_batches(within_limits(table.to_batches()), table.schema)
        except (TooLarge, pyarrow.ArrowInvalid) as error:
            faults.append(Fault(spec.name, split, str(error), source))
            continue
        file = rows_of_table(whole, f"{source}, split {split}")
        faults += _faults(spec, split, source, file.problems)
        if file.rows is not None:
            class_names = {
                column: tuple(feature.names)
                for column, feature in dataset.features.items()
                if hasattr(feature, "names")
            }
            rows[split] = RawRows(
                file.rows.columns, file.rows.source, file.rows.numbers, class_names
            )
    if "train" not in rows and not faults:
        message = f"there are no training samples; there are splits {', '.join(splits)}"
        faults.append(Fault(spec.name, None, message, source, lacks_train=bool(rows)))
    unused = tuple(
        f"split '{cut(name)}': no name of a split that is read"
        for name in splits
        if name not in used
    )
    like = [
        line
        for line, name in zip(unused, (n for n in splits if n not in used), strict=True)
        if resembles(name)
    ]
    return RawTask(spec.name, source, rows, None, tuple(faults), tuple(_said(spec, like)), unused)
