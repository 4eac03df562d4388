"""The files that a zip archive says it holds, and which of their names are traps."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


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
        elif ":" in name or any(ord(letter) < 32 for letter in name):
            faults.append(f"{name!r} is no plain file name")
        elif stat.S_ISLNK(mode):
            faults.append(f"'{name}' is a link")
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            faults.append(f"'{name}' is no regular file")
        elif member.info.flag_bits & 1:
            faults.append(f"'{name}' is encrypted")
    counts = Counter(member.path.as_posix() for member in listed)
    faults += [f"'{name}' is there {count} times" for name, count in counts.items() if count > 1]
    return faults
