"""A worker process that is kept warm and answers questions, one at a time, as lines of JSON.

The server imports no torch: whoever wants a forward pass asks a `Worker`, whose other end is `request_loop.serve`.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import IO, Any

from app.workers import tether
from cl_core.errors import AdapterLabError, UserError


class WorkerFailed(AdapterLabError):
    """The worker died, took too long or met an error that is no mistake of the user's."""


class Worker:
    """A subprocess `python -m MODULE`, started at the first question and again after it has died.

    Safe to share between threads: questions wait for one another.

    Args:
        module: whose end is `serve(...)`, such as "app.workers.answer_worker".
        timeout: seconds that an answer may take, loading included.
    """

    def __init__(self, module: str, timeout: float = 120.0) -> None:
        self.module, self.timeout = module, timeout
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()

    def start(self) -> None:
        """Starts the process where none is running; it loads while the visitor looks at something else."""
        with self._lock:
            self._running()

    def ask(self, question: str, **arguments: Any) -> Any:
        """The answer to a question; arguments and answer are what JSON can say.

        Raises:
            UserError: the worker says that something asked for does not exist or does not fit.
            WorkerFailed: it died twice, took longer than `timeout`, or failed.
        """
        line = json.dumps({"ask": question, **arguments}).encode() + b"\n"
        with self._lock:
            reply = self._exchange(line)
            if not reply:  # it died: perhaps long ago, perhaps of this question, so once more only
                reply = self._exchange(line)
        if not reply:
            raise WorkerFailed(
                f"the process {self.module} ended before it answered; is there enough memory for the model?"
            )
        reply_fields = json.loads(reply)
        if "answer" in reply_fields:
            return reply_fields["answer"]
        raise (UserError if reply_fields["users"] else WorkerFailed)(reply_fields["error"])

    def stop(self) -> None:
        """Ends the process; the next question starts another."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        return tether.number_of(self._process)

    def _exchange(self, line: bytes) -> bytes:
        """Sends a line and waits for one; empty where the process has died."""
        process = self._running()
        try:
            _pipe(process.stdin).write(line)
            _pipe(process.stdin).flush()
            reply = self._lines.get(timeout=self.timeout)
        except queue.Empty:
            self._end()  # whatever it would still say belongs to nobody
            raise WorkerFailed(
                f"no answer within {self.timeout:.0f} s; the machine may be busy with training. Try again"
            ) from None
        except OSError:
            reply = b""
        if not reply:
            self._end()
        return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        self._process = tether.start(
            self.module,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path.cwd(),  # relative paths in streams mean the same as in the server
            env={"TOKENIZERS_PARALLELISM": "false"},
        )
        # A queue of its own: what an earlier process still says is not taken for this one's.
        self._lines = queue.Queue()
        threading.Thread(
            target=_read, args=(_pipe(self._process.stdout), self._lines), daemon=True
        ).start()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        _pipe(process.stdin).close()


def _read(pipe: IO[bytes], lines: queue.Queue[bytes]) -> None:
    """Puts each line into the queue, and an empty one when there will be no more."""
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(b"")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    """The pipe, which was asked for when the process was started."""
    if pipe is None:
        raise ValueError("the process has no such pipe")
    return pipe
