"""The application that the commands register with."""

from __future__ import annotations

from typing import Annotated

import typer

from cl_core.cli.endings import PoliteGroup

app = typer.Typer(
    cls=PoliteGroup,
    name="adapter-lab",
    help="Continual learning with adapters: one small adapter per task on a frozen backbone, "
    "routed and merged per sample.",
    epilog="Start with: adapter-lab demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Shows the version; every other thing is a command."""
    if version:
        from cl_core import __version__
        from cl_core.cli.output import say

        say(f"adapter-lab {__version__}")
        raise typer.Exit
