"""What a process that was killed while it took a zip in leaves beside the workspace's own folders."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress

from cl_core.runs.workspace import Workspace
from cl_core.store.store import LEFTOVER_SECONDS

STAGING = ".unpacking-"
"""Begins the names of folders in which a zip is looked at before anything of it is let in."""


def remove_leftovers(workspace: Workspace) -> None:
    """Removes what killed processes had unpacked; younger folders may belong to a living one."""
    for entry in workspace.root.glob(f"{STAGING}*"):
        with suppress(OSError):
            if time.time() - entry.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(entry, ignore_errors=True)
