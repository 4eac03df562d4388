"""The workspace on disk: run folders beside the store that they share.

    workspace/
      runs/<name>/   run.yaml  environment.json  events.jsonl  scores.parquet  routing.parquet  artifacts.json;
                     lost.parquet where it was asked for; choices.json where choices are none of the lab's own
      store/         artifacts, keyed by content
      index.sqlite   what was read of the runs, so that many are listed at once; may be removed at any time
      READ_ONLY      where this file is, nothing is ever written: the bundled demonstration

Reading needs no torch.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from operator import itemgetter
from pathlib import Path

from cl_core.errors import UserError, did_you_mean
from cl_core.limits import NAME_LENGTH
from cl_core.runs import variables
from cl_core.runs.run_folder import RunFolder
from cl_core.store import ReadOnlyError, Store
from cl_core.store.folder_index import FolderIndex

READ_ONLY = "READ_ONLY"
"""A file of this name at its root keeps a workspace as it is."""
INDEX = "index.sqlite"
UNREAD = frozenset({"run.lock", "stop.request"})
"""Files of a run that say nothing of it once it has ended."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Workspace:
    """A folder of runs and their store.

    Args:
        root: the folder. By default `$ADAPTER_LAB_WORKSPACE`, else `workspace` in the current folder.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or os.environ.get(variables.WORKSPACE) or "workspace")

    @cached_property
    def store(self) -> Store:
        """The artifacts that all runs share."""
        return Store(self.root / "store", read_only=self.read_only)

    @property
    def read_only(self) -> bool:
        """Whether it is to stay as it is, as the bundled demonstration does."""
        return (self.root / READ_ONLY).is_file()

    def check_writable(self) -> None:
        """Refuses to change a workspace that is to stay as it is.

        Raises:
            ReadOnlyError: it is read-only; the message says what to do.
        """
        self._check_folder()
        if self.read_only:
            raise ReadOnlyError(
                f"workspace {self.root} is read-only; work in another one (--workspace DIR), into which "
                "its runs and its store may be copied"
            )

    def _check_folder(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise UserError(
                f"the workspace '{self.root}' is no folder; name one with --workspace DIR, which need not exist yet"
            )

    def run(self, name: str) -> RunFolder:
        """Returns the folder of a run that may not exist yet.

        Raises:
            UserError: a name that is no file name.
        """
        if not _NAME.fullmatch(name):
            raise UserError(
                f"run name '{name}' may hold letters, digits, dot, dash and underscore only"
            )
        NAME_LENGTH.check(f"run name '{name[:20]}...'", len(name))
        return RunFolder(self.root / "runs" / name)

    def find(self, name: str) -> RunFolder:
        """Returns an existing run.

        Raises:
            UserError: there is none of that name; the message lists those there are.
        """
        # Whoever put a folder there may have called it anything; it only has to be one of these.
        if Path(name).name == name != ".." and RunFolder(self.root / "runs" / name).exists:
            return RunFolder(self.root / "runs" / name)
        run = self.run(name)
        if not run.exists:
            names = [run.name for run in self.runs()]
            listed = f"runs here: {', '.join(names)}" if names else "there are no runs here yet"
            raise UserError(
                f"there is no run '{name}' in {self.root}; {listed}.{did_you_mean(name, names)}"
            )
        return run

    def runs(self) -> Sequence[RunFolder]:
        """All runs, the newest first."""
        self._check_folder()
        folder = self.root / "runs"
        if not folder.is_dir():
            return []
        begun: list[tuple[float, RunFolder]] = []
        for path in folder.iterdir():
            with suppress(
                OSError, ValueError
            ):  # no run; a link that leads nowhere is a damaged one
                begun.append((os.lstat(f"{path}/run.yaml").st_mtime, RunFolder(path)))
        return [run for _, run in sorted(begun, key=itemgetter(0), reverse=True)]

    @property
    def index(self) -> FolderIndex:
        """What was read of its runs before; believed of those alone whose files are the same."""
        runs = self.root / "runs"
        return FolderIndex(self.root / INDEX, runs, UNREAD, writable=not self.read_only)
