"""Takes in a zip of a workspace or of run folders: checked before anything is written, and nothing is overwritten.

An archive may come from anybody. Its names are not trusted (no file leaves the workspace), nor are its sizes (what is
unpacked is counted while it is unpacked), nor its content: artifacts must have the bytes that their key and their
hashes say, a run must be one. Files are data of known kinds; nothing is run and nothing is unpickled.
"""

from __future__ import annotations

import shutil
import uuid
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from yaml import YAMLError

from cl_core.archive.leftovers import STAGING, remove_leftovers
from cl_core.archive.zip_members import PARTS, Member, belongs, members, names_outside
from cl_core.bounded_files import check_zip_directory, read_yaml
from cl_core.errors import Faults, UserError, counted
from cl_core.limits import YAML_BYTES, ZIP_BYTES, ZIP_FILES, ZIP_RATIO, TooLarge
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.slices import read_slice
from cl_core.runs.workspace import Workspace
from cl_core.store.artifact import DamageError, checked
from cl_core.system_faults import naming

CHUNK = 2**20
MOST_NAMES = 10
"""Of files that are left out, that are listed."""


@dataclass(frozen=True)
class Limits:
    """What an archive may come to.

    Attributes:
        files: entries, folders included.
        bytes: unpacked.
        ratio: unpacked over packed. Settings and events pack to a tenth, tensors hardly at all.
    """

    files: int = ZIP_FILES.most
    bytes: int = ZIP_BYTES.most
    ratio: float = ZIP_RATIO.most


@dataclass(frozen=True)
class UnpackResult:
    """What came of an archive.

    Attributes:
        runs: names of those that are new here.
        already: names of those that were here: they stay as they were.
        artifacts: new ones in the store.
        others: new stream files, slices and data files.
        left_out: names of files that are no part of a workspace, or of a kind that is not taken in.
    """

    runs: tuple[str, ...]
    already: tuple[str, ...]
    artifacts: int
    others: int
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        runs = counted(len(self.runs), "new run")
        new = f"{runs}: {', '.join(self.runs)}" if self.runs else "no new run"
        said = [
            f"{new}; {counted(self.artifacts, 'new artifact')}, {counted(self.others, 'other new file')}"
        ]
        if self.already:
            said.append(f"here already, and left as they were: {', '.join(self.already)}")
        if self.left_out:
            names = ", ".join(f"'{name}'" for name in self.left_out[:MOST_NAMES])
            more = len(self.left_out) - MOST_NAMES
            said.append(
                f"left out, as no part of a workspace: {names}{f' and {more} more' if more > 0 else ''}"
            )
        return "\n".join(said)


def unpack(
    workspace: Workspace, archive: Path | IO[bytes], limits: Limits | None = None
) -> UnpackResult:
    """Takes in a zip: of a workspace (`runs/`, `store/`, ...), or of one or several run folders.

    It is unpacked beside the rest and moved into place when all of it is sound, artifacts before the runs that need
    them. What is here already stays as it is.

    Args:
        workspace: which gets it; made where there is none.
        archive: a file, or its content as something that can be read and sought in.
        limits: what it may come to.

    Raises:
        UserError: it is no zip, is damaged, holds nothing of a workspace, or does not fit on the disk.
        Faults: everything that is wrong with its names, sizes, runs and artifacts. Nothing was taken in.
    """
    limits = limits or Limits()
    try:
        check_zip_directory(archive)
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UserError(f"the file is no zip archive, or is damaged: {error}") from None
    with opened:
        listed = members(opened)
        _refuse(_faults_of(opened, listed, limits))
        placed = _placed(listed)
        fresh = {path: member for path, member in placed.items() if not _is_here(workspace, path)}
        here = {path.parts[1] for path in placed if path.parts[0] == "runs" and path not in fresh}
        if not placed:
            raise UserError(
                "the archive holds no run and no part of a workspace; it should have run folders "
                f"(NAME/run.yaml), or {', '.join(f'{part}/' for part in PARTS)}"
            )
        _fits(workspace, sum(member.bytes for member in fresh.values()))
        remove_leftovers(workspace)
        staging = workspace.root / f"{STAGING}{uuid.uuid4().hex}"
        try:
            staging.mkdir(parents=True)
            _extract(opened, fresh, staging, limits)
            _refuse(
                [
                    *_unsound_runs(staging),
                    *_unsound_artifacts(staging),
                    *_unreadable(staging, "streams", read_yaml),
                    *_unreadable(staging, "slices", read_slice),
                ]
            )
            moved = [
                unit for part in PARTS for unit in _units(staging, part) if _move(unit, staging)
            ]
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    counts = Counter(path.parts[0] for path in moved)
    return UnpackResult(
        runs=tuple(sorted(path.name for path in moved if path.parts[0] == "runs")),
        already=tuple(sorted(here)),
        artifacts=counts["store"],
        others=counts["streams"] + counts["slices"] + counts["data"],
        left_out=_left_out(listed, placed),
    )


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        shown = [*faults[:20], *([f"and {len(faults) - 20} more"] if len(faults) > 20 else [])]
        raise Faults("zip archive", shown)


def _faults_of(opened: zipfile.ZipFile, listed: Sequence[Member], limits: Limits) -> list[str]:
    """What is wrong with names and announced sizes."""
    faults = names_outside(listed)
    if len(opened.infolist()) > limits.files:
        faults.append(
            f"it holds {counted(len(opened.infolist()), 'file')}; at most {limits.files:,}"
        )
    size = sum(member.bytes for member in listed)
    if size > limits.bytes:
        faults.append(f"it unpacks to {size / 2**20:,.0f} MB; at most {limits.bytes / 2**20:,.0f}")
    if size > limits.ratio * max(sum(member.packed for member in listed), 1):
        faults.append(f"it unpacks to more than {limits.ratio:.0f} times its size")
    return faults


def _placed(listed: Sequence[Member]) -> dict[PurePosixPath, Member]:
    """Where each file belongs in the workspace; those that belong nowhere are left out."""
    tops = {member.path.parts[0] for member in listed if len(member.path.parts) > 1}
    wraps = any(len(member.path.parts) > 2 and member.path.parts[1] in PARTS for member in listed)
    placed = {}
    for member in listed:
        path = member.path
        if not tops & set(PARTS):  # a folder around the workspace, or run folders by themselves
            path = PurePosixPath(*path.parts[1:]) if wraps else PurePosixPath("runs", path)
        if belongs(path):
            placed[path] = member
    return placed


def _left_out(listed: Sequence[Member], placed: Mapping[PurePosixPath, Member]) -> tuple[str, ...]:
    taken = {member.info.filename for member in placed.values()}
    return tuple(member.info.filename for member in listed if member.info.filename not in taken)


def _unit(path: PurePosixPath) -> PurePosixPath:
    """What is taken in whole or not at all: a run, an artifact, a folder of data, a file."""
    depth = {"runs": 2, "store": 3, "data": 2}.get(path.parts[0], len(path.parts))
    return PurePosixPath(*path.parts[:depth])


def _is_here(workspace: Workspace, path: PurePosixPath) -> bool:
    return (workspace.root / _unit(path)).exists()


def _fits(workspace: Workspace, size: int) -> None:
    folder = next(
        parent
        for parent in (workspace.root.absolute(), *workspace.root.absolute().parents)
        if parent.exists()
    )
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"the archive unpacks to {size / 1e6:,.0f} MB, and {folder} has {free / 1e6:,.0f} MB left; make room there"
        )


def _extract(
    opened: zipfile.ZipFile,
    fresh: Mapping[PurePosixPath, Member],
    staging: Path,
    limits: Limits,
) -> None:
    """Writes the files, counting what really comes out of them."""
    spent = 0
    for path, member in fresh.items():
        target = staging / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with naming(target), opened.open(member.info) as source, target.open("xb") as file:
                while chunk := source.read(CHUNK):
                    spent += len(chunk)
                    if spent > limits.bytes:
                        raise Faults(
                            "zip archive",
                            [f"it unpacks to more than {limits.bytes / 2**20:,.0f} MB"],
                        )
                    file.write(chunk)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise Faults(
                "zip archive", [f"'{path}' is there twice, or as file and folder"]
            ) from None
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise UserError(f"the archive is damaged at '{path}': {error}") from None


def _unsound_runs(staging: Path) -> Iterator[str]:
    """What is wrong with the runs: settings that cannot be read, tables that are none."""
    for unit in _units(staging, "runs"):
        run = RunFolder(staging / unit)
        file = run.path / "run.yaml"
        if not file.is_file():
            yield f"runs/{run.name} has no run.yaml"
            continue
        if file.stat().st_size > YAML_BYTES.most:
            yield f"runs/{run.name}/run.yaml has {file.stat().st_size / 2**20:.0f} MB and can be none"
            continue
        try:
            run.check()
        except DamagedFile as error:  # without what to do, which is meant for where it comes from
            yield f"runs/{run.name}/{error.fault}"


def _unsound_artifacts(staging: Path) -> Iterator[str]:
    """Artifacts that are not what their key and their hashes say."""
    for unit in _units(staging, "store"):
        try:
            checked(unit.parts[1], unit.parts[2], staging / unit)
        except (DamageError, OSError) as damage:
            yield f"{unit.parts[0]}/{unit.parts[1]}/{unit.parts[2][:12]} is damaged: {damage}"


def _unreadable(staging: Path, part: str, read: Callable[[Path], object]) -> Iterator[str]:
    """Files that are not even text of their kind; a stream with other faults comes in, and says them where it is."""
    for unit in _units(staging, part):
        try:
            read(staging / unit)
        except (OSError, ValueError, TypeError, YAMLError, TooLarge) as error:
            yield f"{unit} cannot be read: {' '.join(str(error).split())[:200]}"


def _units(staging: Path, part: str) -> list[PurePosixPath]:
    """What was unpacked of a part of the workspace."""
    files = sorted(path for path in (staging / part).rglob("*") if path.is_file())
    units = (_unit(PurePosixPath(path.relative_to(staging).as_posix())) for path in files)
    return list(dict.fromkeys(units))


def _move(unit: PurePosixPath, staging: Path) -> bool:
    """Puts a unit into its place in the workspace; False where somebody else has put one there meanwhile."""
    target = staging.parent / unit
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return False
    try:
        (staging / unit).rename(target)
    except OSError:
        if target.exists():
            return False
        raise
    return True
