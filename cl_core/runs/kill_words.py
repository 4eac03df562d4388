"""What is said of a process that was killed or stopped: by what signal, what that mostly means, what is kept."""

from __future__ import annotations

import signal

KEPT = "What it did up to its last checkpoint is kept"
UNKNOWN_END = (
    "its process ended without a word: it was killed, perhaps as memory ran out, or the machine "
    "went off"
)
_CRASHES = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS")
"""Signals by which a program mostly ends itself."""


def still_words(process: int, whose: str = "its") -> str:
    """What is said of a process that a signal has stopped, and how it is had go on.

    >>> still_words(123)
    'its process 123 stands still: a signal stopped it (SIGSTOP, or Ctrl-Z); to have it go on: kill -CONT 123'

    Args:
        process: its number.
        whose: begins the sentence.
    """
    return (
        f"{whose} process {process} stands still: a signal stopped it (SIGSTOP, or Ctrl-Z); "
        f"to have it go on: kill -CONT {process}"
    )


def signal_name(number: int) -> str:
    """ "SIGKILL" of 9; of a number that this system has no name for, "signal 77".

    >>> signal_name(9)
    'SIGKILL'
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def kill_words(name: str) -> str:
    """What became of a process, and what may be done before it is started again.

    >>> kill_words("SIGHUP")
    'its process was killed from outside (SIGHUP)'

    Args:
        name: of the signal.
    """
    if name == "SIGKILL":
        return (
            "its process was killed from outside (SIGKILL), as a system that runs out of memory does: where that is "
            "likely, close what else takes memory, or choose a smaller batch_size or max_length"
        )
    if name in _CRASHES:
        return f"its process crashed ({name}): the end of its log may say in what"
    return f"its process was killed from outside ({name})"
