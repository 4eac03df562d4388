"""What a process changes in its workspace, write by write: where it may be killed, and what it would leave there.

A write is a file opened for writing, renamed or removed, a folder made or removed: whatever Python announces before it
asks the system. Between two of them a process adds to files that are open; it can be killed there too, and
`benchmarks/checks/kill_and_resume.py` does that at moments.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir")
PARTIAL = ".partial"
"""In the names of what is still being written."""
DRAWN = re.compile(r"[0-9a-f]{12,}")
"""In names that are drawn anew each time, and in keys."""


@dataclass(frozen=True)
class KilledAtWrite:
    """A surround: the process is killed before it changes its workspace once more.

    Attributes:
        number: of the change, from 1.
    """

    number: int

    def __call__(self, workspace: Path) -> None:
        """Has this process watch itself."""
        count = 0

        def before() -> None:
            nonlocal count
            count += 1
            if count == self.number:
                os.kill(os.getpid(), signal.SIGKILL)

        before_each_write(workspace, before)


@dataclass(frozen=True)
class CountedWrites:
    """A surround: a file gets a byte for each change of the workspace.

    Attributes:
        file: outside of it.
    """

    file: Path

    def __call__(self, workspace: Path) -> None:
        """Has this process watch itself."""
        counted = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        before_each_write(workspace, lambda: os.write(counted, b"."))


@dataclass(frozen=True)
class KeptAtWrites:
    """A surround: before each change of its workspace the process keeps a copy of it.

    What a process that is killed there leaves is what lies on the disk at that moment, so one process gives every such
    workspace, and only what comes after the kill has to be carried out for each of them.

    Attributes:
        folder: for the copies, by the number of the change; a change that changed nothing has none.
        finished_only: whether what is still being written under a name of its own counts as nothing: all that reads a
            workspace passes over it, so that one kill stands for those between two finished files.
    """

    folder: Path
    finished_only: bool = False

    def __call__(self, workspace: Path) -> None:
        """Has this process watch itself."""
        self.folder.mkdir(parents=True)
        count, last = 0, None

        def before() -> None:
            nonlocal count, last
            count += 1
            now = stamps(workspace, self.finished_only)
            if now != last:
                last = now
                copy(workspace, self.folder / f"{count:05d}")

        before_each_write(workspace, before)


def before_each_write(workspace: Path, act: Callable[[], object]) -> None:
    """Has this process do something before each change of a workspace."""
    root, within = str(workspace), f"{workspace}{os.sep}"
    acting = False

    def heed(event: str, words: tuple[Any, ...]) -> None:
        nonlocal acting
        writes = event == "open" and bool(int(words[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        if (writes or event in CHANGES) and not acting:
            path = os.fsdecode(words[0]) if isinstance(words[0], str | bytes | os.PathLike) else ""
            if path == root or path.startswith(within):
                acting = True
                act()
                acting = False

    sys.addaudithook(heed)


def stamps(workspace: Path, finished_only: bool = False) -> dict[str, tuple[int, int]]:
    """Size and time of each file and folder of a workspace; nothing where there is none."""
    paths = [workspace, *workspace.rglob("*")] if workspace.exists() else []
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else (0, 0)
        for path in paths
        if not (finished_only and PARTIAL in str(path))
    }


def copy(workspace: Path, target: Path) -> None:
    """A copy of a workspace, or of the want of one."""
    if workspace.exists():
        shutil.copytree(workspace, target)
    else:
        target.mkdir()


def listing(workspace: Path) -> list[str]:
    """What lies in a workspace, and how many lines its events have, without what differs from one run to the next."""
    names = []
    for path in workspace.rglob("*"):
        lines = path.read_bytes().count(b"\n") if path.name == "events.jsonl" else 0
        names.append(f"{DRAWN.sub('#', str(path.relative_to(workspace)))} {lines}")
    return sorted(names)


def kept_states(folder: Path) -> Iterator[tuple[int, Path]]:
    """The number of each write with another workspace before it, and that workspace; each is removed afterwards."""
    for path in sorted(folder.iterdir()):
        yield int(path.name), path
        shutil.rmtree(path)
