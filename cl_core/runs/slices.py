"""Slices: samples of a run that somebody picked and named, kept as `slices/<name>.json` in the workspace."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from cl_core.bounded_files import read_json
from cl_core.errors import UserError
from cl_core.limits import TooLarge
from cl_core.runs.workspace import Workspace
from cl_core.settings import Settings
from cl_core.store import RunLock, write_json

LOCK = ".lock"
"""Held while a slice's name is looked for and taken."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")


class Slice(Settings):
    """Samples under a name."""

    name: str
    run: str
    """The run on whose map they were picked."""
    split: str
    after: int
    """The stage that was looked at, from 1."""
    samples: tuple[str, ...]
    """Their ids, as routing records have them."""
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def save_slice(
    workspace: Workspace, new_slice: Slice, seen: Collection[Slice] | None = None
) -> Path:
    """Writes a slice and returns its file; one of the same name and run is replaced.

    Args:
        workspace: where.
        new_slice: the slice.
        seen: those that whoever saves has seen: no other is replaced; None for any.

    Raises:
        UserError: a name that is no file name or that another run's slice has, one of this name that was not seen,
            nothing in the slice, or a workspace that is read-only.
    """
    workspace.check_writable()
    if not _NAME.fullmatch(new_slice.name):
        raise UserError(
            f"slice name '{new_slice.name}' may hold up to 80 letters, digits, spaces, dots, dashes and underscores, "
            "and begins with a letter or a digit"
        )
    if not new_slice.samples:
        raise UserError("there is no sample to save; select some first")
    folder = workspace.root / "slices"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{new_slice.name}.json"
    with RunLock(folder / LOCK):
        _check_free(file, new_slice.run, seen)
        write_json(file, new_slice.model_dump(mode="json"))
    return file


def _check_free(file: Path, run: str, seen: Collection[Slice] | None) -> None:
    """Menus list the slices of one run alone: whoever saves there has not seen another run's of this name."""
    try:
        stored = read_slice(file)
    except (OSError, ValueError, TypeError, TooLarge):  # none, or one that no menu lists
        return
    if stored.run != run:
        raise UserError(
            f"run '{stored.run}' has a slice called '{stored.name}' already, so nothing was saved; choose another name"
        )
    if seen is not None and stored not in seen:
        raise UserError(
            f"a slice called '{stored.name}' was saved meanwhile, so nothing was saved; choose another name, or save "
            "again to replace it"
        )


def read_slice(file: Path) -> Slice:
    """Reads a slice, which is called as its file.

    Raises:
        OSError, ValueError, TypeError: it cannot be read, is none, or has another name inside.
        TooLarge: as `read_json`.
    """
    stored = Slice(**read_json(file))
    if not _NAME.fullmatch(stored.name) or stored.name != file.stem:
        raise ValueError(
            f"it says that its name is {stored.name[:80]!r}; a slice is called as its file"
        )
    return stored


def slices(workspace: Workspace, run: str | None = None) -> list[Slice]:
    """All slices by name, or those of one run; files that are none are passed over."""
    kept = []
    for file in sorted((workspace.root / "slices").glob("*.json")):
        try:
            stored = read_slice(file)
        except (OSError, ValueError, TypeError, TooLarge):
            continue
        if run in (None, stored.run):
            kept.append(stored)
    return kept
