"""Commands that carry a workspace to another machine: pack, unpack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import JsonOption, WorkspaceOption
from cl_core.errors import UserError, counted


@app.command()
def pack(
    file: Annotated[Path, typer.Argument(help="The zip file to write.")],
    run: Annotated[
        list[str] | None,
        typer.Option(help="Only this run with all that it names; may be given several times."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pack the workspace, or some of its runs with everything that they name, into one zip file.

    Example: adapter-lab pack first.zip --run first
    """
    from cl_core.archive.pack import pack as write
    from cl_core.cli.output import say, say_json
    from cl_core.runs.workspace import Workspace

    packed = write(Workspace(workspace), file, run)
    if as_json:
        said = {"file": str(file), "files": len(packed.files), "bytes": packed.bytes}
        say_json({**said, "left_out": packed.left_out})
        return
    say(f"{counted(len(packed.files), 'file')}, {packed.bytes / 1e6:.1f} MB, packed into {file}")
    for line in packed.left_out:
        say(f"left out: {line}")


@app.command()
def unpack(
    file: Annotated[
        Path, typer.Argument(help="A zip that pack wrote, or of a workspace or run folders.")
    ],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a zip of a workspace or of run folders; what is here already stays as it is.

    Example: adapter-lab unpack first.zip
    """
    from dataclasses import asdict

    from cl_core.archive.unpack import unpack as take_in
    from cl_core.cli.output import say, say_json
    from cl_core.runs.workspace import Workspace

    if not file.is_file():
        raise UserError(f"there is no file '{file}'")
    came = take_in(Workspace(workspace), file)
    if as_json:
        say_json(asdict(came))
    else:
        say(str(came))
