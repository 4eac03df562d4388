"""What is said when the system fails: no room, no rights, no memory, a file that is gone or is none.

The terminal, a run's record of its failure and the app's pages say the same: what went wrong and where, what is safe,
what to do.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SAFE = "Nothing is half-written: whatever was finished before is whole and is kept"
AGAIN = "then do the same again: a run goes on where it was"
ELSEWHERE = "choose another folder (--workspace DIR, --output FILE)"
_FULL = (
    "there is no room left on the disk for {what}",
    f"make room ('adapter-lab clean' lists what no run needs), {AGAIN}",
)
_RIGHTS = (
    "this user may not read or write {what}",
    f"change its rights, or {ELSEWHERE}, {AGAIN}",
)
_DEVICE = (
    "{what} is a pipe or a device, where a file is expected",
    f"remove it or name another one, {AGAIN}",
)
_SILENT = (
    "the disk, or the network that it is on, does not answer for {what}",
    f"see that it does, {AGAIN}",
)
_WORDS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: (
        "{what} would be larger than a file may be here",
        f"raise the limit ('ulimit -f' shows it), or {ELSEWHERE}, {AGAIN}",
    ),
    errno.EROFS: (
        "{what} is on a file system that may only be read",
        f"have it mounted for writing, or {ELSEWHERE}, {AGAIN}",
    ),
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENOENT: (
        "{what} is not there: it, or a folder that it is in, was removed or moved",
        f"put it back, or say where it is now, {AGAIN}",
    ),
    errno.ENOTDIR: (
        "{what} cannot be: a part of its path is a file, and no folder",
        f"remove that file, or {ELSEWHERE}, {AGAIN}",
    ),
    errno.EEXIST: (
        "{what} is there already, and is no folder",
        f"remove it, or {ELSEWHERE}, {AGAIN}",
    ),
    errno.EISDIR: (
        "{what} is a folder, where a file is expected",
        f"remove it or name another one, {AGAIN}",
    ),
    errno.ENAMETOOLONG: (
        "the name {what} is too long for the file system",
        "choose a shorter name, or a folder with a shorter path",
    ),
    errno.ELOOP: ("the links at {what} lead in a circle", f"remove them, {AGAIN}"),
    errno.EMFILE: ("too many files are open for {what}", f"raise 'ulimit -n', {AGAIN}"),
    errno.ENFILE: ("too many files are open for {what}", f"end other programs, {AGAIN}"),
    errno.ESPIPE: _DEVICE,
    errno.ENXIO: _DEVICE,
    errno.ENODEV: _DEVICE,
    errno.EIO: _SILENT,
    errno.ESTALE: _SILENT,
    errno.ENOTCONN: _SILENT,
    errno.ENOLCK: (
        "the file system of {what} keeps no locks, without which two processes might write at once",
        f"have it mounted with locks, or {ELSEWHERE}, {AGAIN}",
    ),
    errno.EAGAIN: (
        "the system lets no further process begin",
        f"end others, or raise 'ulimit -u', {AGAIN}",
    ),
    errno.ETXTBSY: ("{what} is in use", f"end what uses it, {AGAIN}"),
    errno.EBUSY: ("{what} is in use", f"end what uses it, {AGAIN}"),
}
_MEMORY = (
    "memory ran out",
    f"close what else takes memory, or choose a smaller batch_size or max_length, {AGAIN}",
)
_GPU_MEMORY = (
    "the memory of the GPU ran out",
    f"end what else computes on it, or choose a smaller batch_size or max_length, or --device cpu, {AGAIN}",
)
_NUMBER = re.compile(r"\[?\b(?:errno|os error) (\d+)", re.IGNORECASE)
"""As libraries that are no Python write the system's answer."""
_OUT_OF_MEMORY = re.compile(
    r"can't allocate memory|not enough memory|bad_alloc|out of memory|could not create a (memory|primitive)"
)
_OUT_OF_GPU_MEMORY = re.compile(r"CUDA (error: )?out of memory|HIP out of memory|\w+_ALLOC_FAILED")
_NOT_LOADED = re.compile(r"failed to map segment|annot allocate memory")
LEAST_MEMORY = 256 * 2**20
"""Bytes of addresses that torch and its threads take beside any model **(ours)**."""
LONGEST_NAME = 120
"""Characters of a path in a sentence; of a longer one its ends are shown."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Gives what the system answers the name of the file: writing to one that is open is refused without it."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


@contextmanager
def unless_refused(say: Callable[[str], None] | None) -> Iterator[None]:
    """Goes on where the system does not let something be kept that is of use without, and says why.

    Args:
        say: is told; None for whoever needs it kept, and is told by the error.
    """
    try:
        yield
    except OSError as error:
        said = explained(error)
        if say is None or not said:
            raise
        say(f"what was computed is not kept: {said}")


def check_memory() -> None:
    """Refuses to begin what computes where there is not the least that it takes.

    Libraries that are refused memory while they load or begin their threads may end the process at once, without a
    word, or wait in vain.

    Raises:
        MemoryError: there is not.
    """
    try:
        mmap.mmap(-1, LEAST_MEMORY).close()
    except (OSError, MemoryError) as error:
        raise MemoryError(f"less than {LEAST_MEMORY} bytes are left") from error


def explained(error: BaseException) -> str:
    """What went wrong, what is safe and what to do; "" for an error that is none of the system's.

    >>> explained(OSError(28, "No space left on device", "workspace/runs"))[:66]
    "there is no room left on the disk for 'workspace/runs'. Nothing is"
    >>> explained(KeyError("name"))
    ''
    """
    words = _words(error)
    before = error.__cause__ or error.__context__
    while (
        words is None and before is not None
    ):  # whoever was refused memory may say something else of it
        words = _words(before)
        words = words if words in (_MEMORY, _GPU_MEMORY, _WORDS[errno.EAGAIN]) else None
        before = before.__cause__ or before.__context__
    if words is None:
        return ""
    wrong, todo = words
    return f"{wrong}. {SAFE}; {todo}."


def _words(error: BaseException) -> tuple[str, str] | None:
    if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported for its name
        return _GPU_MEMORY
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, OSError) or type(error).__name__ == "SafetensorError":
        return _of_system(error)
    text = str(error)
    if isinstance(error, ImportError) and _NOT_LOADED.search(text):
        return _MEMORY
    if isinstance(error, RuntimeError):
        if _OUT_OF_GPU_MEMORY.search(text):
            return _GPU_MEMORY
        if _OUT_OF_MEMORY.search(text):
            return _MEMORY
        if "can't start new thread" in text:
            return _WORDS[errno.EAGAIN]
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        said = ascii(error.object[max(0, error.start - 20) : error.end])
        return (
            f"{said} holds half a character, as names do that are in another encoding than UTF-8",
            "write it anew in UTF-8",
        )
    if isinstance(error, ValueError) and text.startswith("embedded null"):
        return (
            "a path holds the character NUL, which no file system allows",
            "choose another name",
        )
    return None


def _of_system(error: BaseException) -> tuple[str, str] | None:
    number = getattr(error, "errno", None)
    if number is None:
        written = _NUMBER.search(str(error))
        number = int(written[1]) if written else None
    if number is None:
        return None
    if number == errno.ENOMEM:
        return _MEMORY
    path = getattr(error, "filename", None)
    answer = getattr(error, "strerror", None) or os.strerror(number)
    if number == errno.ENOENT and path is None and answer != os.strerror(number):
        return answer, f"make what is missing, {AGAIN}"  # of Python's tempfile
    wrong, todo = _WORDS.get(
        number, (f"the system refused {{what}} ({answer})", f"mend that, {AGAIN}")
    )
    return wrong.format(what=_named(path)), todo


def _named(path: object) -> str:
    if not isinstance(path, str | bytes | os.PathLike):
        return "a file"
    name = os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME // 2]}...{name[-LONGEST_NAME // 2 :]}"
    return f"'{name}'"
