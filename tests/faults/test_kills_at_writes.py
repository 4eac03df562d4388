"""Killed at a write, whichever it is, a run that is resumed ends with the bytes of one that was left alone.

`benchmarks/checks/kill_and_resume.py` kills at moments; here a run dies before the n-th time that it opens a file for
writing, renames, makes or removes one.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.checks.kill_and_resume import NAME, compare
from tests.faults.environments import Terminal

pytestmark = pytest.mark.fault("killed at a write, resumed to the same bytes")
FEW = 3
CHANGE = b"a change of the workspace\n"
CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir")
"""Events that Python announces before it asks the system."""


@dataclass(frozen=True)
class KilledAtWrite:
    """A process that is killed before it changes its workspace once more.

    Attributes:
        number: of the change, from 1; 0 has it say each of them.
    """

    number: int

    def __call__(self, workspace: Path) -> None:
        """Has this process watch itself."""
        root, count = str(workspace), 0

        def before(event: str, words: tuple[Any, ...]) -> None:
            nonlocal count
            writes = event == "open" and bool(int(words[2] or 0) & (os.O_WRONLY | os.O_RDWR))
            if (writes or event in CHANGES) and str(words[0]).startswith(root):
                count += 1
                if self.number == 0:
                    os.write(2, CHANGE)
                if count == self.number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(before)


@pytest.mark.parametrize(
    "recipe",
    [
        "dam",
        *(
            pytest.param(name, marks=pytest.mark.whole)
            for name in ("l2r-wavg", "i2i-ff", "epi", "sequential", "replay", "ewc")
        ),
    ],
)
def test_a_run_that_is_killed_at_a_write_is_resumed_to_the_same_bytes(
    recipe: str,
    tmp_path: Path,
    terminal: Terminal,
    options: list[str],
    record_property: Any,
) -> None:
    words = ["run", "--name", NAME, "--recipe", recipe, *options, "--set", "checkpoint_every=2"]
    left_alone = tmp_path / "left-alone"
    done = terminal.carry_out(words, left_alone, KilledAtWrite(0))
    assert done.status == 0, done.err
    total = done.err.count(CHANGE.decode())
    assert total > 10 * FEW
    numbers = range(1, total + 1)
    if not os.environ.get("FAULTS"):
        numbers = range(total // FEW // 2, total, total // FEW)
    differing = []
    for number in numbers:
        workspace = tmp_path / f"killed-{number}"
        killed = terminal.carry_out(words, workspace, KilledAtWrite(number))
        assert killed.status == -signal.SIGKILL, killed.err
        again = terminal.carry_out(words, workspace)
        if again.status != 0 or compare(workspace, left_alone):
            differing.append((number, again.status, again.err[-300:]))
    record_property("tried", len(numbers))
    record_property("failed", len(differing))
    assert not differing
