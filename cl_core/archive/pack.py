"""A workspace, or some of its runs with everything that they name, as one zip file; `unpack` is the way back.

What belongs to this machine alone stays here: the queue of jobs, preferences, locks, and whatever is half-written.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cl_core.archive.needs import missing
from cl_core.archive.prune import needed_by
from cl_core.archive.zip_members import PARTS, belongs, is_plain
from cl_core.errors import UserError
from cl_core.limits import FOLDER_DEPTH
from cl_core.output_files import output_file
from cl_core.runs.reading.run_hashes import HASHES
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.slices import slices
from cl_core.runs.workspace import Workspace
from cl_core.store import is_held
from cl_core.tasks.stream_file import read_stream_file

STAYS = ("run.lock", "stop.request")
"""Files of a run that mean something only while it is carried out."""
OUTSIDE = "it lies outside the workspace"
BESIDE = "it lies where only stream files are taken along; data belong into a folder of the workspace's data/"
NOWHERE = "it is no part of a workspace, or of a kind that is not taken in elsewhere"
UNPLAIN = "its name has a colon, a backslash or a control character, which not every system allows"
"""Why something stays."""
PACKED_ALREADY = (".safetensors", ".parquet", ".png", ".jpg", ".jpeg", ".webp", ".mp4", ".webm")
"""Compressing these takes long and gains little."""


@dataclass(frozen=True)
class ArchiveContents:
    """What is to be packed.

    Attributes:
        root: of the workspace.
        files: relative to it, sorted.
        bytes: of all of them, before packing.
        left_out: what a run or the workspace has besides, a line each with the reason.
    """

    root: Path
    files: tuple[Path, ...]
    bytes: int
    left_out: tuple[str, ...] = ()


def archive_contents(workspace: Workspace, runs: Sequence[str] | None = None) -> ArchiveContents:
    """What belongs to a workspace, or to some of its runs.

    A run takes along its folder, the artifacts that it names and those that they were made from, its slices, and the
    stream file and data that it was given where they lie in the workspace.

    Args:
        workspace: where they are.
        runs: names; None for everything.

    Raises:
        UserError: there is no such run, or nothing to pack.
    """
    root = workspace.root.resolve()
    left_out: list[str] = []
    if runs is None:
        places = [root / part for part in PARTS]
    else:
        chosen = [workspace.find(name) for name in runs]
        places = [path for run in chosen for path in _own(workspace, run, left_out)]
        places += [
            root / "store" / kind / key for kind, key in sorted(needed_by(workspace, chosen))
        ]
        left_out += [
            f"{name} of run '{run.name}': it is missing from the store"
            for run in chosen
            for name in missing(workspace, run)
        ]
    contents = {file for path in places for file in _files(path, root, left_out)}
    if not contents:
        raise UserError(f"there is nothing to pack in {workspace.root}")
    files = tuple(sorted(file.relative_to(root) for file in contents))
    left_out += [f"'{file}': {why}" for file in files if (why := _unfit(file))]
    files = tuple(file for file in files if not _unfit(file))
    size = sum(_size(root / file) for file in files)
    return ArchiveContents(root, files, size, tuple(dict.fromkeys(left_out)))


def write_zip(contents: ArchiveContents, target: IO[bytes]) -> None:
    """Writes the zip, file by file: none is held in memory whole.

    A file that was removed meanwhile is left out: of an artifact the rest then does not pass the check on arrival.

    Args:
        contents: from `archive_contents`.
        target: open for writing; need not be seekable.
    """
    with zipfile.ZipFile(target, "w", strict_timestamps=False) as archive:
        for file in contents.files:
            method = zipfile.ZIP_STORED if file.suffix in PACKED_ALREADY else zipfile.ZIP_DEFLATED
            with suppress(FileNotFoundError), (contents.root / file).open("rb") as source:
                entry = zipfile.ZipInfo.from_file(
                    contents.root / file, file.as_posix(), strict_timestamps=False
                )
                entry.compress_type = method
                # A file that is being appended to may have grown beyond what was announced.
                with archive.open(entry, "w", force_zip64=entry.file_size > 2**30) as member:
                    shutil.copyfileobj(source, member, 2**20)


def pack(workspace: Workspace, target: Path, runs: Sequence[str] | None = None) -> ArchiveContents:
    """Packs into a file, which appears when it is whole; one of that name is replaced.

    Args:
        workspace: what is packed.
        target: the zip file; its folder must exist.
        runs: names; None for everything.

    Raises:
        UserError: there is no such run, nothing to pack, or no such folder.
        OSError: as `output_file`: a device or a pipe is not written to.
    """
    contents = archive_contents(workspace, runs)
    if not target.parent.is_dir():
        raise UserError(f"there is no folder '{target.parent}' to write {target.name} to")
    with output_file(target) as file:
        write_zip(contents, file)
    return contents


def _own(workspace: Workspace, run: RunFolder, left_out: list[str]) -> Iterator[Path]:
    """What belongs to a run beside its artifacts; what of it stays is added to `left_out`."""
    root = workspace.root.resolve()
    yield root / "runs" / run.name
    for piece in slices(workspace, run.name):
        yield root / "slices" / f"{piece.name}.json"
    source = run.stream_source
    stream = Path(source).resolve()
    if not stream.is_file():
        if stream.suffix in (".yaml", ".yml"):
            left_out.append(f"stream '{source}' of run '{run.name}': it is no longer there")
        return
    if stream.is_relative_to(root / "streams"):
        yield stream
    else:
        left_out.append(f"stream '{source}' of run '{run.name}': {OUTSIDE}")
    try:
        spec = read_stream_file(stream)
    except UserError:  # it goes along as it is
        left_out.append(
            f"data of run '{run.name}': stream '{stream.name}' has faults by now, and nobody can tell which it names"
        )
        return
    for task in (*spec.tasks, *spec.held_out):
        if task.data is not None:
            left_out.append(f"data '{task.data}' of task '{task.name}': {OUTSIDE}")
        if task.path is None:
            continue
        path = (stream.parent / task.path).resolve()
        if path.is_relative_to(root / "data"):
            yield root.joinpath("data", *path.relative_to(root / "data").parts[:1])
        else:
            why = BESIDE if path.is_relative_to(root) else OUTSIDE
            left_out.append(f"data '{path}' of task '{task.name}': {why}")


def _unfit(file: Path) -> str:
    """Why a file of a workspace would be refused or passed over by `unpack`; "" where it is taken in."""
    path = PurePosixPath(*file.parts)
    return UNPLAIN if not is_plain(path.as_posix()) else "" if belongs(path) else NOWHERE


def _files(path: Path, root: Path, left_out: list[str]) -> Iterator[Path]:
    """All files below; links are not followed, hidden ones are somebody's half-written work."""
    if path.name in STAYS:
        return
    if path.name.startswith("."):
        if path.relative_to(root).parts[0] == "data":
            left_out.append(f"'{path.relative_to(root)}': it is hidden")
        return
    if path.is_symlink():
        left_out.append(f"'{path.relative_to(root)}': it is a link, which is not followed")
        return
    # Of a run that goes on, files and their hashes are packed at different moments.
    if path.name == HASHES and is_held(path.with_name("run.lock")):
        return
    if path.is_dir():
        if len(path.relative_to(root).parts) > FOLDER_DEPTH.most:
            levels = 1 + len(path.relative_to(root).parts)
            top = PurePosixPath(*path.relative_to(root).parts[:2])
            left_out.append(FOLDER_DEPTH.refusal(f"'{top}'", levels))
            return
        for inner in path.iterdir():
            yield from _files(inner, root, left_out)
    elif path.is_file():
        yield path
    elif path.exists():
        left_out.append(f"'{path.relative_to(root)}': it is no regular file")


def _size(file: Path) -> int:
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
