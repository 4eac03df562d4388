"""Stream files of a workspace: `streams/<name>.yaml`, the same YAML that the terminal reads.

The file is the stream: every change on the page is written to it at once, so that nothing is lost with the tab.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from app.data.stream_edits import rebuilt
from app.serving.rights import check_host
from cl_core.bounded_files import read_json
from cl_core.errors import UserError
from cl_core.jobs.job import ACTIVE
from cl_core.jobs.queue import Jobs
from cl_core.limits import NAME_LENGTH, TooLarge
from cl_core.reports.run_summary import RunSummary, summaries
from cl_core.runs.run_config import stream_in
from cl_core.runs.workspace import Workspace
from cl_core.store.atomic_writes import write_json, write_text
from cl_core.store.lock import RunLock
from cl_core.tasks.spec import StreamSpec
from cl_core.tasks.stream_file import dump_stream, read_stream_file

SUFFIX = ".yaml"
DRAFTS = "drafts"
"""Folder of a workspace."""
LOCK = ".lock"
"""Held while a stream file is compared with what it was, and written."""
CHANGED = (
    "stream '{name}' was changed meanwhile, in another tab or by hand, so nothing was written: its file is as "
    "the other one left it. Look at it as it is now, and make your change again"
)


def folder(workspace: Workspace) -> Path:
    """Where a workspace's stream files lie; paths in them are relative to it."""
    return workspace.root.resolve() / "streams"


def stream_files(workspace: Workspace) -> list[Path]:
    """All of them, by name."""
    directory = folder(workspace)
    return sorted(directory.glob(f"*{SUFFIX}")) if directory.is_dir() else []


@dataclass(frozen=True)
class Draft:
    """A stream that has no tasks yet: no stream file can be without any."""

    name: str
    protocol: str


def drafts(workspace: Workspace) -> dict[str, Draft]:
    """Name to draft of the streams that were begun; kept on disk, so that none goes with the tab or the page."""
    by_name = {}
    for path in sorted((workspace.root.resolve() / DRAFTS).glob("*.json")):
        try:
            draft = Draft(**read_json(path))
            if isinstance(draft.name, str) and draft.protocol in ("til", "cil", "dil"):
                by_name[path.stem] = draft
        except (OSError, ValueError, TypeError, TooLarge):  # whoever put it there
            continue
    return by_name


def begin_draft(workspace: Workspace, name: str, protocol: str) -> None:
    """Begins a stream without tasks.

    Raises:
        UserError: the name is no file name, or a stream of that name was begun already.
    """
    check_host()
    path = workspace.root.resolve() / DRAFTS / f"{file_of(workspace, name).stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with RunLock(path.parent / LOCK):
        begun = drafts(workspace).get(path.stem)
        if begun is not None:
            raise UserError(
                f"a stream '{name}' was begun already, under {begun.protocol.upper()}, so nothing was written: "
                "choose it in the list, or choose another name"
            )
        write_json(path, {"name": name, "protocol": protocol})


def end_draft(workspace: Workspace, name: str) -> None:
    """Forgets a draft: it has become a stream, or is not wanted any more."""
    check_host()
    (workspace.root.resolve() / DRAFTS / f"{name}.json").unlink(missing_ok=True)


def file_of(workspace: Workspace, name: str) -> Path:
    """The file of the stream that is called so.

    Raises:
        UserError: the name is no file name.
    """
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise UserError(
            f"'{name}' cannot name a file: begin with a letter or digit, then letters, digits and . + - _"
        )
    NAME_LENGTH.check(f"the name '{name[:20]}...'", len(name))
    return folder(workspace) / f"{name}{SUFFIX}"


def named_from(workspace: Workspace, path: Path) -> str:
    """A path as a stream file names it: relative to the file where both lie in the workspace or beside it.

    Such a folder can be carried elsewhere as a whole; what lies farther off keeps its full path **(ours)**.
    """
    around = workspace.root.resolve().parent
    if around == Path(around.anchor) or not path.resolve().is_relative_to(around):
        return str(path)
    return Path(os.path.relpath(path.resolve(), folder(workspace))).as_posix()


def stamp(path: Path) -> str:
    """What changes when a stream file does; "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def save(workspace: Workspace, spec: StreamSpec, was: str) -> Path:
    """Writes a stream, after checking what must hold of any, and that nobody else has written it since it was read.

    Args:
        workspace: whose.
        spec: the stream.
        was: the file's `stamp` when it was read; "" for a new one.

    Raises:
        UserError: its name is no file name, or the file has changed since.
        Faults: it does not fit together.
    """
    check_host()
    path = file_of(workspace, spec.name)
    checked = rebuilt(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    with RunLock(path.parent / LOCK):
        if stamp(path) != was:
            raise UserError(CHANGED.format(name=spec.name))
        write_text(path.resolve(), dump_stream(checked))  # where a link leads, which stays one
    return path


def remove(path: Path, was: str) -> None:
    """Removes a stream file, unless somebody else has written it since it was read.

    Args:
        path: of the file.
        was: the file's `stamp` when it was read.

    Raises:
        UserError: the file has changed since.
    """
    check_host()
    if not path.parent.is_dir():
        return
    with RunLock(path.parent / LOCK):
        if path.is_file() and stamp(path) != was:
            raise UserError(CHANGED.format(name=path.stem))
        path.unlink(missing_ok=True)


def users(workspace: Workspace, path: Path) -> list[str]:
    """Runs that were made from a stream file, and jobs that wait to be: while there are any, it stays as it is."""
    source = path.resolve()
    runs = [
        name
        for name, run in summaries(workspace).items()
        if run.source is not None
        and Path(stream_in(workspace.root, run.source)).resolve() == source
        and not _came_to_nothing(run)
    ]
    waiting = [
        job.request.run
        for job in Jobs(workspace).all()
        if job.state in ACTIVE and Path(job.request.stream) == source
    ]
    return list(dict.fromkeys([*runs, *waiting]))


def read(path: Path) -> StreamSpec:
    """The stream of a file.

    Raises:
        UserError: it has faults; all of them are listed.
    """
    return read_stream_file(path)


def _came_to_nothing(run: RunSummary) -> bool:
    """Whether it failed before anything was learnt: the stream may be mended, and the run begun again."""
    return run.status == "failed" and not run.learnt
