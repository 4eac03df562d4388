"""Files that somebody named to be written: what is no file is refused and stays, what a link leads to is written.

The lab's own files are rather written by `store.atomic_writes`, which mends what lies in their place.
"""

from __future__ import annotations

import errno
import glob
import os
import re
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from cl_core.system_faults import naming

PARTIAL_SUFFIX = ".partial"
LEFT_SECONDS = 3600.0
"""Nobody writes any more into what was not written to for so long **(ours)**."""
MOST_LINKS = 40
"""As many as Linux follows."""
_DESCRIPTOR = re.compile(r"/(?:proc/(?:self|\d+)|dev)/fd/(\d+)")


@contextmanager
def output_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that somebody named, to write to: a regular one appears, or is replaced, when all is written.

    What a link leads to is written, and the link stays.

    Raises:
        OSError: the disk's answer, or it is a device, a pipe or a socket. What lay there is then as it was.
    """
    target = _regular_target(Path(path))
    _remove_leftovers(target)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}{PARTIAL_SUFFIX}")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(partial)):
            error.filename, error.filename2 = str(path), None
        raise
    sync_folder(target.parent)


def _remove_leftovers(target: Path) -> None:
    """Removes what processes that were killed while they wrote this file have left; one that writes did so just now."""
    for partial in target.parent.glob(f".{glob.escape(target.name)}.*{PARTIAL_SUFFIX}"):
        with suppress(OSError):
            if time.time() - partial.stat().st_mtime > LEFT_SECONDS:
                partial.unlink()


def write_output(path: Path, data: str | bytes) -> None:
    """Writes what was asked for to what was named: a file, as `output_file`, or this process's `/dev/stdout`.

    Raises:
        OSError: as `output_file`.
    """
    content = data.encode() if isinstance(data, str) else data
    number = descriptor_of(Path(path))
    if number is None:
        with output_file(path) as file:
            file.write(content)
        return
    with naming(path), os.fdopen(os.dup(number), "wb") as stream:
        stream.write(content)


def descriptor_of(path: Path) -> int | None:
    """The open file of this process that a name such as `/dev/stdout` or `/dev/fd/3` stands for; None for files."""
    for _ in range(MOST_LINKS):
        folder = Path(os.path.realpath(path.parent))
        path = folder / path.name
        if named := _DESCRIPTOR.fullmatch(str(path)):
            ours = str(folder) in ("/dev/fd", f"/proc/{os.getpid()}/fd")
            return int(named[1]) if ours else None
        if not path.is_symlink():
            return None
        path = folder / path.readlink()
    return None


def _regular_target(path: Path) -> Path:
    """What is to be replaced: a regular file, or a name that is still free.

    Raises:
        OSError: it is neither.
    """
    if descriptor_of(path) is not None:
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE), str(path))
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE), str(path))
    return target


def sync_folder(folder: Path) -> None:
    """Waits until the names in `folder` are on the disk."""
    if os.name == "nt":  # Windows cannot open folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
