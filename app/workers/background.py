"""Background work: one process at a time works something out of a run, while the pages look whether it is there."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Literal

from app.serving.rights import check_host
from app.workers import tether
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

State = Literal["missing", "computing", "waiting", "failed", "nothing"]
MOST_IN_VAIN = 2
"""Processes in a row that may come to their end while the pages find nothing: the first may have ended just after they
looked, or have left what was damaged."""


class Background:
    """Works one thing out at a time; lives as long as the server.

    A process that dies with the server leaves nothing half-written; the next server starts another one.

    Args:
        module: carried out as `python -m MODULE --source DIR --target DIR --run NAME ...`.
        nothing: its exit status where there is nothing to work out, so that trying again cannot help.
    """

    def __init__(self, module: str, nothing: int | None = None) -> None:
        self.module, self.nothing = module, nothing
        self._lock = threading.Lock()
        self._running: tuple[str, subprocess.Popen[bytes], Path] | None = None
        self._failed: dict[str, tuple[State, str]] = {}
        self._in_vain: dict[str, int] = {}

    def ensure(self, source: Workspace, target: Workspace, run: RunFolder, *more: str) -> State:
        """Sees to it that it is being computed, as it is not there; says how that stands.

        Args:
            source: has the run.
            target: gets what comes of it.
            run: whose.
            more: words behind the command.

        Raises:
            GuestRefused: a guest asked.
        """
        check_host()
        with self._lock:
            self._reap()
            name = _name(run, *more)
            if name in self._failed:
                return self._failed[name][0]
            if self._running is not None:
                return "computing" if self._running[0] == name else "waiting"
            if self._in_vain.get(name, 0) >= MOST_IN_VAIN:
                said = "it came to its end, and what it computed is not there or is damaged"
                self._failed[name] = ("failed", said)
                return "failed"
            self._start(name, source, target, run, more)
            return "computing"

    def state(self, run: RunFolder, *more: str) -> State:
        """How it stands, with nothing begun."""
        with self._lock:
            self._reap()
            name = _name(run, *more)
            if name in self._failed:
                return self._failed[name][0]
            running = self._running is not None and self._running[0] == name
            return "computing" if running else "missing"

    def settle(self, seconds: float) -> None:
        """Waits until what runs has ended.

        Raises:
            subprocess.TimeoutExpired: it took longer.
        """
        with self._lock:
            if self._running is not None:
                self._running[1].wait(seconds)
            self._reap()

    def why(self, run: RunFolder, *more: str) -> str:
        """The last line that a failed process said."""
        return self._failed.get(_name(run, *more), ("missing", ""))[1]

    def forgive(self, run: RunFolder, *more: str) -> None:
        """Lets what failed be tried again."""
        check_host()
        self._failed.pop(_name(run, *more), None)
        self.served(run, *more)

    def served(self, run: RunFolder, *more: str) -> None:
        """What was computed has been read: its process was not in vain."""
        self._in_vain.pop(_name(run, *more), None)

    def _start(
        self,
        name: str,
        source: Workspace,
        target: Workspace,
        run: RunFolder,
        more: tuple[str, ...],
    ) -> None:
        handle, said = tempfile.mkstemp(prefix="adapter-lab-", suffix=".log")
        threads = str(max((os.cpu_count() or 2) - 1, 1))
        words = ["--source", str(source.root.resolve()), "--target", str(target.root.resolve())]
        words += ["--run", run.name, *more]
        with os.fdopen(handle, "wb") as log:
            process = tether.start(
                self.module,
                *words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path.cwd(),  # relative paths in streams mean the same as in the server
                env={
                    name: os.environ.get(name, threads)
                    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
                },
            )
        self._running = name, process, Path(said)

    def _reap(self) -> None:
        """Notices that the process has ended, and keeps what it said if it failed."""
        if self._running is None or self._running[1].poll() is None:
            return
        name, process, log = self._running
        self._running = None
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        log.unlink(missing_ok=True)
        if process.returncode != 0:
            state: State = "nothing" if process.returncode == self.nothing else "failed"
            self._failed[name] = (
                state,
                lines[-1] if lines else f"it ended with status {process.returncode}",
            )
        else:
            self._in_vain[name] = self._in_vain.get(name, 0) + 1


def _name(run: RunFolder, *more: str) -> str:
    return "\n".join([str(run.path.resolve()), *more])
