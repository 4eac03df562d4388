"""Paths of data on the server: the folders in which a visitor may name some, and what a path leads to."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from cl_core.bounded_files import files_within
from cl_core.errors import UserError
from cl_core.limits import TooLarge
from cl_core.runs.variables import DATA_ROOTS
from cl_core.runs.workspace import Workspace
from cl_core.tasks.sources.image_folder import SUFFIXES
from cl_core.tasks.stream_loader import data_folder

TABLES = ("csv", "tsv", "jsonl", "json", "parquet")
"""What files of rows end in."""
MOST_LOOKED_AT = 200
"""Files whose names say what a folder holds."""


def uploaded(workspace: Workspace) -> Path:
    """Where a workspace keeps what was uploaded."""
    return workspace.root.resolve() / "data"


def allowed_roots(workspace: Workspace) -> list[Path]:
    """Folders in which a visitor may name data that lie on the server."""
    roots = [uploaded(workspace)]
    real = data_folder()
    if real is not None:
        roots.append(real.resolve())
    named = os.environ.get(DATA_ROOTS, "")
    roots += [Path(root).expanduser().resolve() for root in named.split(os.pathsep) if root]
    return roots


def likely_kind(path: Path) -> str:
    """What a row of a path's data is, as far as names of files say: pictures in folders, else texts."""
    if not path.is_dir() or any(file.suffix.lower()[1:] in TABLES for file in path.iterdir()):
        return "text"
    nested = islice(files_within(path), MOST_LOOKED_AT)
    try:
        return "image" if any(file.suffix.lower() in SUFFIXES for file in nested) else "text"
    except TooLarge:
        return "text"  # whoever reads them says why not


def server_path(workspace: Workspace, text: str) -> Path:
    """A path that a visitor typed, wherever its links lead.

    Raises:
        UserError: it is outside of the allowed folders, or there is nothing.
    """
    roots = allowed_roots(workspace)
    path = Path(text.strip()).expanduser()
    resolved = next((root / path for root in roots if (root / path).exists()), path).resolve()
    if not any(resolved.is_relative_to(root) for root in roots):
        listed = ", ".join(str(root) for root in roots)
        raise UserError(
            f"'{text}' is not under a folder that may be read: {listed}. Whoever runs the server can allow more with "
            f"{DATA_ROOTS}"
        )
    if not resolved.exists():
        raise UserError(f"there is nothing at '{text}'")
    return resolved
