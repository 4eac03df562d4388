"""The real server, started as a user starts it, on a free port of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.patience import PATIENCE

OURS = (sys.executable, "-m", "cl_core.cli")
CHECKOUT = Path(__file__).resolve().parents[2]


class Server:
    """`adapter-lab app` on a workspace; a context manager that leaves nothing running.

    Args:
        workspace: what it shows as the visitor's own.
        log: file that it writes to.
        lab: what `adapter-lab` is here.
        folder: where it is started.
    """

    def __init__(
        self, workspace: Path, log: Path, lab: Sequence[str] = OURS, folder: Path = CHECKOUT
    ) -> None:
        self.workspace, self.log, self.lab, self.folder = workspace, log, lab, folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Starts it and waits until it answers.

        Returns:
            Seconds that took.

        Raises:
            RuntimeError: it ended, or does not answer.
        """
        command = [*self.lab, "app", "--no-browser"]
        command += ["--workspace", str(self.workspace), "--port", str(self.port)]
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that it can be ended with all that it started
                cwd=self.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        while time.monotonic() - began < PATIENCE:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):  # noqa: S310
                    return time.monotonic() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"the server does not answer; it said:\n{said}")

    def kill(self) -> None:
        """At once and without a chance to clean up, as when the machine fails; jobs have groups of their own."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()


def free_port() -> int:
    """One that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
