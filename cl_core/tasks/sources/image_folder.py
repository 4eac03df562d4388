"""Folders of pictures: one folder for each class, in one folder for each split or all in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cl_core.bounded_files import files_within
from cl_core.errors import counted
from cl_core.tasks.raw_rows import RawRows
from cl_core.tasks.sources.split_names import find_splits, is_hidden, resembles
from cl_core.tasks.sources.unused_data import ARCHIVE_NOTE, HIDDEN, archive_lines

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


@dataclass(frozen=True)
class PictureFolder:
    """What a folder of pictures holds.

    Attributes:
        rows: by split, "train" alone where there are no folders of splits; empty where there are no pictures.
        problems: what keeps it from being read as it seems to be meant, each with the split it concerns.
        unused: what lies in it and is not used, each a path and the reason.
        warnings: those of them that look like a split.
    """

    rows: Mapping[str, RawRows] = field(default_factory=dict)
    problems: tuple[tuple[str | None, str], ...] = ()
    unused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_image_folder(
    folder: Path, source: str, named: Mapping[str, str | None] | None = None
) -> PictureFolder:
    """The rows of `folder/train/cat/1.jpg` or of `folder/cat/1.jpg`, in the order of their paths.

    Labels are the names of the folders. A folder is a split by its name (`split_names.ALIASES`, in any case) where it
    holds folders of classes; one that holds pictures is a class of that name beside other classes. A single folder
    that holds all the others is only their wrapping **(ours)**. Hidden and system folders are neither.

    Args:
        folder: with one folder for each split, or for each class.
        source: what messages call it.
        named: folders of splits that the stream file names.
    """
    unused = archive_lines(folder)
    given = {split: name for split, name in (named or {}).items() if name is not None}
    while not given and (inner := _wrapping(folder)) is not None:
        unused += _beside(folder, {inner.name}, source)
        folder, source = inner, f"{source}/{inner.name}"
    visible = [entry.name for entry in sorted(folder.iterdir()) if not is_hidden(entry.name)]
    folders = [name for name in visible if (folder / name).is_dir()]
    by_split = find_splits(folders)
    if missing := {split: name for split, name in given.items() if name not in folders}:
        has = ", ".join(folders[:8]) or "none"
        return PictureFolder(
            problems=tuple(
                (s, f"there is no folder '{n}'; folders are {has}") for s, n in missing.items()
            )
        )
    by_split |= {split: [name] for split, name in given.items()}
    flat = {n for names in by_split.values() for n in names if not _has_classes(folder / n)}
    splits = {
        s: left for s, names in by_split.items() if (left := [n for n in names if n not in flat])
    }
    if not splits:
        return _without_splits(folder, source, folders, flat, unused)
    problems: list[tuple[str | None, str]] = []
    rows = {}
    for split, names in splits.items():
        if len(names) > 1:
            listed = ", ".join(names)
            message = (
                f"several folders could be it ({listed}); name one under split: {{{split}: ...}}"
            )
            problems.append((split, message))
        root = folder / names[0]
        rows[split] = _read(root, _classes(root), f"{source}/{root.name}", unused)
    used = {name for names in splits.values() for name in names}
    beside = _beside(folder, used, source)
    looking = [f"{source}/{name}" for name in visible if name not in used and resembles(name)]
    warnings = [line for line in beside if any(line.startswith(f"{path}:") for path in looking)]
    kept = {split: split_rows for split, split_rows in rows.items() if len(split_rows)}
    return PictureFolder(kept, tuple(problems), (*unused, *beside), tuple(warnings))


def _without_splits(
    folder: Path, source: str, folders: list[str], flat: set[str], unused: list[str]
) -> PictureFolder:
    """Classes beside each other, to be cut into splits."""
    classes = [folder / name for name in folders if _pictures(folder / name)]
    if classes and all(inner.name in flat for inner in classes):
        listed = " and ".join(inner.name for inner in classes)
        message = f"{listed} hold pictures in no folders of classes, so nothing says what they show"
        return PictureFolder(problems=((None, message),))
    rows = _read(folder, classes, source, unused)
    looking = [inner.name for inner in classes if resembles(inner.name)]
    warnings = [
        f"{source}/{name}: looks like a split and is read as a class: it holds pictures, and no folders of classes"
        for name in looking
    ]
    return PictureFolder({"train": rows} if len(rows) else {}, (), tuple(unused), tuple(warnings))


def _wrapping(folder: Path) -> Path | None:
    """The one folder that holds all others, where it has no pictures itself and is no split."""
    visible = [inner for inner in folder.iterdir() if inner.is_dir() and not is_hidden(inner.name)]
    if len(visible) != 1 or find_splits([visible[0].name]) or not _has_classes(visible[0]):
        return None
    return None if any(map(_is_picture, [*folder.iterdir(), *visible[0].iterdir()])) else visible[0]


def _has_classes(folder: Path) -> bool:
    return any(_pictures(inner) for inner in _classes(folder))


def _classes(folder: Path) -> list[Path]:
    return sorted(
        inner for inner in folder.iterdir() if inner.is_dir() and not is_hidden(inner.name)
    )


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not is_hidden(file.name) and file.is_file()


def _pictures(folder: Path) -> list[Path]:
    """Pictures in a folder and in those within it that are not hidden, in the order of their paths."""
    return [
        file
        for file in sorted(files_within(folder))
        if _is_picture(file) and not any(map(is_hidden, file.relative_to(folder).parts))
    ]


def _read(root: Path, classes: list[Path], source: str, unused: list[str]) -> RawRows:
    """The pictures of classes; what lies in or beside them and is not used goes to `unused`."""
    pictures: list[Path] = []
    for class_folder in classes:
        files = sorted(files_within(class_folder))
        readable = [file for file in _pictures(class_folder) if _is_text(file.relative_to(root))]
        pictures += readable
        taken = set(readable)
        unused += _grouped([file for file in files if file not in taken], root, source)
        if not files:
            unused.append(f"{source}/{class_folder.name}: an empty folder")
    unused += _beside(root, {class_folder.name for class_folder in classes}, source)
    columns: dict[str, list[object]] = {
        "image": [str(file.relative_to(root)) for file in pictures],
        "label": [file.relative_to(root).parts[0] for file in pictures],
    }
    return RawRows(columns, source, range(len(pictures)), folder=root)


def _is_text(path: Path) -> bool:
    """Whether a name is text: others, of an old system, can neither be shown nor kept."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _beside(folder: Path, used: set[str], source: str) -> list[str]:
    """What lies in a folder beside what is used: a line for each folder, and for each reason."""
    used = {*used, ARCHIVE_NOTE}
    others = [entry for entry in sorted(folder.iterdir()) if entry.name not in used]
    files = [entry for entry in others if entry.is_file() or is_hidden(entry.name)]
    lines = _grouped(files, folder, source)
    for entry in others:
        if entry.is_dir() and not is_hidden(entry.name):
            count = len(_pictures(entry))
            what = (
                f"{counted(count, 'picture')} in no folder of a class"
                if count
                else "a folder without pictures"
            )
            if count and _has_classes(entry):
                what = f"{counted(count, 'picture')}, not among the folders of splits"
            lines.append(f"{source}/{shown(entry.name)}: {what}")
    return lines


def _grouped(files: list[Path], root: Path, source: str) -> list[str]:
    """A line for each reason: the first file, how many more, and why they are not used."""
    reasons: dict[str, list[str]] = {}
    for file in files:
        path = file.relative_to(root)
        if any(map(is_hidden, path.parts)):
            reason = HIDDEN
        elif not _is_text(path):
            reason = "its name is not UTF-8; rename it"
        elif file.suffix.lower() in SUFFIXES:
            reason = "a picture in no folder of a class"
        else:
            reason = f"no picture by its ending ({', '.join(SUFFIXES)})"
        reasons.setdefault(reason, []).append(f"{source}/{shown(path.as_posix())}")
    return [
        f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {reason}"
        for reason, paths in reasons.items()
    ]


def shown(name: str) -> str:
    """A file's name as text, whatever its bytes are."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
