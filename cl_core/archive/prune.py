"""What a workspace takes up, and removing what none of its runs needs any more.

An artifact is needed when a run names it (in `artifacts.json`, or in an event when it was made), when a needed one was
made from it, or when it says something about a needed one (how long it took, a map of it). Everything else was left by
runs that were deleted or carried out anew with other settings. Removing it loses no result; what is asked for again is
computed again. While a run cannot say what it needs, nothing is removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cl_core.archive.leftovers import remove_leftovers
from cl_core.archive.needs import KEY, folders_of, keys_of
from cl_core.errors import UserError
from cl_core.jobs.job import ACTIVE
from cl_core.jobs.queue import Jobs
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

ABOUT = ("timing", "projection", "routed", "varied")
"""Kinds that say something about other artifacts and are needed only with them."""


@dataclass(frozen=True)
class StoredArtifact:
    """One artifact and what it takes up."""

    kind: str
    key: str
    bytes: int


@dataclass(frozen=True)
class Sizes:
    """Bytes on the disk, by part of the workspace.

    Attributes:
        runs: by name of the run.
        store: by kind of artifact.
        damaged: artifacts that failed their check and were set aside.
        rest: by name of any other folder or file.
    """

    runs: dict[str, int]
    store: dict[str, int]
    damaged: int
    rest: dict[str, int]

    @property
    def total(self) -> int:
        """All of it."""
        parts = (*self.runs.values(), *self.store.values(), self.damaged, *self.rest.values())
        return sum(parts)


def sizes(workspace: Workspace) -> Sizes:
    """What each part of a workspace takes up; a workspace that is not there takes up nothing."""
    root = workspace.root
    store = {path.name: folder_bytes(path) for path in _entries(root / "store")}
    damaged = store.pop(".damaged", 0)
    return Sizes(
        runs={path.name: folder_bytes(path) for path in _entries(root / "runs")},
        store=store,
        damaged=damaged,
        rest={
            path.name: folder_bytes(path)
            for path in _entries(root)
            if path.name not in ("runs", "store")
        },
    )


def unused(workspace: Workspace, others: Iterable[Workspace] = ()) -> list[StoredArtifact]:
    """The artifacts that no run needs, the largest first.

    Args:
        workspace: whose store is looked through.
        others: workspaces whose runs may need them too: maps of the demonstration lie in the visitor's own.

    Raises:
        UnknownNeeds: some of the runs cannot say what they need.
    """
    named = keys_of(run for searched in (workspace, *others) for run in folders_of(searched))
    inputs = _inputs(workspace)
    needed = _needed(inputs, named)
    # An unfinished run finds its checkpoint by an adapter that is not there yet.
    resumable = any(run.status != "finished" for run in workspace.runs())
    left = [
        (kind, key)
        for kind, key in inputs
        if (kind, key) not in needed and not (kind == "checkpoint" and resumable)
    ]
    folder = workspace.store.folder
    artifacts = [StoredArtifact(kind, key, folder_bytes(folder(kind, key))) for kind, key in left]
    return sorted(artifacts, key=lambda artifact: (-artifact.bytes, artifact.kind, artifact.key))


def needed_by(workspace: Workspace, runs: Iterable[RunFolder]) -> set[tuple[str, str]]:
    """Kind and key of every artifact in a workspace's store that some of its runs need.

    Args:
        workspace: whose store is looked through.
        runs: of this workspace; where one of them is unfinished, checkpoints count as needed.

    Raises:
        UnknownNeeds: some of them cannot say.
    """
    runs = list(runs)
    named = keys_of(runs)
    inputs = _inputs(workspace)
    needed = _needed(inputs, named)
    if any(run.status != "finished" for run in runs):
        needed |= {identity for identity in inputs if identity[0] == "checkpoint"}
    return needed


def clean(workspace: Workspace, others: Iterable[Workspace] = ()) -> list[StoredArtifact]:
    """Removes what no run needs; returns what was removed.

    Raises:
        UserError: something is being trained or waits: what it has just made is named by nobody yet.
        UnknownNeeds: as `unused`; nothing was removed.
    """
    busy = [run.name for run in workspace.runs() if run.status == "running"]
    busy += [job.request.run for job in Jobs(workspace).all() if job.state in ACTIVE]
    if busy:
        names = ", ".join(dict.fromkeys(busy))
        raise UserError(f"{names} is being trained or waits; clean up when nothing is")
    removed = unused(workspace, others)
    remove_leftovers(workspace)
    for artifact in removed:
        workspace.store.remove(artifact.kind, artifact.key)
    return removed


def folder_bytes(path: Path) -> int:
    """What a file, or all files below a folder, take up; links are not followed, vanished files are 0."""
    if path.is_symlink():
        return 0
    if not path.is_dir():
        return _bytes(path)
    # Not by recursion, as os.walk goes too: folders may lie in folders a thousand deep.
    waiting, total = [path], 0
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_symlink():
                continue
            if entry.is_dir():
                waiting.append(entry)
            else:
                total += _bytes(entry)
    return total


def _bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _inputs(workspace: Workspace) -> dict[tuple[str, str], set[str]]:
    """By kind and key of every artifact, the keys that it was made from."""
    store = workspace.store
    return {
        (kind.name, key): set(_keys_in(store.inputs(kind.name, key)))
        for kind in _entries(workspace.root / "store")
        if not kind.name.startswith(".")
        for key in store.keys(kind.name)
    }


def _needed(inputs: Mapping[tuple[str, str], set[str]], named: set[str]) -> set[tuple[str, str]]:
    """What is named, what that was made from, and what says something about it."""
    by_key: dict[str, list[tuple[str, str]]] = {}
    for kind, key in inputs:
        by_key.setdefault(key, []).append((kind, key))
    needed: set[str] = set()
    waiting = named
    while waiting:
        needed |= waiting
        waiting = {
            depended
            for key in waiting
            for identity in by_key.get(key, ())
            for depended in inputs[identity]
        } - needed
    return {
        (kind, key)
        for (kind, key), depends in inputs.items()
        if key in needed or (kind in ABOUT and depends & needed)
    }


def _keys_in(inputs: Any) -> Iterator[str]:
    """Everything in an artifact's inputs that may be a key; fingerprints look alike and do no harm."""
    yield from KEY.findall(json.dumps(inputs))
