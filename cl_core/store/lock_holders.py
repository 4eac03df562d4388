"""Whether the process that holds a lock stands still: a signal stopped it, and it holds on without doing anything."""

from __future__ import annotations

import re
from pathlib import Path

from cl_core.store.lock import is_held

PROCESSES = Path("/proc")
"""Where Linux says what each process does. Elsewhere nobody is known to stand still."""
_NOTE = re.compile(rb"process (\d{1,20})\s*$")
_STOPPED = "T"


def stopped_holder(path: Path) -> int | None:
    """The number of the process that holds a lock and was stopped (SIGSTOP, Ctrl-Z); None for any other.

    A number alone says nothing, as others may have it by now: the process must have the lock's file open.

    Args:
        path: of the lock.
    """
    if not is_held(path):
        return None
    try:
        with path.open("rb") as lock:
            note = _NOTE.match(lock.read(64))
        if note is None:
            return None
        process = PROCESSES / note[1].decode()
        state = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()[:1]
        if state != [_STOPPED] or not _has_open(process, path):
            return None
    except OSError:  # it has ended meanwhile, or is somebody else's
        return None
    return int(note[1])


def _has_open(process: Path, file: Path) -> bool:
    its = file.stat()
    for descriptor in (process / "fd").iterdir():
        try:
            opened = descriptor.stat()
        except OSError:  # closed meanwhile
            continue
        if (opened.st_dev, opened.st_ino) == (its.st_dev, its.st_ino):
            return True
    return False
