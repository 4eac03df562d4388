"""Runs as pages read them: from the workspaces on disk, cached by when their files last changed.

Reading a run needs no torch: everything comes from its tables and events.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from adapter_lab import HOME
from app.data.bundled import NAMES
from cl_core.jobs.job import ACTIVE, State
from cl_core.jobs.queue import Jobs
from cl_core.reports.report import Report
from cl_core.reports.run_summary import RunSummary, summaries
from cl_core.runs import variables
from cl_core.runs.reading.run_reader import Stamp
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import is_held

WorkspaceName = Literal["Demonstration", "Mine"]
WORKSPACE_NAMES: tuple[WorkspaceName, ...] = ("Demonstration", "Mine")
"""Names of the workspaces, as they are called on the screen and in addresses."""
DEMONSTRATION = HOME / "app" / "demonstration"
"""The bundled workspace; read-only."""


def workspace(workspace_name: WorkspaceName) -> Workspace:
    """The bundled workspace, or the one that the server was started with."""
    if workspace_name == "Demonstration":
        return Workspace(DEMONSTRATION)
    return Workspace(os.environ.get(variables.WORKSPACE) or None)


def run_names(workspace_name: WorkspaceName) -> list[str]:
    """Of all runs, whatever became of them: the newest first, the demonstration's as they are bundled."""
    return list(readable(workspace_name))


def scored(run: RunFolder) -> bool:
    """Whether there is anything to look at: a row of scores at least."""
    return (run.path / "scores.parquet").is_file()


def first_run(workspace_name: WorkspaceName, names: Sequence[str]) -> str:
    """The run that is shown until one is chosen: the first that has anything to look at, of one name at least."""
    return next((name for name in names if scored(workspace(workspace_name).find(name))), names[0])


RESUMABLE = ("failed", "interrupted", "stopped")
"""What became of runs that a job may go on with."""


@dataclass(frozen=True)
class Ending:
    """What became of a run.

    Attributes:
        status: see `RunFolder.status`; of the job, while one that goes on with it waits or runs.
        message: what it said when it failed; "" where it did not.
    """

    status: State
    message: str


def labels(workspace_name: WorkspaceName, listed: Mapping[str, RunSummary]) -> dict[str, str]:
    """Runs' names, each with what became of it where it did not come to its end, see `ending`."""
    became: dict[str, State] = {name: run.status for name, run in listed.items()}
    for job in Jobs(
        workspace(workspace_name)
    ).all():  # the oldest first: the newest has the last word
        name = job.request.run
        if name in listed and listed[name].status in RESUMABLE:
            state = job.state
            became[name] = state if state in ACTIVE else listed[name].status
    return {
        name: name if state == "finished" else f"{name} · {state}" for name, state in became.items()
    }


def ending(run: RunFolder) -> Ending:
    """What became of a run, read once for as long as its files are the same.

    What it said when it failed is over as soon as a job goes on with it, which may wait, and takes seconds to begin.
    """
    if is_held(run.lock_path):
        return Ending("running", run.standstill)
    became = _ending(str(run.path), stamp(run))
    if became.status in RESUMABLE:
        job = Jobs(Workspace(run.path.parents[1])).of(run.name)
        state = None if job is None else job.state
        if state is not None and state in ACTIVE:
            return Ending(state, "")
    return became


def readable(workspace_name: WorkspaceName) -> dict[str, RunSummary]:
    """What is said of each run, by name and in the order of `run_names`.

    Those of which a file cannot be read are left out, and `unreadable` names them.
    """
    sound, _ = _listed(workspace_name)
    return dict(sound)


def unreadable(workspace_name: WorkspaceName) -> dict[str, str]:
    """Damaged runs, each with what of it cannot be read and what to do."""
    _, faults = _listed(workspace_name)
    return dict(faults)


Listed = tuple[dict[str, RunSummary], dict[str, str]]
"""Runs that can be read, and what is wrong with the others."""
_listed_before: ContextVar[dict[WorkspaceName, Listed] | None] = ContextVar("listed", default=None)


@contextmanager
def listed_once() -> Iterator[None]:
    """While a page is drawn its runs are listed once: of a thousand that takes a tenth of a second each time.

    Whoever changes which runs there are has the page drawn again.
    """
    before = _listed_before.set({})
    try:
        yield
    finally:
        _listed_before.reset(before)


def _listed(workspace_name: WorkspaceName) -> Listed:
    before = _listed_before.get()
    if before is None:
        return _list(workspace_name)
    if workspace_name not in before:
        before[workspace_name] = _list(workspace_name)
    return before[workspace_name]


def _list(workspace_name: WorkspaceName) -> Listed:
    listed = summaries(workspace(workspace_name))
    names = list(listed)
    if workspace_name == "Demonstration":  # its files' times are those of the checkout
        names.sort(key=lambda name: (NAMES.index(name) if name in NAMES else len(NAMES), name))
    faults = {name: listed[name].fault for name in names if listed[name].fault}
    return {name: listed[name] for name in names if name not in faults}, faults


def first_workspace() -> WorkspaceName:
    """The workspace in which a visit begins: the demonstration until there is a run of one's own.

    What `adapter-lab demo` leaves is no run of one's own: a newcomer's workspace may hold it.
    """
    scored_runs = {name for name, summary in readable("Mine").items() if summary.scored}
    return "Mine" if scored_runs - {variables.DEMONSTRATION_RUN} else "Demonstration"


def stamp(run: RunFolder) -> Stamp:
    """What changes when a run does: its files' sizes and times."""
    return run.stamp


def report(run: RunFolder) -> Report:
    """Its numbers; the same object for as long as its files are the same."""
    return _report(str(run.path), stamp(run))


@st.cache_data(max_entries=1024, show_spinner=False)
def _ending(path: str, stamp: Stamp) -> Ending:
    run = RunFolder(Path(path))
    return Ending(run.status, run.failure)


@st.cache_resource(max_entries=64, show_spinner=False)
def _report(path: str, stamp: Stamp) -> Report:
    return Report(RunFolder(Path(path)))
