"""A workspace as it is after years: a thousand runs, most of them finished, and jobs of a part of them.

    python benchmarks/speed/full_workspace.py WORKSPACE --runs 1000 --tasks 100

Four small runs and a long one are carried out on a tiny random backbone; all others are copies of their folders with
names and seeds of their own. Of a hundred runs 88 are finished copies of small ones, four are finished and have
learnt `--tasks` tasks, three were stopped, two failed, two were killed, and one is damaged: its settings are no YAML,
a line of its events is not UTF-8, or a table is cut short.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the tests' tiny backbone

import cl_core as cl
from cl_core.runs.events import Event, FailureEvent, StopEvent, append_event
from cl_core.runs.run_folder import RunFolder

SMALL: dict[str, Any] = {
    "limit_train": 24,
    "limit_validation": 8,
    "limit_test": 12,
    "epochs": 2,
    "batch_size": 8,
    "max_length": 24,
    "layer": -2,
    "learning_rate": 1e-2,
}
LONG = {**SMALL, "limit_train": 8, "limit_validation": 4, "limit_test": 4, "epochs": 1}
RECIPES = ("dam", "average-merge", "s-prompts", "sequential")
"""Of the small runs; each is one line of a comparison."""
JOBS = 0.3
"""Of the runs, those that were started in the browser."""


def fill(root: Path, runs: int, tasks: int) -> None:
    """Makes the workspace.

    Args:
        root: an empty folder, or one that is not there yet.
        runs: how many.
        tasks: of the long ones.
    """
    from tests.backbones.checkpoints import write_checkpoint

    with tempfile.TemporaryDirectory(prefix="adapter-lab-") as folder:
        backbone = write_checkpoint("bert", root / "data" / "backbone")
        carry = functools.partial(cl.run, workspace=Path(folder), device="cpu")
        small = [
            carry("domains-dil", recipe, name=recipe, backbone=str(backbone), **SMALL).folder.path
            for recipe in RECIPES
        ]
        stream = f"domains:n={tasks}"
        long = carry(stream, "dam", name="long", backbone=str(backbone), **LONG).folder.path
        now = datetime.now(UTC)
        for number in range(runs):
            base = long if number % 25 == 3 else small[number % len(small)]
            copy = root / "runs" / f"{base.name}-{number:04}"
            _copy(base, copy, seed=number // len(small))
            _spoil(copy, number)
            began = now - timedelta(minutes=runs - number)
            os.utime(copy / "run.yaml", (began.timestamp(), began.timestamp()))
            if number % 10 < 10 * JOBS:
                _add_job(root, copy, began, number)


def _copy(base: Path, copy: Path, seed: int) -> None:
    """A folder of a run under another name, with another seed."""
    shutil.copytree(base, copy, ignore=shutil.ignore_patterns("run.lock"))
    file = copy / "run.yaml"
    text = re.sub(r"^name: .*$", f"name: {copy.name}", file.read_text("utf-8"), flags=re.MULTILINE)
    text = re.sub(r"^seed: .*$", f"seed: {seed}", text, flags=re.MULTILINE)
    RunFolder(copy).write(file.name, text.encode())


def _spoil(run: Path, number: int) -> None:
    """What became of a run, by its number."""
    match number % 100:
        case 7 | 31 | 55:
            _end(run, StopEvent())
        case 17 | 67:
            message = "OutOfMemoryError: out of memory while the second task was learnt"
            _end(run, FailureEvent(message=message))
        case 41 | 91:
            _end(run, None)
        case 77:
            _damage(run, number // 100 % 3)
        case _:
            pass


def _end(run: Path, ending: Event | None) -> None:
    """Takes the last third of the events away and says how it ended; None where it was killed."""
    file = run / "events.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: len(lines) * 2 // 3]))
    if ending is not None:
        append_event(file, ending)
    RunFolder(run).seal()


def _damage(run: Path, kind: int) -> None:
    if kind == 0:
        (run / "run.yaml").write_text("a: b: c\n", "utf-8")
    elif kind == 1:
        with (run / "events.jsonl").open("ab") as file:
            file.write(b'{"type": "warning", "message": "caf\xe9"}\n')
    else:
        table = run / "scores.parquet"
        table.write_bytes(table.read_bytes()[:-20])


def _add_job(root: Path, run: Path, began: datetime, number: int) -> None:
    """A job that has ended, as the queue keeps it."""
    folder = root / "jobs" / f"{number:012x}"
    folder.mkdir(parents=True)
    time = began.isoformat()
    request = {
        "run": run.name,
        "stream": "domains-dil",
        "recipe": "dam",
        "settings": {},
        "submitted": time,
    }
    (folder / "job.json").write_text(json.dumps(request), "utf-8")
    (folder / "begun.json").write_text(json.dumps({"time": time}), "utf-8")
    (folder / "log.txt").write_text("[1/6] features\n", "utf-8")
    outcome = {"state": "finished", "message": "", "ended": time}
    (folder / "outcome.json").write_text(json.dumps(outcome), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=100, help="of the long runs")
    asked = parser.parse_args()
    fill(asked.workspace, asked.runs, asked.tasks)
    print(f"{asked.runs} runs in {asked.workspace}")


if __name__ == "__main__":
    main()
