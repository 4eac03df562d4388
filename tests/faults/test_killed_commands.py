"""Other commands that write: killed at a write, nothing half-done is taken for whole, and the same command ends it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cl_core.archive.leftovers import STAGING
from cl_core.store.store import LEFTOVER_SECONDS
from tests.faults.environments import Terminal
from tests.faults.writes import KeptAtWrites, KilledAtWrite, copy, kept_states, listing

pytestmark = pytest.mark.fault("other commands killed at a write, done again: nothing half-done")
COMMANDS = {
    "unpack": ["unpack", "{finished}/workspace.zip"],
    "pack": ["pack", "{workspace}/packed.zip"],
    "clean": ["clean", "--yes"],
    "merge": ["merge", "first", "--output", "{workspace}/merged"],
    "export": ["export", "first", "restaurants", "--output", "{workspace}/restaurants"],
    "vary": ["vary", "first", "-k", "1"],
    "explain": ["explain", "first"],
}


def is_work_in_hand(line: str) -> bool:
    """Whether a line of a listing is of what a living process writes, or of the index of what there is."""
    return ".partial" in line or STAGING in line or "index.sqlite" in line


def whole(workspace: Path) -> list[str]:
    """What lies in a workspace under its final name."""
    return [line for line in listing(workspace) if not is_work_in_hand(line)]


def words_of(command: str, workspace: Path, finished: Path) -> list[str]:
    """The command line of a command."""
    return [word.format(workspace=workspace, finished=finished) for word in COMMANDS[command]]


@pytest.mark.whole
@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_killed_command_leaves_is_whole_and_the_same_command_ends_it(
    command: str, finished: Path, terminal: Terminal, tmp_path: Path, record_property: Any
) -> None:
    done, kept = tmp_path / "done", tmp_path / "kept"
    if command == "unpack":
        done.mkdir()
    else:
        copy(finished / "workspace", done)
    if command == "clean":  # a run of another's goes, and what it needed stays
        (done / "runs" / "first").rename(tmp_path / "gone")
    words = words_of(command, done, finished)
    assert terminal.carry_out(words, done, KeptAtWrites(kept)).status == 0
    differing = list(faults_after(command, finished, terminal, kept, whole(done)))
    record_property("tried", len(differing))
    record_property("failed", sum(bool(fault) for fault in differing))
    assert not any(differing), [fault for fault in differing if fault]


def faults_after(
    command: str, finished: Path, terminal: Terminal, kept: Path, wanted: list[str]
) -> Iterable[str]:
    """For each workspace that a kill would have left, what is wrong with it; "" where nothing is."""
    for number, workspace in kept_states(kept):
        verified = terminal.carry_out(["verify"], workspace)
        again = terminal.carry_out(words_of(command, workspace, finished), workspace)
        if verified.status or again.status:
            yield f"write {number}: {verified.err}{verified.out if verified.status else ''}{again.err}"
        else:
            yield "" if whole(workspace) == wanted else f"write {number}: other files"


def test_what_a_killed_unpack_had_unpacked_is_removed_in_time(
    finished: Path, terminal: Terminal, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    words = words_of("unpack", workspace, finished)
    assert terminal.carry_out(words, workspace, KilledAtWrite(50)).status == -signal.SIGKILL
    (left,) = workspace.glob(f"{STAGING}*")
    assert whole(workspace) == [], "nothing is let in before all of it was looked at"
    assert terminal.carry_out(words, workspace).status == 0
    assert left.exists(), "it might be a living process's"
    os.utime(left, (time.time() - LEFTOVER_SECONDS - 1,) * 2)
    assert terminal.carry_out(["clean", "--yes"], workspace).status == 0
    assert not left.exists()
