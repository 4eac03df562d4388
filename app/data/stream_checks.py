"""Checks of a stream's data sets, what they hold and what is wrong: read by a worker, kept while the files last."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import streamlit as st

from app.workers.preloaded import Preloaded
from cl_core.bounded_files import files_within
from cl_core.limits import TooLarge
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_file import dump_stream

PATIENCE = 300
"""Seconds before a reading is given up: a large file or a slow hub."""
CHECKS = Preloaded("app.workers.check_worker", ("datasets", "cl_core.tasks.sources.files"))
"""`datasets` is two thirds of what a short reading takes."""


def check_named(source: str) -> dict[str, Any]:
    """Of a stream that has a name; see `app.workers.check_worker` for the answer."""
    return _ask(json.dumps({"source": source}), ())


def check_spec(spec: StreamSpec, folder: Path) -> dict[str, Any]:
    """Of a stream whose paths are relative to a folder."""
    asked = {"text": dump_stream(spec), "folder": str(folder)}
    return _ask(json.dumps(asked), tuple(_stamp(task, folder) for task in spec.tasks))


def check_task(task: TaskSpec, folder: Path) -> dict[str, Any]:
    """Of one task, with its columns and first rows as they were found."""
    fields = task.model_dump(mode="json", exclude_defaults=True)
    asked, stamps = json.dumps({"task": fields, "folder": str(folder)}), (_stamp(task, folder),)
    answer = _ask(asked, stamps)
    if task.hub is not None and (answer.get("faults") or "error" in answer):
        _ask.clear(asked, stamps)  # the network may be back the next time
    return answer


def hub_size(task: TaskSpec) -> dict[str, Any]:
    """{"size": {"bytes", "files", "revision"}} or {"error"}; never kept, as branches move."""
    return run_worker(json.dumps({"task": task.model_dump(mode="json"), "size": True}))


@st.cache_data(max_entries=64, show_spinner="Reading the data")
def _ask(request: str, stamps: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    return run_worker(request)


def run_worker(request: str) -> dict[str, Any]:
    """One request to a process of its own: `datasets` and the hub's client stay out of the server."""
    try:
        done = CHECKS.run(request, PATIENCE)
    except subprocess.TimeoutExpired:
        return {"error": f"Reading took more than {PATIENCE} seconds; give a smaller file."}
    except OSError as error:
        return {"error": f"The data could not be read: {error}"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return {"error": f"The data could not be read: {last}"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _stamp(task: TaskSpec, folder: Path) -> tuple[int, int]:
    """Changes when a task's files do: their number of bytes and their newest time."""
    if task.path is None:
        return 0, 0
    path = folder / Path(task.path).expanduser()
    try:
        files = [path] if path.is_file() else list(files_within(path))
    except TooLarge:
        return 0, 0  # whoever reads them says why not
    stats = [file.stat() for file in files]
    return sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)
