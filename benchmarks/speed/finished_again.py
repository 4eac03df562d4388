"""How long it takes to evaluate a finished run again.

    python benchmarks/speed/finished_again.py                                # makes a run first, minutes
    python benchmarks/speed/finished_again.py --workspace DIR --name RUN     # a run that is there

Measured: the wall time of a whole process, `adapter-lab resume RUN`, from its start to its report, best
of three; the target is less than 10 s. It has to read its artifacts and to compute none of them: how
many it read is counted in events.jsonl. An existing run is copied first, so that it keeps its events.

The run that is made: DAM on the six tasks of `domains`, MiniLM, one epoch over 40 rows of each task.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cl_core.runs.events import ArtifactEvent, FinishEvent
from cl_core.runs.workspace import Workspace

TERMINAL = [sys.executable, "-P", "-m", "cl_core.cli"]
TARGET_SECONDS = 10.0
SETTINGS = {"limit_train": 40, "limit_validation": 20, "limit_test": 100, "epochs": 1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, help="of a finished run")
    parser.add_argument("--name", default="again", help="of the run")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="finished-again-") as folder:
        workspace = Path(folder) / "workspace"
        if chosen.workspace:
            copy_run(chosen.workspace, chosen.name, workspace)
        else:
            settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
            began = time.perf_counter()
            command = ["run", "--stream", "domains", "--recipe", "dam", "--name", chosen.name]
            terminal(*command, *settings, workspace=workspace)
            print(f"the run itself: {time.perf_counter() - began:.1f} s")
        run = Workspace(workspace).run(chosen.name)
        if run.status != "finished":
            raise RuntimeError(f"run '{chosen.name}' is {run.status}")
        times = []
        for _ in range(chosen.rounds):
            count = len(run.events)
            began, processor = time.perf_counter(), processor_seconds()
            terminal("resume", chosen.name, workspace=workspace)
            times.append(time.perf_counter() - began)
            since = run.events[count:]
            read = [event for event in since if isinstance(event, ArtifactEvent)]
            computed = [f"{event.kind} of {event.task}" for event in read if not event.reused]
            inside = [event.seconds for event in since if isinstance(event, FinishEvent)]
            print(
                f"evaluated again: {times[-1]:.2f} s ({inside[-1]:.2f} s in the run itself, "
                f"{processor_seconds() - processor:.2f} s of processor time in all); "
                f"{len(read) - len(computed)} artifacts read, {len(computed)} computed"
            )
            if computed:
                raise RuntimeError(f"artifacts were computed again: {', '.join(computed)}")
    verdict = "meets" if min(times) < TARGET_SECONDS else "misses"
    print(
        f"best of {len(times)}: {min(times):.2f} s: {verdict} the target of less than {TARGET_SECONDS:g} s"
    )


def copy_run(source: Path, name: str, workspace: Path) -> None:
    """Copies one run's folder; the store, which may be large, is copied as hard links where possible."""
    shutil.copytree(source / "runs" / name, workspace / "runs" / name)
    passing = shutil.ignore_patterns(".partial", ".damaged", "checkpoint")
    shutil.copytree(source / "store", workspace / "store", ignore=passing, copy_function=link)


def link(source: str, target: str) -> None:
    """Artifacts are never changed in place, so a second name does instead of a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def processor_seconds() -> float:
    """Processor time of all commands so far: on a machine that others use, the least it could take."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def terminal(*arguments: str, workspace: Path) -> None:
    """Carries out one command of `adapter-lab`.

    Raises:
        RuntimeError: it ended with an error; the message holds what it said.
    """
    command = [*TERMINAL, *arguments, "--workspace", str(workspace)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
