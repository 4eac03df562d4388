"""On a file system without locks, as some network mounts are, what only reads works, and what writes says why not."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock, is_held
from tests.faults import environments
from tests.faults.environments import Terminal
from tests.faults.refused_calls import LocksRefused, can_refuse_locks
from tests.patience import PATIENCE

pytestmark = pytest.mark.fault("the system refuses: disk, rights, memory, output")
REFUSALS = {name: LocksRefused(getattr(errno, name)) for name in ("ENOLCK", "ENOSYS", "EOPNOTSUPP")}
READING = {
    "runs": ["runs"],
    "jobs": ["jobs"],
    "report": ["report", "first"],
    "report as a page": ["report", "first", "--html", "{workspace}/report.html"],
    "compare": ["compare", "*"],
    "verify": ["verify", "first"],
    "explain": ["explain", "first"],
    "vary": ["vary", "first", "-k", "1"],
    "route": ["route", "first", "--text", "the soup was cold"],
    "merge": ["merge", "first", "--output", "{workspace}/merged"],
    "export": ["export", "first", "restaurants", "--output", "{workspace}/restaurants"],
    "pack": ["pack", "{workspace}/packed.zip"],
    "unpack": ["unpack", "{finished}/workspace.zip", "--workspace", "{workspace}/another"],
    "clean": ["clean", "--yes"],
}


@pytest.fixture(scope="module", autouse=True)
def refusable() -> None:
    """Skips where the system cannot be made to refuse."""
    if not can_refuse_locks():
        pytest.skip("a process may not have calls of its own refused here")


@pytest.mark.parametrize("command", READING)
def test_what_only_reads_needs_no_lock(
    command: str, workspace: Path, finished: Path, terminal: Terminal
) -> None:
    words = [word.format(workspace=workspace, finished=finished) for word in READING[command]]
    ending = terminal.carry_out(
        words, None if command == "unpack" else workspace, REFUSALS["ENOLCK"], beside=workspace
    )
    assert ending.status == 0, ending.err
    assert "lock" not in ending.err


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_writes_a_run_names_the_file_that_cannot_be_locked_and_says_what_to_do(
    refusal: str, workspace: Path, terminal: Terminal, options: list[str]
) -> None:
    for name, words in (
        ("first", ["resume", "first"]),
        ("second", ["run", "--name", "second", "--seed", "1", *options]),
    ):
        ending = terminal.carry_out(words, workspace, REFUSALS[refusal])
        assert ending.status == 74, ending.err
        said = ending.err.splitlines()[-1]
        assert f"{Workspace(workspace).run(name).lock_path.name}'" in said
        assert f"/{name}/" in said
        assert "keeps no locks" in said
        assert "mounted with locks" in said
        assert terminal.carry_out(words, workspace, environments.nothing).status == 0


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_lock_is_held_by_nobody_where_none_can_be(
    refusal: str, tmp_path: Path, terminal: Terminal
) -> None:
    file = tmp_path / "run.lock"
    file.touch()
    process = terminal._context.Process(target=_ask, args=(REFUSALS[refusal], file))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0


def _ask(refusal: LocksRefused, file: Path) -> None:
    refusal(file)
    assert not is_held(file)
    lock = RunLock(file)
    for _ in range(2):  # and the file is not kept open
        with pytest.raises(OSError, match="locks") as caught:
            lock.acquire()
        assert caught.value.filename == str(file)
