"""Small runs, and what is asked of them, by whatever code stands in front on the path.

    PYTHONPATH=CHECKOUT python benchmarks/checks/checkout_runs.py WORLD

What each process of `compare_checkouts.py` does, in the current folder: the runs that the file WORLD lists, the
commands that look at them, and samples under what-ifs, asked of the app's worker. Only what stays when code moves is
called: `cl_core`'s public names, the command line, the worker's questions.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

WHAT_IFS: tuple[dict[str, Any], ...] = (
    {},
    {"k": 1},
    {"temperature": 0.3},
    {"force": "first"},
    {"drop": ["first"]},
    {"uniform": True},
    {"compose": "select"},
    {"compose": "average"},
)
COMMANDS = (
    ["explain"],
    ["vary", "-k", "1", "--temperature", "0.5"],
    ["merge", "--how", "mean", "--output", "merged"],
    ["merge", "--how", "fisher"],
)


def main() -> None:
    import torch

    import cl_core as cl

    torch.set_num_threads(1)
    here, world = Path.cwd(), json.loads(Path(sys.argv[1]).read_text())
    checkout = Path(cl.__file__).resolve().parents[1]
    if checkout != Path(world["checkouts"][here.name]):
        raise RuntimeError(f"cl_core is that of {checkout}")
    for run in world["runs"]:
        carry_out(run, world["settings"])
        for command in COMMANDS:
            look(run["name"], *command)
    answer(checkout, [run["name"] for run in world["runs"]])


def carry_out(run: dict[str, Any], settings: dict[str, Any]) -> None:
    """Trains a run; what it dies of is written down in its place."""
    import cl_core as cl

    recipe = cl.Recipe(**run["slots"]) if "slots" in run else run["recipe"]
    options = {"workspace": "workspace", "device": "cpu", **settings, **run["settings"]}
    try:
        cl.run(run["stream"], recipe, name=run["name"], protocol=run["protocol"], **options)
    except Exception as error:  # noqa: BLE001 - a checkout that fails here differs from one that does not
        write(f"{run['name']}-failed", f"{type(error).__name__}: {error}")
        traceback.print_exc()


def look(run: str, command: str, *options: str) -> None:
    """What a command says of a run, and how it ends."""
    from cl_core.cli import main as adapter_lab

    said, status = io.StringIO(), 0
    line = [command, run, *options, "--device", "cpu", "--workspace", "workspace", "--json"]
    sys.argv = ["adapter-lab", *line]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            adapter_lab()
        except SystemExit as end:
            status = int(end.code or 0)
    write("-".join([run, command, *options[1:2]]), f"{status}\n{said.getvalue()}")
    if Path("merged").exists():
        Path("merged").rename(f"merged-{run}")


def answer(checkout: Path, runs: list[str]) -> None:
    """How two rows of each task are answered under each what-if after each stage: as the worker says it."""
    # "answering.py": what the worker was called in checkouts of before
    names = ("answer_worker.py", "answering.py")
    (worker,) = (path for name in names for path in checkout.glob(f"[!.]*/**/workers/{name}"))
    module = ".".join(worker.relative_to(checkout).with_suffix("").parts)
    asked = []
    for run in runs:
        file = Path("workspace") / "runs" / run / "routing.parquet"
        if not file.exists():
            continue
        records = pq.read_table(file, columns=["stage", "sample_id", "true_task"])
        for stage in pc.unique(records["stage"]).to_pylist():
            here = records.filter(pc.equal(records["stage"], stage))
            for task in range(min(stage, 2)):
                ids = here.filter(pc.equal(here["true_task"], task))["sample_id"].to_pylist()
                where = {"workspace": "workspace", "run": run, "stage": stage}
                where["task"] = ("first", "second")[task]
                asked += [
                    {"ask": "route", **where, "sample": {"id": row}, "what_ifs": [change]}
                    for row in (ids[0], ids[-1])
                    for change in WHAT_IFS
                ]
    lines = "".join(json.dumps(request) + "\n" for request in asked)
    done = subprocess.run(
        [sys.executable, "-P", "-m", module],
        input=lines,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    replies_by_run: dict[str, list[Any]] = {}
    for request, reply in zip(asked, done.stdout.splitlines(), strict=True):
        replies_by_run.setdefault(request["run"], []).append(
            {"asked": request, "told": json.loads(reply)}
        )
    for run, replies in replies_by_run.items():
        write(f"{run}-answers.json", json.dumps(replies, indent=0))


def write(name: str, text: str) -> None:
    """A file of what was said."""
    Path("said").mkdir(exist_ok=True)
    (Path("said") / name).write_text(text)


if __name__ == "__main__":
    main()
