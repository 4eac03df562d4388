"""The command that opens the lab in the browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from adapter_lab import HOME, command, environment
from cl_core.cli.app import app
from cl_core.cli.options import WorkspaceOption
from cl_core.errors import UserError
from cl_core.runs import variables

NEEDED = {"streamlit": "streamlit", "plotly": "plotly", "umap": "umap-learn", "pandas": "pandas"}
"""What the app imports, with the distributions that have it: the extra `app` of pyproject.toml."""


@app.command("app")
def open_app(
    workspace: WorkspaceOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the server listens.")] = 8501,
    share: Annotated[
        bool,
        typer.Option(
            "--share", help="Let others on the network look, with a code that is shown here."
        ),
    ] = False,
    address: Annotated[
        list[str] | None,
        typer.Option(
            help="With --share, a further name under which others reach this machine, such as a proxy's.",
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window.")
    ] = True,
) -> None:
    """Open the lab in the browser: look at runs, build streams, train, inspect single samples.

    It begins with the bundled demonstration until there are runs of your own. It listens on this machine alone, unless
    --share is given. Runs that it starts go on when it is closed.

    Example: adapter-lab app --workspace workspace --port 8501
    """
    check_installed()
    surroundings = environment()
    words = ["--port", str(port)]
    if workspace is not None:
        surroundings[variables.WORKSPACE] = str(Path(workspace).expanduser().resolve())
    if share:
        words += ["--share", *(f"--address={name}" for name in address or ())]
    elif address:
        raise UserError("--address names a lab that is shared: give --share too")
    else:
        surroundings.pop(variables.JOIN_CODE, None)
    words += ["--browser"] if browser and has_display() else []
    become(command("app.server", *words), surroundings)


def become(words: list[str], surroundings: Mapping[str, str]) -> NoReturn:
    """Has this process carry out a command line instead: nobody stands between its server and who ends it.

    Args:
        words: the command line.
        surroundings: its environment.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(words[0], words, dict(surroundings))  # noqa: S606 - without a shell, which is the point
    try:  # on Windows a process cannot become another
        raise typer.Exit(subprocess.run(words, env=surroundings, check=False).returncode)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def has_display() -> bool:
    """Whether a browser window could be seen here; on a server the address alone is printed."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def check_installed() -> None:
    """Refuses where the app, or what it needs, is not installed.

    Raises:
        UserError: it says what is missing.
    """
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise UserError(
            f"the app needs what is not installed: {', '.join(missing)}; "
            "run: pip install 'adapter-lab[app]'"
        )
    if not (HOME / "app" / "main.py").is_file():
        raise UserError(f"the app's files are not installed in {HOME}; install the project again")
