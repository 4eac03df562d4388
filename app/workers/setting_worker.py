"""The worker that measures settings: how accurate a run is with other k and temperatures, at one stage.

`python -m app.workers.setting_worker --source DIR --target DIR --run NAME --stage N`; each setting is stored when done.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from cl_core.analysis.setting_accuracy import grid
from cl_core.analysis.setting_measurement import measure_settings
from cl_core.errors import UserError
from cl_core.runs.workspace import Workspace


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="workspace of the run")
    parser.add_argument("--target", type=Path, required=True, help="workspace that gets the result")
    parser.add_argument("--run", required=True, help="its name")
    parser.add_argument(
        "--stage", type=int, required=True, help="the stage: after learning this many tasks"
    )
    asked = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(10)  # training and pages come first
    source = Workspace(asked.source)
    run = source.find(asked.run)
    by_k, by_temperature = grid(run, asked.stage)
    settings = list(dict.fromkeys([*by_k, *by_temperature]))
    measure_settings(source, Workspace(asked.target), run, asked.stage, settings)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
