"""Whatever is written, started or removed by the server asks whose visit it is, at that very place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import ROOT

WRITING = {
    *("write_json", "write_text", "write_bytes", "write_durably", "save_slice", "save_plot"),
    *("mkdir", "makedirs", "unlink", "rename", "rmdir", "rmtree", "move", "touch", "symlink_to"),
    *("copytree", "copyfile", "copy2", "copy_runs", "unpack", "clean", "mkstemp", "create"),
    *("submit", "again", "wake", "request_stop", "record", "Popen", "system", "putenv"),
}
"""Calls that write, start or remove something, by their last name."""
OF_OBJECTS = {"stop": {"st"}, "remove": set[str]()}
"""The same, but for calls on these names: `st.stop()` ends a drawing."""
PROCESSES = {
    *("answer_worker", "check_worker", "near_rows", "projection_worker", "request_loop"),
    *("scored_rows", "sweep_worker", "thumbnails", "map_key", "tether", "preloaded", "umap_layout"),
}
"""Modules of `app/workers` that are carried out elsewhere, or start what has asked already."""
ALLOWED = {
    "app/shell/uploads.py:_unpack": "of `receive` alone",
    "app/shell/uploads.py:_sweep": "of `receive` alone",
    "app/workers/background.py:_start": "of `ensure` alone",
    "app/workers/background.py:_reap": "takes away the log of a process that has ended",
    "app/workers/process.py:_running": "starts the process that answers, which reads",
    "app/data/stream_checks.py:run_worker": "starts a process that reads a stream",
    "app/shell/frame.py:_show_badge": "asks `is_guest`: a guest's visit starts nobody to work on the queue",
    "app/train/train_jobs.py:_watch": "asks `is_guest`, as the badge",
    "app/shell/preferences.py:restore": "what the host has set, once for each server",
    "app/server.py:main": "before there are visitors",
}
"""Functions that write without asking, and why."""


def modules() -> Iterator[Path]:
    for folder in ("app", "pages"):
        for file in (ROOT / folder).rglob("*.py"):
            process = file.parent.name == "workers" and file.stem in PROCESSES
            if not process and file.parent.name != "report" and file.stem != "demonstration_assets":
                yield file


def writes(call: ast.Call) -> bool:
    """Whether a call writes, as far as its name says."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    on = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name in OF_OBJECTS:
        return on != "" and on not in OF_OBJECTS[name]
    if name == "replace":  # of a path; that of a text has two arguments
        return len(call.args) == 1 and not call.keywords
    if name == "open":
        modes = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        return any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes[-1:])
    if on in ("tether", "CHECKS"):
        return name in ("start", "run")
    if on == "os.environ":
        return name in ("pop", "update", "setdefault", "clear")
    return name in WRITING


def writers(source: str) -> dict[str, bool]:
    """By function at the top of a module or class, whether it asks; of those that write, or set the environment."""
    asking = {}
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.Module):
            within = [
                node
                for part in function.body
                if isinstance(function, ast.FunctionDef)
                or not isinstance(part, ast.FunctionDef | ast.ClassDef)
                for node in ast.walk(part)
            ]
            calls = [node for node in within if isinstance(node, ast.Call)]
            setting = any(
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Store | ast.Del)
                and ast.unparse(node.value) == "os.environ"
                for node in within
            )
            if setting or any(map(writes, calls)):
                name = function.name if isinstance(function, ast.FunctionDef) else "the module"
                asking[name] = any(ast.unparse(call.func) == "check_host" for call in calls)
    return asking


def test_whatever_writes_asks_whose_visit_it_is() -> None:
    all_writers = {
        f"{file.relative_to(ROOT).as_posix()}:{name}": asks
        for file in modules()
        for name, asks in writers(file.read_text(encoding="utf-8")).items()
    }
    silent = {name for name, asks in all_writers.items() if not asks}
    assert silent == set(ALLOWED)
    assert len(all_writers) - len(silent) >= 15


@pytest.mark.parametrize(
    "evil",
    [
        "def go():\n    write_json(path, {})",
        "def go():\n    path.unlink()",
        "def go():\n    Jobs(mine).submit(request)",
        "def go():\n    job.stop()",
        "def go():\n    jobs.remove(job)",
        "def go():\n    partial.replace(path)",
        "def go():\n    path.open('w')",
        "def go():\n    os.environ['A'] = 'b'",
        "def go():\n    os.environ.pop('A')",
        "def go():\n    tether.run('cl_core.cli', 'explain')",
        "def go():\n    def inner():\n        path.mkdir()\n    inner()",
        "write_text(path, '')",
    ],
)
def test_every_kind_of_writing_is_seen(evil: str) -> None:
    assert set(writers(evil).values()) == {False}
    assert not writers("def go():\n    st.stop()\n    text.replace('a', 'b')\n    path.open('rb')")
