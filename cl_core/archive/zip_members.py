"""The files that a zip archive says it holds, and which of their names are traps."""

from __future__ import annotations

import re
import stat
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from cl_core.limits import FOLDER_DEPTH
from cl_core.tasks.sources.formats import READERS
from cl_core.tasks.sources.image_folder import SUFFIXES

PARTS = ("store", "streams", "slices", "data", "runs")
"""Folders of a workspace that can be taken along."""
KINDS: Mapping[str, tuple[str, ...]] = {
    "runs": (".yaml", ".json", ".jsonl", ".parquet"),
    "store": (".safetensors", ".parquet", ".json"),
    "streams": (".yaml", ".yml"),
    "slices": (".json",),
    "data": (*READERS, *SUFFIXES, ".mp4", ".webm", ".mov", ".mkv", ".avi"),
}
"""By part of the workspace, the files that are taken along and taken in; others are left out."""
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_KIND, _KEY = re.compile(r"[a-z][a-z0-9_-]*"), re.compile(r"[0-9a-f]{64}")


def is_artifact(kind: str, key: str) -> bool:
    """Whether a folder of the store is called as an artifact is."""
    return bool(_KIND.fullmatch(kind) and _KEY.fullmatch(key))


def belongs(path: PurePosixPath) -> bool:
    """Whether a file has a place in a workspace, by its path from there; packing and unpacking ask the same."""
    parts = path.parts
    if len(parts) < 2 or any(part.startswith(".") for part in parts):
        return False
    if path.suffix.lower() not in KINDS.get(parts[0], ()):
        return False
    match parts:
        case ("runs", name, _):
            return _RUN.fullmatch(name) is not None
        case ("store", kind, key, _):
            return is_artifact(kind, key)
        case ("streams" | "slices", _):
            return True
    return parts[0] == "data"


def is_plain(name: str) -> bool:
    """Whether every system has files of that name, and means the same by it."""
    return not any(letter in ":\\" or ord(letter) < 32 for letter in name)


@dataclass(frozen=True)
class Member:
    """A file of an archive.

    Attributes:
        info: as the archive has it.
        path: its name, with the separators of any system as "/".
    """

    info: zipfile.ZipInfo
    path: PurePosixPath

    @property
    def bytes(self) -> int:
        """Unpacked, as the archive announces it."""
        return self.info.file_size

    @property
    def packed(self) -> int:
        """As it lies in the archive."""
        return self.info.compress_size


def members(opened: zipfile.ZipFile) -> list[Member]:
    """Every entry that is no folder."""
    return [
        Member(info, PurePosixPath(info.filename.replace("\\", "/")))
        for info in opened.infolist()
        if not info.filename.endswith(("/", "\\"))
    ]


def names_outside(listed: Sequence[Member]) -> list[str]:
    """One sentence for each name that would leave the folder, stand for something else, or is there twice."""
    faults = []
    for member in listed:
        mode, name = member.info.external_attr >> 16, member.info.filename
        if member.path.is_absolute() or ".." in member.path.parts or not member.path.parts:
            faults.append(f"'{name}' would leave the folder")
        elif not is_plain(member.path.as_posix()):
            faults.append(f"{name!r} is no plain file name")
        elif len(member.path.parts) > FOLDER_DEPTH.most:
            faults.append(FOLDER_DEPTH.refusal(f"'{name[:40]}...'", len(member.path.parts)))
        elif stat.S_ISLNK(mode):
            faults.append(f"'{name}' is a link")
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            faults.append(f"'{name}' is no regular file")
        elif member.info.flag_bits & 1:
            faults.append(f"'{name}' is encrypted")
    counts = Counter(member.path.as_posix() for member in listed)
    faults += [f"'{name}' is there {count} times" for name, count in counts.items() if count > 1]
    return faults
