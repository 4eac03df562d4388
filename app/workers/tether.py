"""Processes of the server end with it, however it ends: `python -m app.workers.tether DESCRIPTOR MODULE WORDS`.

The server holds one end of a pipe that nobody ever writes to, and every process of its own the other. The system closes
the server's end when the server is gone, by a signal that nobody can catch too; the process reads that, and ends at
once, whatever it is computing. What it writes it writes atomically, so that nothing is left half. Jobs are not tied to
the server: they go on.
"""

from __future__ import annotations

import importlib
import os
import runpy
import subprocess
import sys
import threading
from functools import cache
from typing import Any

from adapter_lab import command, environment

TIED: list[int] = []
"""Of this process: what it reads the server's end from, where it is tied."""
ENDED_WITH_SERVER = 75
"""Exit status of a process whose server is gone; nobody is there to read it but a test."""


def start(module: str, *words: str, **options: Any) -> subprocess.Popen[Any]:
    """Starts `python -m MODULE WORDS` as a process that ends with this one.

    Args:
        module: what is carried out.
        words: its command line.
        options: of `subprocess.Popen`; `env` adds to this process's environment and what `app` needs.
    """
    surroundings = {**environment(), **options.pop("env", {})}
    if os.name == "nt":  # a process there is given no descriptors; it ends when its pipes do
        return subprocess.Popen(command(module, *words), env=surroundings, **options)
    held = _pipe()[0]
    return subprocess.Popen(
        command(__name__, str(held), module, *words),
        env=surroundings,
        pass_fds=(held,),
        **options,
    )


def run(
    module: str, *words: str, said: str | None = None, timeout: float | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Carries `python -m MODULE WORDS` out to its end, as `start` does, and returns what it said.

    Args:
        module: what is carried out.
        words: its command line.
        said: to its standard input; nothing without.
        timeout: seconds.
        options: as of `start`.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was ended.
    """
    pipe = subprocess.PIPE
    process = start(module, *words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **options)
    with process:
        try:
            answered, complained = process.communicate(said, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess([module, *words], process.returncode, answered, complained)


def number_of(process: subprocess.Popen[Any] | None) -> int | None:
    """Of a process that is alive; None of one that has ended or was never started."""
    return process.pid if process is not None and process.poll() is None else None


@cache
def _pipe() -> tuple[int, int]:
    """What is read from and what is held open, one for all processes; no other process is given the second."""
    return os.pipe()


def _end_with(descriptor: int) -> None:
    """Waits until nobody holds the other end any more, then ends this process."""
    os.set_inheritable(descriptor, False)
    os.read(descriptor, 1)
    os._exit(ENDED_WITH_SERVER)


def tie(descriptor: int) -> None:
    """Has this process end with whoever holds the other end."""
    TIED[:] = [descriptor]
    threading.Thread(target=_end_with, args=(descriptor,), daemon=True).start()


def tie_again() -> None:
    """In a fork of a process that is tied: threads do not come along."""
    for descriptor in (*TIED,):
        tie(descriptor)


def main() -> None:
    """Ties this process, and becomes the module."""
    descriptor, module, *words = sys.argv[1:]
    # This file is carried out as `__main__`; what the module imports is another of it.
    importlib.import_module("app.workers.tether").tie(int(descriptor))
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
