"""Carrying a run out while the terminal looks on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import typer

from cl_core.cli.endings import STOPPED
from cl_core.cli.output import TerminalWatcher, note, say, say_json
from cl_core.engine.execution import carry_out
from cl_core.errors import RunStopped
from cl_core.reports.report import Report
from cl_core.reports.report_formats import as_text
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

if TYPE_CHECKING:
    from cl_core.tasks.stream import Stream

LOADING = (
    "stopped by Ctrl-C while it was loading: nothing was computed yet, and everything so far is kept; the same command "
    "goes on."
)
OpenRun: TypeAlias = "Callable[[], tuple[RunFolder, Stream]]"
"""Opens or makes a run's folder, and loads its data."""


def follow(
    workspace: Workspace, open_run: OpenRun, watcher: TerminalWatcher, again: bool = False
) -> RunFolder:
    """Opens a run, and carries it out unless it is finished.

    Opening is part of it: whenever Ctrl-C comes, one place says what was done so far and how to go on.

    Args:
        workspace: where it is.
        open_run: opens it.
        watcher: what the terminal shows meanwhile.
        again: evaluate a finished run again, from its artifacts.

    Returns:
        The run's folder.

    Raises:
        typer.Exit: it was stopped; the message says how to go on.
    """
    run: RunFolder | None = None
    before: int | None = None
    try:
        run, stream = open_run()
        if again or run.status != "finished":
            before = run.starts
            carry_out(workspace, run, stream, watcher)
    except (RunStopped, KeyboardInterrupt):
        watcher.finish()
        note(how_to_go_on(workspace, run, loading=run is None or before in (None, run.starts)))
        raise typer.Exit(STOPPED) from None
    finally:
        watcher.finish()
    return run


def how_to_go_on(workspace: Workspace, run: RunFolder | None, loading: bool) -> str:
    """What is said of a run that was stopped; of one that is not made yet, that it is not."""
    if run is None:
        return LOADING
    where = "" if str(workspace.root) == "workspace" else f" --workspace {workspace.root}"
    return (
        f"stopped{' while it was loading' if loading else ''}; everything so far is kept. "
        f"Resume with: adapter-lab resume {run.name}{where}"
    )


def show_report(run: RunFolder, as_json: bool) -> None:
    """Its numbers, in the terminal's words or as JSON."""
    report = Report(run)
    if as_json:
        say_json(report.as_dict())
    else:
        say(as_text(report))
