"""A workspace in which every name and every message is what its maker wants it to be: markup, say."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cl_core.jobs.job import Outcome, Request
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import write_json
from tests.remade_runs import bundled, remade


def hostile_workspace(root: Path, payload: str, folder: str) -> Workspace:
    """A workspace with a run, a failed run, a damaged one, a job and a stream whose every name is a payload.

    Args:
        root: where it is made.
        payload: the name of tasks, labels and streams, and what failures say.
        folder: the same without what no folder can be called: the names of runs.
    """

    def name(index: int) -> str:
        return f"{index} {payload}"

    workspace = Workspace(root)
    config = bundled("dam")
    tasks = tuple(
        task.model_copy(
            update={
                "name": name(i),
                "label_names": tuple(f"{n} {payload}" for n in task.label_names),
            }
        )
        for i, task in enumerate(config.tasks)
    )
    called = {task.name: name(i) for i, task in enumerate(config.tasks)}
    run = remade(workspace, "dam", "dam")
    table = run.table("scores").to_pylist()
    rows = [{**row, "task": called[row["task"]]} for row in table]
    schema = run.table("scores").schema
    pq.write_table(pa.Table.from_pylist(rows, schema), run.path / "scores.parquet")
    named = config.model_copy(
        update={
            "stream_name": payload,
            "tasks": tasks,
            "label_space": tuple(f"{n} {payload}" for n in config.label_space),
        }
    )
    events = (run.path / "events.jsonl").read_text()
    for old, new in called.items():
        events = events.replace(f'"task":"{old}"', f'"task":{json.dumps(new)}')
    (run.path / "events.jsonl").write_text(events)
    run.create(named)
    run.path.rename(run.path.with_name(folder))
    failed = remade(workspace, "dam", "failed", stream_name=payload)
    with (failed.path / "events.jsonl").open("a") as file:
        file.write(json.dumps({"type": "failed", "message": payload}) + "\n")
    broken = RunFolder(workspace.root / "runs" / f"{folder}2")
    broken.path.mkdir()
    (broken.path / "run.yaml").write_text(f"'{payload}': 1\n")
    job = workspace.root / "jobs" / "abc"
    job.mkdir(parents=True)
    request = Request(run="failed", stream=payload, recipe=payload)
    write_json(job / "job.json", request.model_dump(mode="json"))
    write_json(job / "begun.json", {})
    write_json(
        job / "outcome.json", Outcome(state="failed", message=payload).model_dump(mode="json")
    )
    streams = workspace.root / "streams"
    streams.mkdir()
    (streams / "bad.yaml").write_text(f"name: '{payload}'\nprotocol: '{payload}'\ntasks: []\n")
    return workspace
