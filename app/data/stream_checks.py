"""Checks of a stream's data sets, what they hold and what is wrong: read by a worker, kept while the files last."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import streamlit as st

from app.workers.preloaded import Preloaded
from cl_core.bounded_files import files_within
from cl_core.limits import TooLarge
from cl_core.system_faults import explained
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_file import dump_stream
from cl_core.tasks.stream_loader import data_folder, find_stream

PATIENCE = 300
"""Seconds before a reading is given up: a large file or a slow hub."""
CHECKS = Preloaded("app.workers.check_worker", ("datasets", "cl_core.tasks.sources.files"))
"""`datasets` is two thirds of what a short reading takes."""


def check_named(source: str) -> dict[str, Any]:
    """Of a stream that has a name; see `app.workers.check_worker` for the answer."""
    spec, folder = find_stream(source)
    return _ask(json.dumps({"source": source}), _stamps(spec, folder))


def check_spec(spec: StreamSpec, folder: Path) -> dict[str, Any]:
    """Of a stream whose paths are relative to a folder."""
    asked = {"text": dump_stream(spec), "folder": str(folder)}
    return _ask(json.dumps(asked), _stamps(spec, folder))


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
def _ask(request: str, stamps: tuple[str, ...]) -> dict[str, Any]:
    return run_worker(request)


def run_worker(request: str) -> dict[str, Any]:
    """One request to a process of its own: `datasets` and the hub's client stay out of the server."""
    try:
        done = CHECKS.run(request, PATIENCE)
    except subprocess.TimeoutExpired:
        return {"error": f"Reading took more than {PATIENCE} seconds; give a smaller file."}
    except OSError as error:  # no process can be had, or no room for what it is asked
        return {"error": f"The data could not be read: {explained(error) or error}"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return {"error": f"The data could not be read: {last}"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _stamps(spec: StreamSpec, folder: Path) -> tuple[str, ...]:
    return tuple(_stamp(task, folder) for task in (*spec.tasks, *spec.held_out))


def _stamp(task: TaskSpec, folder: Path) -> str:
    """Changes when a task's files do: any one's name, size, times or inode, or which there are.

    An edit may put the time back, but not the time of that. What lies beside a single file is told of as well: its
    folder's own times count, and a meta.json in it.
    """
    data = data_folder()
    if task.path is not None:
        path = folder / Path(task.path).expanduser()
    elif task.data is not None and data is not None:
        path = data / task.data
    else:
        return ""
    beside = [path.parent, path.parent / "meta.json", path]
    try:
        files = sorted(files_within(path)) if path.is_dir() else beside
    except TooLarge:
        return ""  # whoever reads them says why not
    digest = blake2b(digest_size=16)
    for file in files:
        with suppress(OSError):  # it is not there, or not any more
            its = file.stat()
            facts = (its.st_size, its.st_mtime_ns, its.st_ctime_ns, its.st_ino)
            digest.update(repr((str(file), *facts)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
