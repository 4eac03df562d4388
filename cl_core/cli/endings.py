"""How a command ends: with its message and a status, never with a traceback for what the system or the user did."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from typer.core import TyperGroup

from cl_core.errors import UserError
from cl_core.system_faults import SAFE, explained
from cl_core.visible_text import visible

PACKAGE = Path(__file__).parents[1]
AS_PYTHON_SAYS_IT = warnings.formatwarning

MISTAKE, SYSTEM, STOPPED, UNREAD = 2, 74, 130, 141
"""Exit statuses: of the user's mistakes, of the system's faults (EX_IOERR), of Ctrl-C and of a closed pipe."""
UNDER_WAY = (
    "stopped by Ctrl-C. {safe}; the same command begins again, and a run goes on where it was."
)
LOADING = "stopped by Ctrl-C while it was loading: nothing was begun, and nothing is changed."


@contextmanager
def politely(stopped: str = UNDER_WAY) -> Iterator[None]:
    """Says what ended a command, and ends the process with its status.

    Args:
        stopped: what is said of Ctrl-C.

    Raises:
        SystemExit: with the status.
    """
    try:
        yield
    except KeyboardInterrupt:
        _end(STOPPED, stopped.format(safe=SAFE))
    except BrokenPipeError:
        _end(UNREAD, "")
    except UserError as error:
        said = explained(error)  # a file that is called damaged, say, for want of memory to read it
        _end(SYSTEM if said else MISTAKE, said or str(error))
    except Exception as error:
        said = explained(error)
        if not said:
            raise
        _end(SYSTEM, said)


def _end(status: int, said: str) -> NoReturn:
    if said:
        with suppress(OSError, ValueError):
            print(visible(f"adapter-lab: {said}"), file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal
    _forget_output()
    raise SystemExit(status) from None


class PoliteGroup(TyperGroup):
    """The commands, each of which ends politely: click would end a closed pipe as a failure, and Ctrl-C wordlessly."""

    def invoke(self, ctx: Any) -> Any:
        """Carries the command out."""
        with politely():
            return super().invoke(ctx)


def prepare_output() -> None:
    """Sees to it that there is a standard output and error, which take any character.

    Where one was closed, the next file that is opened would get its number, and what is said would be written into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    warnings.formatwarning = worded


def worded(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """A warning of ours in its words alone; one of a library's with its place, as Python says it."""
    if category is UserWarning and Path(filename).is_relative_to(PACKAGE):
        return f"adapter-lab: {visible(str(message))}\n"
    return AS_PYTHON_SAYS_IT(message, category, filename, lineno, line)


def finish_output() -> None:
    """Writes out what was said.

    Raises:
        OSError: it cannot be.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        error.filename = "standard output"
        raise


def _forget_output() -> None:
    """What nobody can read any more is not written once again as the process ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
