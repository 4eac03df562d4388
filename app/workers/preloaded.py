"""A process that has imported a worker's module, and becomes that worker anew, by a fork, for each request.

Half of what a short request takes is imports. A worker that answered one request after the other would make visitors
wait for one another, and keep the memory of the largest data that it ever read; a fork has the imports, is alone, and
is gone with its answer. Where processes cannot be forked, each request starts one of its own.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import IO

from app.workers import tether

FORKS = hasattr(os, "fork") and hasattr(socket, "send_fds")
PROCESS = struct.Struct("!q")
"""What is answered to a request: the number of the process that carries it out."""
KILLED = -int(getattr(signal, "SIGKILL", 9))
DIED_TWICE = "the process that reads data ended; is there enough memory?"


class Preloaded:
    """`python -m MODULE` for many requests: text on standard input, an answer on standard output.

    Safe to share between threads: requests are carried out beside each other.

    Args:
        module: has `main()`, which reads one request and writes one answer.
        beside: modules that it imports only when a request wants them, which are imported before.
    """

    def __init__(self, module: str, beside: Sequence[str] = ()) -> None:
        self.module, self.beside = module, tuple(beside)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._surroundings: dict[str, str] = {}
        self._requests: socket.socket | None = None

    def start(self) -> None:
        """Starts importing where that has not begun; nobody waits for it."""
        if FORKS:
            with self._lock:
                self._connected()

    def run(self, said: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """Carries one request out.

        Args:
            said: to its standard input.
            timeout: seconds.

        Raises:
            subprocess.TimeoutExpired: it took longer, and was ended.
            OSError: no process can be had.
        """
        if not FORKS:
            return tether.run(self.module, said=said, timeout=timeout)
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            asked, answer, complaint = files
            asked.write(said.encode())
            asked.seek(0)
            # The worker's end is closed when it ends, however that is; its status is written before.
            ended, ends = os.pipe()
            stack.callback(os.close, ended)
            try:
                process = self._begin([*(file.fileno() for file in files), ends])
            finally:
                os.close(ends)
            waiting = (
                select.poll()
            )  # select itself takes no descriptor above 1,023, and a server may have more
            waiting.register(ended, select.POLLIN)
            if not waiting.poll(1000 * timeout):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(self.module, timeout)
            status = os.read(ended, 1)
            return subprocess.CompletedProcess(
                [self.module], status[0] if status else KILLED, _text(answer), _text(complaint)
            )

    def stop(self) -> None:
        """Ends the process that forks; requests that are carried out come to their end."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """Of the process that forks; None while there is none."""
        return tether.number_of(self._process)

    def _begin(self, descriptors: list[int]) -> int:
        """Has a request begun, and returns its process; one that forks and died since is replaced once."""
        with self._lock:
            for _ in range(2):
                requests = self._connected()
                with suppress(OSError):
                    socket.send_fds(requests, [b"\0"], descriptors)
                    if (
                        len(number := requests.recv(PROCESS.size, socket.MSG_WAITALL))
                        == PROCESS.size
                    ):
                        process: int = PROCESS.unpack(number)[0]
                        return process
                self._end()
        raise OSError(DIED_TWICE)

    def _connected(self) -> socket.socket:
        surroundings = _surroundings()
        alive = self._process is not None and self._process.poll() is None
        if self._requests is None or not alive or surroundings != self._surroundings:
            self._end()
            self._surroundings = surroundings
            self._requests, theirs = socket.socketpair()
            with theirs:
                self._process = tether.start(
                    __name__,
                    self.module,
                    *self.beside,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")},
                )
        return self._requests

    def _end(self) -> None:
        if self._requests is not None:
            self._requests.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._requests = self._process = None


def _surroundings() -> dict[str, str]:
    """The environment, which libraries read as they are imported: whether the hub may be asked, where caches lie.

    Without what a runner of tests notes there at every step.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _become(worker: str, descriptors: list[int]) -> None:
    """In a fork: carries one request out with these as standard input, output and error, and ends."""
    status = 1
    try:
        for number, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, number)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        tether.tie_again()
        importlib.import_module(worker).main()
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it is said, and the fork ends here
        traceback.print_exc()
    finally:
        with suppress(BaseException):  # nobody may wait for it any more
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(descriptors[3], bytes([status]))
        os._exit(status)


def main() -> None:
    """Imports the worker's module, and forks for each request until nobody asks any more."""
    worker, *beside = sys.argv[1:]
    requests = socket.socket(fileno=os.dup(0))
    importlib.import_module(worker)
    while True:
        while beside and not select.select([requests], [], [], 0)[0]:
            importlib.import_module(beside.pop(0))  # whoever asks already need not wait for it
        asked, descriptors, _, _ = socket.recv_fds(requests, 1, 4)
        if not asked:
            return
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks that ended are waited for by nobody
        process = os.fork()
        if process == 0:
            requests.close()
            _become(worker, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        requests.sendall(PROCESS.pack(process))


if __name__ == "__main__":
    main()
