"""The command line: `adapter-lab`.

    adapter-lab demo                                              the demonstration
    adapter-lab run --stream domains --recipe dam --name first    train and evaluate
    adapter-lab report first                                      the numbers
    adapter-lab app                                               the lab in the browser
    adapter-lab route first --text "The soup was cold." -k 2      one sentence, inside out

Heavy imports wait for the command that needs them: `--help` and the lists answer at once.
"""

from __future__ import annotations

from cl_core.cli.endings import LOADING, finish_output, politely, prepare_output

__all__ = ["main"]


def main() -> None:
    """Entry point: what the user or the system did ends with its message and a status, without a traceback."""
    prepare_output()
    with politely():
        with politely(LOADING):
            from cl_core.cli.commands import app
        try:
            app()
        finally:
            finish_output()
