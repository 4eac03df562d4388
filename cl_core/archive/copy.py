"""The runs and the store of one workspace taken over into another, which keeps everything that is its own.

Files are copied as they are: artifacts are named by their content, so what is there already is the same. A run or an
artifact is copied beside its place and renamed into it, so that nobody meets half of one.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

PARTIAL = ".partial"
"""Where the store makes its artifacts; the leftovers of a killed copy are cleared away there."""


@dataclass(frozen=True)
class CopyResult:
    """What became of the runs asked for, by name.

    Attributes:
        copied: they are new here.
        present: they were here already, the same ones.
        kept: a run of the same name that is another one was here, and stays.
    """

    copied: tuple[str, ...]
    present: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def usable(self) -> tuple[str, ...]:
        """Runs that are here now, the same as over there."""
        return (*self.copied, *self.present)


def is_copied(source: RunFolder, target: Workspace) -> bool:
    """Whether the workspace has this very run: the name, and every setting in `run.yaml`."""
    return _same(source.path, target.run(source.name).path)


def copy_runs(source: Workspace, target: Workspace, names: Sequence[str]) -> CopyResult:
    """Takes over runs and all artifacts of their store; what is here already is neither copied again nor changed.

    Args:
        source: where they are.
        target: gets them; made where it is missing.
        names: of runs of `source`, the one that should count as the newest first.

    Raises:
        ReadOnlyError: `target` is read-only.
        UserError: `source` has no such run.
    """
    target.check_writable()
    folders = [source.find(name) for name in names]
    partial = target.root / "store" / PARTIAL
    partial.mkdir(parents=True, exist_ok=True)
    # The store first: a run that is there can be opened.
    for artifact in _artifacts(source.root / "store"):
        destination = target.root / "store" / artifact.parent.name / artifact.name
        if not destination.is_dir():
            _copy(artifact, destination, partial)
    copied, present, kept = [], [], []
    for run in reversed(folders):  # the newest is the one that was written last
        destination = target.run(run.name).path
        if is_copied(run, target):
            present.append(run.name)
        elif destination.exists():
            kept.append(run.name)
        else:
            _copy(run.path, destination, partial)
            copied.append(run.name)
    return CopyResult(tuple(copied), tuple(present), tuple(kept))


def _artifacts(store: Path) -> Iterator[Path]:
    """Folders of all artifacts; those being made and those set aside are none."""
    for kind in sorted(store.iterdir()) if store.is_dir() else ():
        if kind.is_dir() and not kind.name.startswith("."):
            yield from sorted(folder for folder in kind.iterdir() if folder.is_dir())


def _copy(source: Path, destination: Path, partial: Path) -> None:
    """Copies a folder; of two that copy at once the first one's stays."""
    beside = partial / uuid.uuid4().hex
    try:
        shutil.copytree(source, beside, copy_function=shutil.copyfile)
        destination.parent.mkdir(parents=True, exist_ok=True)
        beside.rename(destination)
    except OSError:
        if not destination.is_dir():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _same(one: Path, other: Path) -> bool:
    files = one / "run.yaml", other / "run.yaml"
    return all(file.is_file() for file in files) and files[0].read_bytes() == files[1].read_bytes()
