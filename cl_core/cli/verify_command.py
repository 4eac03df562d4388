"""The command that says what of a workspace is whole: verify."""

from __future__ import annotations

from typing import Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import JsonOption, WorkspaceOption

NOT_WHOLE = 1


@app.command()
def verify(
    run: Annotated[
        str | None, typer.Argument(help="Only this run, with the artifacts that it needs.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every file of the workspace, or of one run, and say what is whole: exit status 0, or 1 where any is not.

    Files that carry hashes must have them, numbers must be possible; nothing is changed. What can be computed again,
    'adapter-lab resume NAME' computes again.

    Example: adapter-lab verify first
    """
    from dataclasses import asdict

    from cl_core.archive.verification import summary
    from cl_core.archive.verification import verify as read
    from cl_core.cli.output import say, say_json
    from cl_core.runs.workspace import Workspace

    result = read(Workspace(workspace), run)
    if as_json:
        parts = [{**asdict(part), "whole": not part.faults} for part in result.parts]
        say_json({"whole": result.whole, "parts": parts})
    else:
        for part in result.parts:
            for fault in part.faults:
                say(f"{part.kind} {part.name} is damaged: {fault}")
            if part.kind == "run" and not part.faults:
                say(f"run {part.name} is whole" + "".join(f"; it {note}" for note in part.notes))
        say(summary(result))
    if not result.whole:
        raise typer.Exit(NOT_WHOLE)
