"""Carrying a run out while the terminal looks on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cl_core.cli.output import TerminalWatcher, note, say, say_json
from cl_core.engine.launch import carry_out
from cl_core.reports.report import Report
from cl_core.reports.report_formats import as_text
from cl_core.runs.events import StartEvent
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

if TYPE_CHECKING:
    from cl_core.tasks.stream import Stream

STOPPED = 130  # the exit status of a command that Ctrl-C ended


def follow(
    workspace: Workspace,
    run: RunFolder,
    stream: Stream,
    watcher: TerminalWatcher,
    as_json: bool,
    again: bool = False,
    show: bool = True,
) -> None:
    """Carries the run out, unless it is finished, and shows its report.

    Args:
        workspace: where it is.
        run: its folder.
        stream: its data.
        watcher: what the terminal shows meanwhile.
        as_json: JSON instead of text.
        again: evaluate a finished run again, from its artifacts.
        show: whether the report is shown.

    Raises:
        typer.Exit: it was stopped; the message says how to go on.
    """
    if again or run.status != "finished":
        before = starts(run)
        try:
            from cl_core.train.loop import RunStopped

            carry_out(workspace, run, stream, watcher)
        except (RunStopped, KeyboardInterrupt):
            watcher.finish()
            where = "" if str(workspace.root) == "workspace" else f" --workspace {workspace.root}"
            loading = " while it was loading" if starts(run) == before else ""
            note(
                f"stopped{loading}; everything so far is kept. Resume with: adapter-lab resume {run.name}{where}"
            )
            raise typer.Exit(STOPPED) from None
        finally:
            watcher.finish()
    if not show:
        return
    report = Report(run)
    if as_json:
        say_json(report.as_dict())
    else:
        say(as_text(report))


def starts(run: RunFolder) -> int:
    """How often its work has begun."""
    return sum(isinstance(event, StartEvent) for event in run.events)
