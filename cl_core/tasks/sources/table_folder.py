"""Folders of tables: which file is which split, and what lies beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cl_core.bounded_files import files_within
from cl_core.tasks.raw_rows import RawRows
from cl_core.tasks.sources.formats import READERS
from cl_core.tasks.sources.split_names import find_splits, is_hidden, resembles
from cl_core.tasks.sources.unused_data import HIDDEN
from cl_core.tasks.task import SPLITS

NOT_REGULAR = "no regular file: a pipe, a device, or a link to what is not there"
_PART = re.compile(r"(.+)-(\d+)-of-(\d+)")


@dataclass(frozen=True)
class Tables:
    """The tables of a folder.

    Attributes:
        files: by split, one or several parts of it.
        problems: of a split, or of the folder as a whole, what keeps it from being read.
        halves: sentences on sets of which parts are missing.
    """

    files: dict[str, list[Path]] = field(default_factory=dict)
    problems: tuple[tuple[str | None, str], ...] = ()
    halves: tuple[str, ...] = ()


def find_tables(folder: Path, named: Mapping[str, str | None]) -> Tables:
    """The files of each split; several are parts of one where they are numbered as on the hub, or in its folder.

    Args:
        folder: where they are.
        named: the file or folder of a split, as the stream file names it.
    """
    visible = [path for path in sorted(folder.iterdir()) if not is_hidden(path.name)]
    tables: dict[str, list[Path]] = {}
    problems: list[tuple[str | None, str]] = []
    for split, name in named.items():
        if name is not None and (folder / name).exists():
            tables[split] = _tables_in(folder / name)
        if name is not None and not tables.get(split):
            problems.append((split, f"there is no file '{name}'; the folder has {listing(folder)}"))
    stems: dict[str, list[Path]] = {}
    for path in visible:
        paths = _tables_in(path)
        if paths and path.name != "meta.json":
            stem = path.name if path.is_dir() else path.stem
            part = _PART.fullmatch(stem)
            stems.setdefault(part[1] if part else stem, []).extend(paths)
    for split, names in find_splits(stems).items():
        if named.get(split) is not None:
            continue
        files = [file for name in names for file in stems[name]]
        apart = {file.parent if file.parent != folder else file for file in files}
        parts = [_PART.fullmatch(file.stem) for file in files]
        whole = len(names) == 1 and len({part[3] if part else None for part in parts}) == 1
        if len(apart) > 1 and not (whole and all(parts)):
            listed = ", ".join(path.name for path in sorted(apart))
            problems.append(
                (
                    split,
                    f"several files could be it ({listed}); name one under split: {{{split}: ...}}",
                )
            )
        tables[split] = files
    kept = {split: tables[split] for split in SPLITS if tables.get(split)}
    halves = tuple(line for paths in kept.values() if (line := missing_parts(paths)))
    return Tables(kept, tuple(problems), halves)


def _tables_in(path: Path) -> list[Path]:
    """A table by itself, or all that a folder holds."""
    if path.is_file():
        return [path] if path.suffix.lower() in READERS else []
    if not path.is_dir():  # a link to nothing, a pipe
        return []
    inner = sorted(entry for entry in path.iterdir() if not is_hidden(entry.name))
    return [entry for entry in inner if entry.is_file() and entry.suffix.lower() in READERS]


def missing_parts(files: list[Path]) -> str | None:
    """A sentence where files are numbered as parts of a set and not all of it is there."""
    parts = [part for file in files if (part := _PART.fullmatch(file.stem))]
    if not parts:
        return None
    total, have = int(parts[0][3]), {int(part[2]) for part in parts}
    lost = [number for number in range(total) if number not in have]
    if not lost:
        return None
    stem, digits, suffix = parts[0][1], len(parts[0][2]), files[0].suffix
    names = [f"{stem}-{number:0{digits}}-of-{parts[0][3]}{suffix}" for number in lost]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"{len(have)} of {total} parts of '{stem}' are here; {', '.join(names[:3])}{more} "
        f"{'is' if len(names) == 1 else 'are'} not, so these are not all of its rows"
    )


def listing(folder: Path) -> str:
    """The first names of a folder, for messages."""
    names = [
        entry.name if entry.is_file() or entry.is_dir() else f"{entry.name} (no regular file)"
        for entry in sorted(folder.iterdir())
    ]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more if names else "no files"


def other_splits(file: Path, source: str) -> tuple[str, ...]:
    """Tables beside a file that is named for a split, which are other splits of the same by their names."""
    if not find_splits([_stem(file)]):
        return ()
    tables = [path for path in sorted(file.parent.iterdir()) if path != file and _tables_in(path)]
    return tuple(
        f"{path.name}: lies beside {source} and looks like {split}; give the folder as path, and both are read"
        for path in tables
        if (split := next(iter(find_splits([_stem(path)])), None)) and not path.is_dir()
    )


def _stem(file: Path) -> str:
    part = _PART.fullmatch(file.stem)
    return part[1] if part else file.stem


def tables_beside(
    folder: Path,
    source: str,
    tables: Tables,
    splits: Mapping[str, RawRows],
    media: Mapping[str, str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What lies in a folder and was not read, and those lines of it that look like a split.

    Args:
        folder: of the tables.
        source: what messages call it.
        tables: which were read.
        splits: their rows.
        media: columns that name files: pictures, videos.
    """
    read = {file for paths in tables.files.values() for file in paths}
    named = {
        (rows.folder / value).resolve()
        for rows in splits.values()
        for column in media.values()
        for value in rows.columns.get(column, ())
        if rows.folder is not None and isinstance(value, str)
    }
    lines, like = [], []
    hidden = []
    for entry in sorted(folder.iterdir()):
        path = f"{source}/{entry.name}"
        if is_hidden(entry.name):
            hidden.append(path)
            continue
        if entry in read or entry.name == "meta.json" or entry.resolve() in named:
            continue
        if entry.is_dir():
            files = list(files_within(entry))
            lost = [file for file in files if file not in read and file.resolve() not in named]
            secret = {f for f in lost if any(map(is_hidden, f.relative_to(folder).parts))}
            hidden += [f"{source}/{file.relative_to(folder).as_posix()}" for file in sorted(secret)]
            lost = [file for file in lost if file not in secret]
            if not lost:
                continue
            inner = f"{source}/{min(lost).relative_to(folder).as_posix()}"
            path = f"{inner} and {len(lost) - 1} more" if len(lost) > 1 else inner
            reason = "no row names it" if media else "in a folder that is no split"
        elif not entry.is_file():
            reason = NOT_REGULAR
        elif entry.suffix.lower() not in READERS:
            reason = f"no table by its ending ({', '.join(READERS)})"
        else:
            reason = "a table whose name is no split's; name it under split: {train: ...}"
        lines.append(f"{path}: {reason}")
        if resembles(entry.name):
            like.append(lines[-1])
    if hidden:
        more = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
        lines.append(f"{hidden[0]}{more}: {HIDDEN}")
    return tuple(lines), tuple(like)
