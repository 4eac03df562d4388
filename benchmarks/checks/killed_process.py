"""One `adapter-lab` command in a process of its own, killed at a moment of its run; see `kill_and_resume.py`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from cl_core.runs.events import (
    AnyEvent,
    ArtifactEvent,
    EpochEvent,
    FinishEvent,
    PhaseEvent,
    StartEvent,
)
from cl_core.runs.run_folder import RunFolder
from cl_core.store import is_held

# What the console script `adapter-lab` starts.
TERMINAL = [sys.executable, "-P", "-m", "cl_core.cli"]
IMPORTS = [
    "cl_core.cli",
    "cl_core.engine.experiment",
    "cl_core.tasks.stream_loader",
    "cl_core.backbones.backbone_loader",
    "datasets",
    "transformers.models.bert.modeling_bert",
]
POLL_SECONDS = 0.002
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Kill:
    """One SIGKILL: after how many seconds of loading or of work, and what the events say."""

    seconds: float
    phase: str


class Command:
    """A process that carries out one `adapter-lab` command in a workspace, with one thread.

    Args:
        arguments: of the command line.
        workspace: where the run is; what the command says goes into a file beside it.
        warm: fork from a process that has imported everything, instead of starting an interpreter.
    """

    def __init__(self, arguments: Sequence[str], workspace: Path, warm: bool) -> None:
        self.log = workspace.with_suffix(".log")
        line = [*arguments, "--workspace", str(workspace)]
        if warm:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(IMPORTS)
            process = context.Process(target=carry_out_command, args=(line, self.log))
            process.start()
            self._process: BaseProcess | subprocess.Popen[bytes] = process
        else:
            variables = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
            with self.log.open("w") as log:
                self._process = subprocess.Popen(
                    [*TERMINAL, *line],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **variables},
                )

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        if isinstance(self._process, BaseProcess):
            return self._process.exitcode
        return self._process.poll()

    def _wait(self, seconds: float | None = None) -> None:
        if isinstance(self._process, BaseProcess):
            self._process.join(seconds)
        else:
            self._process.wait(seconds)

    def kill(self) -> int:
        """Sends SIGKILL and waits for the end; returns the exit status."""
        self._process.kill()
        self._wait()
        return self.status or 0

    def finish(self) -> None:
        """Waits for the end.

        Raises:
            RuntimeError: it ended with an error; the message holds what it said.
        """
        self._wait(PATIENCE_SECONDS)
        if self.status != 0:
            self.fail()

    def fail(self) -> None:
        """Raises `RuntimeError` with what it said."""
        said = self.log.read_text(errors="replace")
        raise RuntimeError(f"the run ended with status {self.status}:\n{said}")


def carry_out_command(arguments: Sequence[str], log: Path) -> None:
    """What a warm process does: the command, with its output in a file."""
    import torch

    from cl_core.cli import main

    torch.set_num_threads(1)
    sys.argv = ["adapter-lab", *arguments]
    with log.open("w") as output:
        sys.stdout = sys.stderr = output
        main()


def kill_at(process: Command, folder: RunFolder, moment: float, in_loading: bool) -> Kill | None:
    """Kills the process `moment` seconds after it began to load, or to work; None when it had ended by then."""
    before = count_starts(folder)
    origin = wait_until_loading(process, folder)
    if not in_loading:
        origin = wait_until_working(process, folder, before)
    time.sleep(max(0.0, origin + moment - time.monotonic()))
    status = process.kill()
    if status == 0:
        return None
    if status != -signal.SIGKILL:
        process.fail()
    fresh = count_starts(folder) > before
    return Kill(moment, describe(folder.events) if fresh else "loading, before the first event")


def count_starts(folder: RunFolder) -> int:
    """How many processes have taken the run up."""
    return sum(isinstance(event, StartEvent) for event in folder.events)


def wait_until_loading(process: Command, folder: RunFolder) -> float:
    """The moment at which the process took the run's lock."""
    while not is_held(folder.lock_path):
        wait_a_little(process)
    return time.monotonic()


def wait_until_working(process: Command, folder: RunFolder, before: int) -> float:
    """The moment of its first event, which follows loading."""
    while count_starts(folder) <= before:
        wait_a_little(process)
    return time.monotonic()


def wait_a_little(process: Command) -> None:
    """Waits for the next look.

    Raises:
        RuntimeError: the process ended, though it has only begun.
    """
    if process.status is not None:
        process.fail()
    time.sleep(POLL_SECONDS)


def describe(events: Sequence[AnyEvent]) -> str:
    """Where the last process was when it ended, in words."""
    last = max(i for i, event in enumerate(events) if isinstance(event, StartEvent))
    where, detail = "work, before its first phase", ""
    for event in events[last:]:
        if isinstance(event, PhaseEvent):
            where, detail = f"{event.phase}, stage {event.stage} ({event.task})", ""
        elif isinstance(event, EpochEvent):
            detail = f", after epoch {event.epoch} of {event.epochs}"
        elif isinstance(event, ArtifactEvent) and event.kind != "features":
            detail = f", after {event.kind} of {event.task}"
        elif isinstance(event, FinishEvent):
            where, detail = "the report, after the run", ""
    return where + detail
