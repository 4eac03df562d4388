"""Runs as they are listed: what the index says is what the folders say, whatever is done to these."""

from __future__ import annotations

import math
import os
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from app.data.runs import DEMONSTRATION
from cl_core.analysis.run_numbers import RunNumbers, numbers_of, read_numbers
from cl_core.reports.run_summary import RunSummary, read_summary, summaries
from cl_core.runs.reading import run_reader
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock, folder_index

RUNS = ("dam", "sequential", "clips-dam")


@pytest.fixture
def lab(tmp_path: Path) -> Workspace:
    for name in RUNS:
        shutil.copytree(DEMONSTRATION / "runs" / name, tmp_path / "runs" / name)
    return Workspace(tmp_path)


def fresh(workspace: Workspace) -> dict[str, RunSummary]:
    """Read from the folders, as by a process that knows nothing."""
    run_reader._fault.cache_clear()
    return {run.name: read_summary(run.path) for run in workspace.runs()}


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Those that this process opens meanwhile, for what Python is told of."""
    audit()
    opened: list[str] = []
    AUDITED.append(opened)
    yield opened
    AUDITED.remove(opened)


AUDITED: list[list[str]] = []


@cache
def audit() -> None:
    """A hook cannot be taken away again: it stays, and does nothing."""

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if AUDITED and event in ("open", "sqlite3.connect"):
            for opened in AUDITED:
                opened.append(os.fsdecode(str(arguments[0]).partition("?")[0]))

    sys.addaudithook(hear)


class Vandal:
    """Somebody who does to run folders what editors, syncs, kills and disks do."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.draw, self.number = root, random.Random(seed), 0

    def act(self) -> None:
        files = sorted(self.root.glob("runs/*/*"))
        file = self.draw.choice(files)
        deeds = (self.flip, self.flip_and_hide, self.cut, self.remove, self.grow, self.swap)
        self.draw.choice((*deeds, self.mend, self.move, self.copy))(file)

    def flip(self, file: Path) -> None:
        data = bytearray(file.read_bytes())
        if data:
            data[self.draw.randrange(len(data))] ^= 1 << self.draw.randrange(8)
            file.write_bytes(data)

    def flip_and_hide(self, file: Path) -> None:
        before = file.stat()
        self.flip(file)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    def cut(self, file: Path) -> None:
        os.truncate(file, file.stat().st_size * self.draw.randrange(4) // 4)

    def remove(self, file: Path) -> None:
        file.unlink()

    def grow(self, file: Path) -> None:
        with file.open("ab") as opened:
            opened.write(b'{"type": "failed", "message": "a message"}\n')

    def swap(self, file: Path) -> None:
        """Takes the file of that name of another run."""
        others = [path for path in self.root.glob(f"runs/*/{file.name}") if path != file]
        if others:
            partial = file.with_name("partial")
            shutil.copy2(self.draw.choice(sorted(others)), partial)
            partial.replace(file)

    def mend(self, file: Path) -> None:
        original = DEMONSTRATION / "runs" / self.draw.choice(RUNS) / file.name
        if original.is_file():
            shutil.copy2(original, file)

    def move(self, file: Path) -> None:
        self.number += 1
        file.parent.rename(file.parent.with_name(f"moved-{self.number}"))

    def copy(self, file: Path) -> None:
        self.number += 1
        source = self.draw.choice(RUNS)
        shutil.copytree(DEMONSTRATION / "runs" / source, self.root / "runs" / f"run-{self.number}")


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_done_to_runs_the_index_says_what_they_say(
    lab: Workspace, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_index, "SETTLED_NS", 20 * 10**6)  # ticks of this clock are shorter
    vandal = Vandal(lab.root, seed)
    for step in range(9):
        for _ in range(vandal.draw.randrange(5)):
            vandal.act()
        if step % 3 == 0:
            folder_index._remembered.cache_clear()  # as another process: from the file
        if step == 5:
            (lab.root / "index.sqlite").unlink(missing_ok=True)
        assert summaries(lab) == fresh(lab), f"step {step}"


def test_a_run_in_progress_is_running_whatever_the_index_says(
    lab: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_index, "SETTLED_NS", 0)
    assert summaries(lab)["dam"].status == "finished"
    with RunLock(lab.find("dam").lock_path):
        assert summaries(lab)["dam"].status == "running"
        (left_out, *_) = numbers_of([lab.find("dam")], "accuracy")
        assert left_out == RunNumbers(left_out="running")
    assert summaries(lab)["dam"].status == "finished"


def test_a_kept_entry_opens_no_file(lab: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_index, "SETTLED_NS", 0)
    before = summaries(lab)
    folder_index._remembered.cache_clear()
    with opened_files() as opened:
        assert summaries(lab) == before
    assert [file for file in opened if file.endswith((".yaml", ".jsonl", ".parquet"))] == []
    assert any(file.endswith("index.sqlite") for file in opened)


def test_what_other_distributions_have_a_say_in_is_read_each_time(
    lab: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_index, "SETTLED_NS", 0)
    file = lab.find("dam").path / "run.yaml"
    text = file.read_text()
    assert "route: centroid" in text
    file.write_text(text.replace("route: centroid", "route: somebodys"))
    summary = summaries(lab)["dam"]
    assert (summary.outside, summary.lasting, summary.recipe) == (True, False, "dam")
    assert summary.protocol is None  # nothing here says what that router is


@pytest.mark.parametrize("score", ["accuracy", "macro_f1"])
def test_numbers_are_kept_to_the_last_digit(
    lab: Workspace, score: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_index, "SETTLED_NS", 0)
    runs = lab.runs()
    read = [read_numbers(run.path, score) for run in runs]
    assert any(math.isnan(value) for its in read for value in its.numbers.values())
    assert repr(numbers_of(runs, score)) == repr(read)
    with opened_files() as opened:
        assert repr(numbers_of(runs, score)) == repr(read)
    assert [file for file in opened if file.endswith((".yaml", ".jsonl", ".parquet"))] == []
    (lab.find("dam").path / "scores.parquet").unlink()
    (left_out,) = numbers_of([lab.find("dam")], score)
    assert left_out.left_out.startswith("damaged: scores.parquet is missing")


def test_a_read_only_workspace_is_left_as_it_is() -> None:
    workspace = Workspace(DEMONSTRATION)
    assert all(summary.status == "finished" for summary in summaries(workspace).values())
    assert not (DEMONSTRATION / "index.sqlite").exists()
