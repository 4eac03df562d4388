"""What was read of many folders, kept in one file, so that a thousand of them are listed without opening each.

The folders are what is true. An entry counts for as long as each file of its folder has the size, times and inode that
it had when the entry was read, and for this very code; else it is read again. A file that is missing, damaged, locked,
read-only or of other code only costs time, and deleting it changes nothing.

SQLite, rather than one file of JSON: of a thousand runs one changes, and its row alone is written; what is wanted of
all (their states) is read without what is wanted of few; and two processes may write at once.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ConfigDict

from cl_core.settings import WRITTEN_BY_US, Settings

SETTLED_NS = 2 * 10**9
"""A file changed later than this before it was read may change again within one tick of its clock: it is not kept."""
WAIT_SECONDS = 0.5
"""For another process that writes."""
TOGETHER = 200
"""Entries that are read before they are written down: whoever ends the process loses no more."""
_TABLES = (
    "CREATE TABLE IF NOT EXISTS reader (code BLOB)",
    "CREATE TABLE IF NOT EXISTS entries (kind TEXT, folder BLOB, signature BLOB, entry BLOB, digest BLOB, "
    "PRIMARY KEY (kind, folder))",
)
PACKAGE = Path(__file__).parents[1]

Signature = bytes
"""Of a folder: a hash of name, size, times and inode of each of its files."""


_asked: list[Callable[[], bool]] = []


def ask_before_writing(may: Callable[[], bool]) -> None:
    """Has every index of this process ask before it writes: in a lab that is shared, guests leave nothing behind.

    Args:
        may: whether whoever reads now may have it written down.
    """
    _asked.append(may)


def may_write() -> bool:
    """Whether all who are asked agree."""
    return all(may() for may in _asked)


class IndexEntry(Settings):
    """Base of what is kept of a folder; a number may be none."""

    model_config = ConfigDict(allow_inf_nan=True, ser_json_inf_nan="constants")

    @property
    def lasting(self) -> bool:
        """Whether it follows from the folder's files alone; what does not is never kept."""
        return True


Entry = TypeVar("Entry", bound=IndexEntry)


@dataclass(frozen=True)
class Kind(Generic[Entry]):
    """One thing that is read of folders.

    Attributes:
        name: tells it from others; with what the reading depends on besides the folder.
        model: what an entry is.
        read: reads it of a folder, whatever lies there.
        remembered: whether this process keeps it in memory as well.
    """

    name: str
    model: type[Entry]
    read: Callable[[Path], Entry]
    remembered: bool = True


@dataclass
class _Remembered:
    """What this process knows already; the lock is held while it reads, so that no two threads read the same."""

    entries: dict[tuple[str, Path], tuple[Signature, IndexEntry]] = field(default_factory=dict)
    waiting: dict[str, dict[Path, tuple[Signature, IndexEntry]]] = field(default_factory=dict)
    """By kind, what was read for somebody who may have nothing written down."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class FolderIndex:
    """Entries of the folders within one, kept in a file.

    Args:
        file: where.
        root: the folder that the others lie in.
        ignored: names of files that nothing is read of, such as locks.
        writable: whether the file may be made and changed.
    """

    def __init__(
        self, file: Path, root: Path, ignored: frozenset[str] = frozenset(), writable: bool = True
    ) -> None:
        self.file, self.root, self.ignored, self.writable = file, root, ignored, writable
        self._remembered = _remembered(Path(os.path.abspath(file)))  # noqa: PTH100 - links stay as they are

    def entries(self, kind: Kind[Entry], folders: Sequence[Path]) -> list[Entry]:
        """One entry for each folder, as reading it now would give.

        Args:
            kind: of what.
            folders: within the root.
        """
        with self._remembered.lock:
            signatures = {folder: self.signature(folder) for folder in folders}
            entries = self._memory(kind, signatures)
            if len(entries) < len(folders):
                missing = {
                    folder: signatures[folder] for folder in folders if folder not in entries
                }
                entries |= self._kept(kind, missing)
            fresh: dict[Path, tuple[Signature, Entry]] = {}
            for folder in folders:
                if folder in entries:
                    continue
                entry = entries[folder] = kind.read(folder)
                signature = signatures[folder]
                if signature and entry.lasting and self.signature(folder) == signature:
                    fresh[folder] = signature, entry
                    self._remember(kind, folder, signature, entry)
                if len(fresh) == TOGETHER:
                    self._keep(kind, fresh)
                    fresh = {}
            self._keep(kind, fresh)
            return [entries[folder] for folder in folders]

    def signature(self, folder: Path) -> Signature | None:
        """What changes when any file of a folder does; None where one changed just now, or cannot be asked."""
        facts: list[tuple[str, int, int, int, int]] = []
        newest = 0
        try:
            with os.scandir(folder) as files:
                for file in files:
                    if file.name in self.ignored:
                        continue
                    its = file.stat()
                    facts.append(
                        (file.name, its.st_size, its.st_mtime_ns, its.st_ctime_ns, its.st_ino)
                    )
                    newest = max(newest, its.st_ctime_ns)
        except OSError:
            return None
        if newest > time.time_ns() - SETTLED_NS:
            return None
        return blake2b(
            repr(sorted(facts)).encode("utf-8", "surrogateescape"), digest_size=16
        ).digest()

    def _remember(
        self, kind: Kind[Entry], folder: Path, signature: Signature, entry: Entry
    ) -> None:
        if kind.remembered:
            self._remembered.entries[kind.name, folder] = signature, entry

    def _memory(
        self, kind: Kind[Entry], signatures: Mapping[Path, Signature | None]
    ) -> dict[Path, Entry]:
        """Entries that this process has read before and that still count."""
        entries = {}
        for folder, signature in signatures.items():
            kept, entry = self._remembered.entries.get((kind.name, folder), (None, None))
            if kept is not None and kept == signature and isinstance(entry, kind.model):
                entries[folder] = entry
        return entries

    def _kept(
        self, kind: Kind[Entry], signatures: Mapping[Path, Signature | None]
    ) -> dict[Path, Entry]:
        """Entries of the file that still count; none where it cannot be read."""
        names = {os.fsencode(folder.name): folder for folder in signatures}
        entries = {}
        for name, signature, text, digest in self._rows(kind.name, names):
            folder = names.get(name)
            if folder is None or signature is None or signature != signatures[folder]:
                continue
            if digest != _digest(kind.name, name, signature, text):
                continue
            try:
                entries[folder] = kind.model.model_validate_json(text, context=WRITTEN_BY_US)
            except ValueError:
                continue
            self._remember(kind, folder, signature, entries[folder])
        return entries

    def _rows(self, kind: str, names: Iterable[bytes]) -> list[tuple[bytes, bytes, bytes, bytes]]:
        """Rows of a kind as they are; of few folders those alone."""
        wanted = list(names)
        if not wanted or not _is_file(self.file):
            return []
        asked = "SELECT folder, signature, entry, digest FROM entries WHERE kind = ?"
        few = wanted if len(wanted) <= TOGETHER else []
        if few:
            asked += f" AND folder IN ({', '.join('?' * len(few))})"
        address = f"{self.file.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS)) as file:
                if file.execute("SELECT code FROM reader").fetchall() != [(_code(),)]:
                    return []
                return [row for row in file.execute(asked, (kind, *few)) if _bytes(row)]
        except (sqlite3.Error, OSError, ValueError, MemoryError):
            return []

    def _keep(self, kind: Kind[Entry], fresh: Mapping[Path, tuple[Signature, Entry]]) -> None:
        """Writes entries down; where that cannot be done, they are read again the next time."""
        waiting = self._remembered.waiting.setdefault(kind.name, {})
        if not may_write():
            waiting |= fresh if kind.remembered else {}
            return
        # What waits under a kind's name is that kind's, which the types do not say.
        fresh = {**waiting, **fresh}  # type: ignore[dict-item]
        waiting.clear()
        if not fresh or not self.writable or not self.file.parent.is_dir():
            return
        rows = []
        for folder, (signature, entry) in fresh.items():
            name = os.fsencode(folder.name)
            try:
                text = entry.model_dump_json().encode()
                same = kind.model.model_validate_json(text, context=WRITTEN_BY_US)
            except ValueError:  # half an emoji, which no JSON has
                continue
            if repr(same) == repr(entry):
                rows.append(
                    (kind.name, name, signature, text, _digest(kind.name, name, signature, text))
                )
        try:
            self._write(rows)
        except sqlite3.DatabaseError as error:
            # No database, or one cut short: it is made anew, once. A full disk or a lock leaves it as it is.
            if type(error) is sqlite3.DatabaseError and _is_file(self.file):
                self._replace(rows)
        except (OSError, ValueError):
            return

    def _write(self, rows: Sequence[tuple[str, bytes, bytes, bytes, bytes]]) -> None:
        if self.file.exists() and not _is_file(self.file):
            return
        with closing(sqlite3.connect(self.file, timeout=WAIT_SECONDS)) as file:
            file.execute(
                "PRAGMA synchronous = OFF"
            )  # a power cut costs the entries, which can be read again
            with file:
                file.execute("BEGIN IMMEDIATE")
                for table in _TABLES:
                    file.execute(table)
                if file.execute("SELECT code FROM reader").fetchall() != [(_code(),)]:
                    file.execute("DELETE FROM reader")
                    file.execute("DELETE FROM entries")
                    file.execute("INSERT INTO reader VALUES (?)", (_code(),))
                for (name,) in file.execute("SELECT DISTINCT folder FROM entries").fetchall():
                    if not isinstance(name, bytes) or not (self.root / os.fsdecode(name)).is_dir():
                        file.execute("DELETE FROM entries WHERE folder = ?", (name,))
                file.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", rows)

    def _replace(self, rows: Sequence[tuple[str, bytes, bytes, bytes, bytes]]) -> None:
        try:
            self.file.unlink(missing_ok=True)
            self._write(rows)
        except (sqlite3.Error, OSError):
            return


@lru_cache(maxsize=16)
def _remembered(file: Path) -> _Remembered:
    """Of one index file, for all who open it in this process."""
    return _Remembered()


@cache
def _code() -> bytes:
    """What changes when the code does that reads: name, size and time of each module of the package."""
    files = sorted(PACKAGE.rglob("*.py"))
    facts = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return blake2b(repr(facts).encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _digest(kind: str, name: bytes, signature: bytes, text: bytes) -> bytes:
    """Of a whole row: one that is damaged within is none."""
    return blake2b(repr((kind, name, signature, text)).encode(), digest_size=16).digest()


def _bytes(row: Sequence[object]) -> bool:
    return all(isinstance(value, bytes) for value in row)


def _is_file(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False
