"""The index of folders: what it says is what reading says, whatever became of its file."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cl_core.store import folder_index
from cl_core.store.folder_index import FolderIndex, IndexEntry, Kind
from tests.patience import PATIENCE

TICK = 30_000_000
"""Nanoseconds; more than a clock of files takes for a step."""


class Content(IndexEntry):
    """A folder's one file."""

    text: str
    number: float = float("nan")


class Shelf:
    """Folders with a file each, and how often one of them was read."""

    def __init__(self, root: Path, count: int = 12) -> None:
        self.root, self.file, self.reads = root, root / "index.sqlite", 0
        for number in range(count):
            folder = root / "all" / f"folder {number} ä"
            folder.mkdir(parents=True)
            (folder / "content").write_text(f"text {number}")

    @property
    def folders(self) -> list[Path]:
        return sorted((self.root / "all").iterdir())

    def read(self, folder: Path) -> Content:
        self.reads += 1
        return Content(text=(folder / "content").read_text())

    def texts(self, writable: bool = True) -> list[str]:
        """As a process says that has just been started."""
        folder_index._remembered.cache_clear()
        self.reads = 0
        index = FolderIndex(self.file, self.root / "all", writable=writable)
        kind = Kind("content", Content, self.read)
        return [entry.text for entry in index.entries(kind, self.folders)]

    @property
    def true(self) -> list[str]:
        return [(folder / "content").read_text() for folder in self.folders]


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr(folder_index, "SETTLED_NS", 0)
    shelf = Shelf(tmp_path)
    wait_for_the_clock_of(tmp_path)
    return shelf


def wait_for_the_clock_of(folder: Path) -> None:
    """Until a file written now is told from those written before."""
    probe = folder / "probe"
    probe.touch()
    first = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == first:
        probe.write_text("again")


def test_nothing_is_read_twice_while_it_is_the_same(shelf: Shelf) -> None:
    assert shelf.texts() == shelf.true
    assert shelf.reads == 12
    assert shelf.texts() == shelf.true
    assert shelf.reads == 0


def test_a_change_of_one_folder_has_that_folder_read_again(shelf: Shelf) -> None:
    shelf.texts()
    (shelf.folders[4] / "content").write_text("another")
    (shelf.folders[7] / "beside").touch()
    assert shelf.texts() == shelf.true
    assert shelf.reads == 2


def test_an_edit_that_hides_itself_is_seen(shelf: Shelf) -> None:
    """Of the same size, in place, and with the old time put back."""
    shelf.texts()
    file = shelf.folders[0] / "content"
    before = file.stat()
    with file.open("r+") as opened:
        opened.write("TEXT 0")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert shelf.texts()[0] == "TEXT 0"


def test_what_changed_just_now_is_not_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_index, "SETTLED_NS", 3600 * 10**9)
    for _ in range(2):
        assert shelf.texts() == shelf.true
        assert shelf.reads == 12
    assert not shelf.file.exists()


def test_a_removed_index_is_made_again(shelf: Shelf) -> None:
    shelf.texts()
    shelf.file.unlink()
    assert shelf.texts() == shelf.true
    assert shelf.file.is_file()


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_index_costs_time_alone(shelf: Shelf, seed: int) -> None:
    draw = random.Random(seed)
    shelf.texts()
    data = bytearray(shelf.file.read_bytes())
    if seed % 2:
        del data[draw.randrange(len(data)) :]
    else:
        for _ in range(400):
            data[draw.randrange(len(data))] = draw.randrange(256)
    shelf.file.write_bytes(data)
    assert shelf.texts() == shelf.true
    assert shelf.texts() == shelf.true


def test_something_else_of_its_name_is_replaced_where_it_is_a_file(shelf: Shelf) -> None:
    shelf.file.write_text("no database at all, and long enough to be looked at" * 50)
    assert shelf.texts() == shelf.true
    assert shelf.texts() == shelf.true
    assert shelf.reads == 0


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nowhere"])
def test_what_is_no_file_is_left_alone(shelf: Shelf, kind: str) -> None:
    if kind == "folder":
        shelf.file.mkdir()
    elif kind == "pipe":
        os.mkfifo(shelf.file)
    else:
        shelf.file.symlink_to(shelf.root / "nowhere" / "index")
    assert shelf.texts() == shelf.true
    assert shelf.reads == 12


def test_other_code_reads_for_itself(shelf: Shelf) -> None:
    shelf.texts()
    with sqlite3.connect(shelf.file) as file:
        file.execute("UPDATE reader SET code = ?", (b"of another checkout",))
    assert shelf.texts() == shelf.true
    assert shelf.reads == 12
    shelf.texts()
    assert shelf.reads == 0


def test_an_entry_changed_in_the_index_is_not_believed(shelf: Shelf) -> None:
    shelf.texts()
    with sqlite3.connect(shelf.file) as file:
        file.execute("UPDATE entries SET entry = ?", (b'{"text": "a lie", "number": 1.0}',))
    assert shelf.texts() == shelf.true
    assert shelf.reads == 12


def test_a_read_only_workspace_gets_no_index(shelf: Shelf) -> None:
    assert shelf.texts(writable=False) == shelf.true
    assert not shelf.file.exists()


def test_an_index_that_another_process_holds_is_done_without(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_index, "WAIT_SECONDS", 0.01)
    shelf.texts()
    (shelf.folders[0] / "content").write_text("another")
    with sqlite3.connect(shelf.file) as held:
        held.execute("BEGIN EXCLUSIVE")
        assert shelf.texts() == shelf.true
        held.rollback()
    assert shelf.texts() == shelf.true


def test_folders_that_are_gone_leave_the_index(shelf: Shelf) -> None:
    shelf.texts()
    for folder in shelf.folders[:5]:
        (folder / "content").unlink()
        folder.rmdir()
    (shelf.folders[0] / "content").write_text("written since")
    assert shelf.texts() == shelf.true
    with sqlite3.connect(shelf.file) as file:
        assert file.execute("SELECT count(*) FROM entries").fetchone() == (7,)


READER = """
import sys
from pathlib import Path
from cl_core.store import folder_index
from cl_core.store.folder_index import FolderIndex, IndexEntry, Kind
folder_index.SETTLED_NS = 0
class Content(IndexEntry):
    text: str
kind = Kind("content", Content, lambda folder: Content(text=(folder / "content").read_text()))
root = Path(sys.argv[1])
folders = sorted((root / "all").iterdir())
for number in range(int(sys.argv[2])):
    folder_index._remembered.cache_clear()
    (folders[number % len(folders)] / "content").write_text(f"{sys.argv[3]} {number}")
    FolderIndex(root / "index.sqlite", root / "all").entries(kind, folders)
"""


def test_processes_that_write_at_once_leave_a_true_index(shelf: Shelf) -> None:
    readers = [
        subprocess.Popen([sys.executable, "-c", READER, str(shelf.root), "40", name])
        for name in ("one", "two", "three")
    ]
    assert [reader.wait(PATIENCE) for reader in readers] == [0, 0, 0]
    wait_for_the_clock_of(shelf.root)
    assert shelf.texts() == shelf.true
    with sqlite3.connect(shelf.file) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
