"""Which artifacts a run says that it needs: whatever removes, packs or copies by that asks here, and gets no guess.

A run names its artifacts in two files, and neither names all: features are in its events alone, routers in its list
alone. Where one of them cannot be read, or does not tell what it should, the other is no stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from cl_core.errors import UserError, counted
from cl_core.runs.events import ArtifactEvent, FinishEvent
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.system_faults import explained

LISTED, HAPPENED = "artifacts.json", "events.jsonl"
KEY = re.compile(r"[0-9a-f]{64}")
_KEY_BYTES = re.compile(KEY.pattern.encode())
UNTOLD = ("router",)
"""Kinds of artifacts that no event tells of."""


class UnknownNeeds(UserError):
    """Runs cannot say what they need, so that nothing may be removed or carried away by it.

    Args:
        faults: by run, which of its files is at fault and why; at least one.
    """

    def __init__(self, faults: list[tuple[RunFolder, str]]) -> None:
        run, fault = faults[0]
        others = [other.name for other, _ in faults[1:]]
        listed = ", ".join(others[:10]) + ("..." if len(others) > 10 else "")
        so_do = f" (the same holds for {counted(len(others), 'more run')}: {listed})"
        super().__init__(
            f"run '{run.name}': {fault}, so that nobody can tell which artifacts it needs"
            f"{so_do if others else ''}. Nothing was done; put a copy of the file back, or remove the run's folder "
            f"{run.path}, then do the same again"
        )


def folders_of(workspace: Workspace) -> list[RunFolder]:
    """Whatever may be a run: one whose `run.yaml` is gone still names what it needs."""
    workspace.runs()  # refuses a workspace that is no folder
    runs = workspace.root / "runs"
    return [RunFolder(path) for path in sorted(runs.iterdir())] if runs.is_dir() else []


def keys_of(runs: Iterable[RunFolder]) -> set[str]:
    """Keys of all artifacts that runs name.

    Raises:
        UnknownNeeds: some of them cannot say.
    """
    keys: set[str] = set()
    faults: list[tuple[RunFolder, str]] = []
    for run in runs:
        try:
            if fault := _untold(run):
                faults.append((run, fault))
            keys |= set(run.artifacts().values())  # which may be in UTF-16, as JSON may
            for name in (LISTED, HAPPENED):
                keys |= _keys_in(run.path / name)
        except DamagedFile as error:
            faults.append((run, error.fault))
        except OSError as error:
            faults.append((run, explained(error).partition(". ")[0] or str(error)))
    if faults:
        raise UnknownNeeds(faults)
    return keys


def missing(workspace: Workspace, run: RunFolder) -> list[str]:
    """Parts of a run's model, such as "adapter/films", that its workspace's store has no longer.

    States are none: they are kept so that nothing is computed twice, and not all of them are.

    Raises:
        DamagedFile: the list of them cannot be read.
    """
    store = workspace.store
    return [
        name
        for name, key in run.artifacts().items()
        if not name.startswith("states/") and not store.folder(name.partition("/")[0], key).is_dir()
    ]


def _untold(run: RunFolder) -> str:
    """What one of the two files should tell, by the other one, and does not; "" where nothing is missing.

    Raises:
        DamagedFile: one of them cannot be read, or is not as the run wrote it.
    """
    events, names = run.events, run.artifacts()
    told_of = {event.key for event in events if isinstance(event, ArtifactEvent)}
    untold = [
        name
        for name, key in names.items()
        if key not in told_of and name.partition("/")[0] not in UNTOLD
    ]
    if untold:
        return f"{HAPPENED} does not tell of all that {LISTED} lists ('{untold[0]}' is missing)"
    if not names and told_of and any(isinstance(event, FinishEvent) for event in events):
        return f"{LISTED} lists nothing, though the run came to its end"
    return ""


def _keys_in(file: Path) -> set[str]:
    """Everything in a file that may be a key: events of later versions name some, too."""
    return (
        {key.decode() for key in _KEY_BYTES.findall(file.read_bytes())} if file.is_file() else set()
    )
