"""What the terminal shows: lines, JSON, and progress bars where it is a terminal.

Everything that is said goes through here, and what of it would steer the terminal is written out (`visible`): names,
messages and logs may be a stranger's.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cl_core.output_files import descriptor_of
from cl_core.runs.events import (
    ArtifactEvent,
    EpochEvent,
    EvaluationEvent,
    Event,
    PhaseEvent,
    StartEvent,
    WarningEvent,
)
from cl_core.visible_text import visible, visible_cell, visible_json

QUIET_SECONDS = 20.0  # plain lines: at most one progress line this often


def say(text: str = "") -> None:
    """One line to standard output.

    Raises:
        OSError: it takes none.
    """
    try:
        print(visible(text), flush=True)  # noqa: T201 - this is the terminal
    except OSError as error:
        error.filename = "standard output"
        raise


def say_json(data: Any) -> None:
    """JSON to standard output, for machines."""
    say(json_text(data))


def say_written(file: Path, as_json: bool) -> None:
    """Where what was asked for is; nothing where that is an open file, as standard output by the name `/dev/stdout`."""
    if descriptor_of(file) is not None:
        return
    if as_json:
        say_json({"file": str(file)})
    else:
        say(f"written to {file}")


def json_text(data: Any) -> str:
    """Data as JSON that every parser reads: what is not a number (NaN, infinities) is null.

    Python would write `NaN`, which no JSON has. What would steer a terminal is escaped, as JSON escapes.
    """
    text = json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False)
    return visible_json(text)


def _finite(data: Any) -> Any:
    match data:
        case float():
            return data if math.isfinite(data) else None
        case Mapping():
            return {name: _finite(value) for name, value in data.items()}
        case list() | tuple():
            return [_finite(value) for value in data]
        case _:
            return data


def warn(text: str) -> None:
    """A line of the lab's own beside the answer, whatever form that has."""
    note(f"adapter-lab: {text}")


def note(text: str) -> None:
    """A line to standard error; as good as it goes where nobody reads it."""
    with suppress(OSError):
        print(visible(text), file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads, as wide as they need to be."""
    shown = [[visible_cell(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in shown) for i in range(len(head))]
    lines = [
        "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]
    return "\n".join(lines)


class TerminalWatcher:
    """Follows a run: a progress bar on a terminal, plain lines elsewhere (a log file, CI).

    Args:
        quiet: says nothing at all (`--json`).
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._steps = 0
        self._phase = ""
        self._last_line = 0.0
        self._bar: Any = None
        self._task: Any = None

    def notice(self, message: str) -> None:
        """A sentence worth a line."""
        self._line(message)

    def progress(self, done: int, total: int) -> None:
        """Inside a phase: the bar moves; without one, a line now and then."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() - self._last_line > QUIET_SECONDS:
            self._line(f"{self._phase}: {done} of {total}" if self._phase else f"{done} of {total}")

    def finish(self) -> None:
        """The run ended, one way or another."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def event(self, event: Event) -> None:
        """Something happened in the run."""
        match event:
            case StartEvent():
                self._steps = event.steps
                if not self.quiet and sys.stderr.isatty():
                    self._bar = _make_bar()
                    self._bar.start()
                    self._task = self._bar.add_task("", total=None)
            case PhaseEvent():
                self._phase = visible(f"[{event.step}/{self._steps}] {event.phase} {event.task}")
                if self._bar is not None:
                    self._bar.update(self._task, description=self._phase, completed=0, total=None)
            case EpochEvent():
                self._line(
                    f"{self._phase}: epoch {event.epoch}/{event.epochs}, training loss {event.train_loss:.3f}, "
                    f"validation accuracy {100 * event.validation_accuracy:.1f} %"
                )
            case ArtifactEvent() if event.reused and event.kind == "adapter":
                self._line(f"{self._phase}: found in the store")
            case EvaluationEvent():
                looked_up = event.rows - event.recomputed
                how = f" ({looked_up} of {event.rows} looked up)" if looked_up else ""
                self._line(f"{self._phase}: {event.task} {100 * event.accuracy:.1f} %{how}")
            case WarningEvent():
                self._line(f"warning: {event.message}")
            case _:
                pass

    def _line(self, text: str) -> None:
        if self.quiet:
            return
        self._last_line = time.monotonic()
        try:
            if self._bar is not None:
                self._bar.console.print(visible(text), markup=False, highlight=False)
            else:
                print(visible(text), file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal
        except OSError:  # nobody reads it any more, or its file is on a full disk: the run goes on
            self.quiet = True


def _make_bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
