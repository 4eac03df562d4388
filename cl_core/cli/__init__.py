"""The command line: `adapter-lab`.

    adapter-lab demo                                              the demonstration
    adapter-lab run --stream domains --recipe dam --name first    train and evaluate
    adapter-lab report first                                      the numbers
    adapter-lab app                                               the lab in the browser
    adapter-lab route first --text "The soup was cold." -k 2      one sentence, inside out

Heavy imports wait for the command that needs them: `--help` and the lists answer at once.
"""

from __future__ import annotations

import sys

from cl_core.cli import (  # noqa: F401 - they register their commands
    archives,
    check_command,
    clean_command,
    compare_commands,
    inspect,
    job_commands,
    list_commands,
    merge_commands,
    run_commands,
    serve,
    vary_command,
    verify_command,
)
from cl_core.cli.app import app
from cl_core.errors import UserError

__all__ = ["app", "main"]


def main() -> None:
    """Entry point: a mistake of the user's ends with its message and status 2, without a traceback."""
    try:
        app()
    except UserError as error:
        print(f"adapter-lab: {error}", file=sys.stderr)  # noqa: T201 - this is the terminal
        raise SystemExit(2) from None
