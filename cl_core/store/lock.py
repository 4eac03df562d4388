"""A lock that lives and dies with its process.

Alive means that a run holds its lock. The system frees the lock when the process ends, however it
ends, so there is no guessing from process numbers and nothing stale to clean up.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from cl_core.errors import UserError

# `is_held` takes the lock for an instant; an owner-to-be that meets it tries again for this long.
PATIENCE_SECONDS = 0.5
_WINDOWS_OFFSET = (
    1 << 30
)  # Windows forbids reading locked bytes; the note at the start must stay readable
# What file systems answer that keep no locks, as some network mounts do.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})


class LockHeldError(UserError):
    """Another living process holds the lock."""


class RunLock:
    """An exclusive lock on a file, to be used with `with`.

    Args:
        path: the lock file, made when it is missing. It stays behind unlocked, which means nothing.
        patience: seconds that a holder is waited for; the default is for those that only ask.
    """

    def __init__(self, path: Path, patience: float = PATIENCE_SECONDS) -> None:
        self.path = Path(path)
        self._patience = patience
        self._descriptor: int | None = None
        _LOCKS.add(self)

    def acquire(self) -> None:
        """Takes the lock.

        Raises:
            LockHeldError: another living process (or another `RunLock`) holds it.
            OSError: the file's system keeps no locks (ENOLCK); two processes could write at once, so none does.
        """
        if self._descriptor is not None:
            return
        if self.path.exists() and not self.path.is_file():
            raise UserError(f"{self.path} is no regular file, and cannot be held; remove it")
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        until = time.monotonic() + self._patience
        while not self._try(descriptor):
            if time.monotonic() > until:
                note = os.read(descriptor, 200).decode("utf-8", "replace").strip()
                os.close(descriptor)
                who = f" by {note}" if note else ""
                raise LockHeldError(
                    f"{self.path.parent.name} is in use: {self.path.name} is held{who}"
                )
            time.sleep(0.01)
        # For people; nothing reads it back, and a full disk does not take it.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()}\n".encode())
        self._descriptor = descriptor

    def _try(self, descriptor: int) -> bool:
        try:
            return _try_lock(descriptor, exclusive=True)
        except OSError as error:  # which a descriptor gives no name
            os.close(descriptor)
            number = errno.ENOLCK if error.errno in _NO_LOCKS else error.errno
            raise OSError(number, os.strerror(number or 0), str(self.path)) from error

    def release(self) -> None:
        """Frees the lock; does nothing when it is not held."""
        if self._descriptor is not None:
            _unlock(self._descriptor)
            self._forget()

    @contextmanager
    def shared_with_a_child(self) -> Iterator[int]:
        """A descriptor for a process that is started meanwhile: the lock is held until both have let go of it.

        Raises:
            ValueError: the lock is not held.
        """
        if self._descriptor is None:
            raise ValueError(f"{self.path} is not held, and cannot be shared")
        descriptor = os.dup(self._descriptor)  # a copy: a fork's child forgets the one it knows
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _forget(self) -> None:
        """Closes this process's hold on the file without unlocking it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> RunLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at `path`. Makes no file; a missing one is not
    held, and what is no file, or on a file system without locks, cannot be.
    """
    try:
        if not path.is_file():  # nothing, or what nobody can hold: opening a pipe would wait
            return False
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        if not _try_lock(descriptor, exclusive=False):
            return True
        _unlock(descriptor)
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:  # nobody can write here, and reading waits for nobody
            return False
        error.filename = str(path)
        raise
    finally:
        os.close(descriptor)


_LOCKS: weakref.WeakSet[RunLock] = weakref.WeakSet()


def _forget_after_fork() -> None:
    """Keeps a forked child (a data-loading worker) from holding the lock on after its parent
    died.
    """
    for lock in _LOCKS:
        lock._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, exclusive: bool) -> bool:
        os.lseek(descriptor, _WINDOWS_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _WINDOWS_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int, exclusive: bool) -> bool:
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
