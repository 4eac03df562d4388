"""What of a workspace is whole: run by run, the artifacts of its store, its streams, and what else it keeps.

Every file is read, and hashed where its run or the store has a hash of it. Nothing is written, moved or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cl_core.archive.needs import UnknownNeeds, missing
from cl_core.archive.prune import needed_by
from cl_core.archive.zip_members import is_artifact
from cl_core.bounded_files import read_json
from cl_core.errors import UserError, counted
from cl_core.jobs.job import UNREADABLE, Job
from cl_core.runs.events import ArtifactEvent
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.slices import read_slice
from cl_core.runs.workspace import Workspace
from cl_core.store.artifact import DamageError, checked
from cl_core.tasks.stream_file import read_stream_file

NO_HASHES = (
    "carries no hashes: it was made before runs had any; 'adapter-lab resume {run}' adds them"
)
BUNDLED_NO_HASHES = "carries no hashes: it was made before runs had any"


@dataclass(frozen=True)
class VerifiedPart:
    """A part of a workspace that was read.

    Attributes:
        kind: "run", "artifact", "stream", "slice", "job" or "settings".
        name: of the run, "kind/key" of an artifact, of a file its path in the workspace.
        faults: what is wrong with it and what to do, a sentence each; none where it is whole.
        notes: what else is to be said of it.
    """

    kind: str
    name: str
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What was read, and what is wrong with it.

    Attributes:
        parts: of the workspace, those of a kind one after the other.
    """

    parts: tuple[VerifiedPart, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damaged

    @property
    def damaged(self) -> tuple[VerifiedPart, ...]:
        """The parts with faults."""
        return tuple(part for part in self.parts if part.faults)

    def of(self, kind: str) -> list[VerifiedPart]:
        """All parts of a kind."""
        return [part for part in self.parts if part.kind == kind]


def verify(workspace: Workspace, run: str | None = None) -> Verification:
    """Reads a workspace, or what belongs to one of its runs.

    Args:
        workspace: which need not exist: there is then nothing to read.
        run: name of the run; None for everything.

    Raises:
        UserError: there is no such run.
    """
    if run is not None:
        chosen = workspace.find(run)
        parts = [_run(workspace, chosen)]
        try:
            artifacts = needed_by(workspace, [chosen])
        except UnknownNeeds as error:
            artifacts = set()
            if not parts[0].faults:
                parts = [replace(parts[0], faults=(str(error),))]
        return Verification((*parts, *_artifacts(workspace, sorted(artifacts))))
    folders = sorted(path for path in _entries(workspace.root / "runs") if path.is_dir())
    parts = [_run(workspace, RunFolder(folder)) for folder in folders]
    parts += _artifacts(workspace, _stored(workspace.root / "store"))
    parts += _files(workspace, "stream", "streams/*.yaml", read_stream_file)
    parts += _files(workspace, "slice", "slices/*.json", read_slice)
    parts += _files(workspace, "job", "jobs/*/job.json", lambda file: _read_job(file, workspace))
    for pattern in ("preferences.json", "drafts/*.json"):
        parts += _files(workspace, "settings", pattern, _json)
    return Verification(tuple(parts))


def _run(workspace: Workspace, run: RunFolder) -> VerifiedPart:
    if not run.exists:
        todo = "put a copy of it back, or remove the folder"
        return VerifiedPart("run", run.name, (f"run.yaml is missing; {todo}",))
    faults, notes = run.faults(), []
    try:
        if not run.hashed:
            said = BUNDLED_NO_HASHES if workspace.read_only else NO_HASHES
            notes.append(said.format(run=run.name))
        todo = f"'adapter-lab resume {run.name}' computes it again"
        faults += [
            f"{name} in the store is another than its scores came from; {todo}"
            for name in run.other_parts()
        ]
        faults += [f"{name} is missing from the store; {todo}" for name in missing(workspace, run)]
    except DamagedFile:  # among the faults
        pass
    return VerifiedPart("run", run.name, tuple(faults), tuple(notes))


def _artifacts(workspace: Workspace, keys: list[tuple[str, str]]) -> Iterator[VerifiedPart]:
    users: dict[str, str] | None = None
    for kind, key in keys:
        fault = ""
        try:
            checked(kind, key, workspace.store.folder(kind, key))
        except (DamageError, OSError, ValueError) as damage:
            users = _users(workspace) if users is None else users
            todo = _mending(users.get(key))
            if not is_artifact(kind, key):
                todo = "it is no artifact of the lab's: remove the folder"
            elif workspace.read_only:
                todo = "put a copy of it back"
            fault = f"{damage}; {todo}"
        yield VerifiedPart("artifact", f"{kind}/{key}", (fault,) if fault else ())


def _mending(user: str | None) -> str:
    if user is None:
        return "no run names it: 'adapter-lab clean --yes' removes what none needs"
    return f"'adapter-lab resume {user}' computes it again"


def _users(workspace: Workspace) -> dict[str, str]:
    """By key, a run that names the artifact."""
    users: dict[str, str] = {}
    for run in workspace.runs():
        try:
            keys = list(run.artifacts().values())
            keys += [event.key for event in run.events if isinstance(event, ArtifactEvent)]
        except DamagedFile:
            continue
        users |= dict.fromkeys(keys, run.name)
    return users


def _stored(store: Path) -> list[tuple[str, str]]:
    """Kind and key of everything that lies where artifacts do."""
    kinds = [path for path in _entries(store) if path.is_dir() and not path.name.startswith(".")]
    return [(kind.name, path.name) for kind in kinds for path in _entries(kind) if path.is_dir()]


def _files(
    workspace: Workspace, kind: str, pattern: str, read: Callable[[Path], object]
) -> Iterator[VerifiedPart]:
    for file in sorted(workspace.root.glob(pattern)):
        faults: tuple[str, ...] = ()
        try:
            if not file.is_file():
                raise ValueError("it is no regular file")
            read(file)
        except UserError as error:
            faults = (str(error),)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            why = " ".join(str(error).split())[:200]
            faults = (f"cannot be read: {why}; put a copy of it back, or remove it",)
        yield VerifiedPart(kind, file.relative_to(workspace.root).as_posix(), faults)


def _json(file: Path) -> dict[str, object]:
    content = read_json(file)
    if not isinstance(content, dict):
        raise TypeError("it holds no names with values")
    return content


def _read_job(file: Path, workspace: Workspace) -> None:
    job = Job(file.parent, workspace)
    job.request  # noqa: B018 - reading them checks them
    if (outcome := job.outcome) is not None and outcome.message == UNREADABLE:
        raise ValueError(UNREADABLE)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def summary(result: Verification) -> str:
    """How many parts were read and how many are damaged: "2 runs, 30 artifacts: all whole"."""
    kinds = dict.fromkeys(part.kind for part in result.parts)
    names = {"settings": "settings file"}
    read = ", ".join(counted(len(result.of(kind)), names.get(kind, kind)) for kind in kinds)
    damaged = f"{len(result.damaged)} damaged" if result.damaged else "all whole"
    return f"{read}: {damaged}" if read else "there is nothing to verify"
