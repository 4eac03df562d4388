"""A command that is killed at a write and carried out again, against one that was left alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.checks.kill_and_resume import compare
from cl_core.runs.workspace import Workspace
from tests.faults.environments import Ending, Terminal
from tests.faults.writes import KeptAtWrites, KilledAtWrite, kept_states, listing


@dataclass(frozen=True)
class Trial:
    """One kill.

    Attributes:
        number: of the write that it came before, from 1.
        fault: what differs afterwards; "" where nothing does.
    """

    number: int
    fault: str


class KillTrials:
    """Trials of one command that makes runs.

    Args:
        terminal: carries it out.
        words: its command line.
        folder: for workspaces.
        finished_only: of writes between two finished files, only one; see `KeptAtWrites`.
    """

    def __init__(
        self, terminal: Terminal, words: Sequence[str], folder: Path, finished_only: bool = False
    ) -> None:
        self._terminal, self._words, self._folder = terminal, words, folder
        self._left_alone, self._kept = folder / "left-alone", folder / "kept"
        done = terminal.carry_out(words, self._left_alone, KeptAtWrites(self._kept, finished_only))
        assert done.status == 0, done.err
        self.writes = max(int(path.name) for path in self._kept.iterdir())
        """How many there are; the last of them."""

    def killed(self, number: int) -> Trial:
        """Kills it before this write."""
        workspace = self._folder / f"killed-{number}"
        ending = self._terminal.carry_out(self._words, workspace, KilledAtWrite(number))
        assert ending.status == -signal.SIGKILL, ending.err
        kept = self._kept / f"{number:05d}"
        if kept.exists() and listing(workspace) != listing(kept):
            return Trial(number, "a kill leaves another workspace than was kept at this write")
        return Trial(number, self._again(workspace))

    def killed_at_each(self) -> Iterator[Trial]:
        """As if it had been killed before each of its writes: only what follows is carried out for each."""
        for number, workspace in kept_states(self._kept):
            yield Trial(number, self._again(workspace))

    def _again(self, workspace: Path) -> str:
        again: Ending = self._terminal.carry_out(self._words, workspace)
        if again.status != 0:
            return f"status {again.status}: {again.err[-300:]}"
        names = [run.name for run in Workspace(self._left_alone).runs()]
        if [run.name for run in Workspace(workspace).runs()] != names:
            return "it has other runs"
        differing = [
            f"{name}: {file}"
            for name in names
            for file in compare(workspace, self._left_alone, name)
        ]
        return ", ".join(differing)
