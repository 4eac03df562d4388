"""What is said of a run where all are listed: what it is and what became of it, in one small entry of the index."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cl_core.errors import UserError
from cl_core.recipes.recipe import SLOTS
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder, Status
from cl_core.runs.task_identity import identify
from cl_core.runs.workspace import Workspace
from cl_core.store import is_held
from cl_core.store.folder_index import IndexEntry, Kind

OURS = "cl_core."
"""How the targets of the lab's own choices begin."""


class RunSummary(IndexEntry):
    """One run in a list; what it is is None where its `run.yaml` cannot be read."""

    status: Status
    """See `RunFolder.status`."""
    message: str
    """See `RunFolder.failure`."""
    fault: str
    """See `RunFolder.fault`."""
    scored: bool
    """Whether it has a table of scores."""
    learnt: bool = True
    """See `RunFolder.learnt`."""
    stream: str | None = None
    """Its stream's name."""
    source: str | None = None
    """Where that comes from: a preset's name, or a file that may have been on another machine."""
    protocol: str | None = None
    """With the head rule."""
    recipe: str | None = None
    """Its name."""
    seed: int | None = None
    tasks: int | None = None
    """How many are learnt."""
    identity: str | None = None
    """Digits of what its tasks are: runs of the same ones are compared."""
    unordered: str | None = None
    """The same for every order of the tasks."""
    backbone: str | None = None
    max_length: int | None = None
    pace: float | None = None
    """Seconds of training for a sample and an epoch; None where it trained nothing itself."""
    outside: bool = False
    """Whether a choice of its recipe is none of the lab's own."""

    @property
    def lasting(self) -> bool:
        """Not of a run in progress, nor where other distributions say what a choice is."""
        return self.status != "running" and not self.outside


def read_summary(folder: Path) -> RunSummary:
    """Of a run's folder, whatever lies there."""
    run = RunFolder(folder)
    fault = run.fault
    status = run.status
    config = None
    with suppress(UserError):
        config = run.config
    try:
        message = run.failure
    except UserError as error:
        message = str(error)
    learnt = True
    with suppress(UserError):
        learnt = run.learnt
    return RunSummary(
        status=status,
        message=message,
        fault=fault,
        scored=(folder / "scores.parquet").is_file(),
        learnt=learnt,
        **({} if config is None else _described(run, config)),
    )


def _described(run: RunFolder, config: RunConfig) -> dict[str, Any]:
    tasks = identify(config)
    protocol = None
    with suppress(UserError):  # of a router that nothing here says what it is
        protocol = config.protocol_with_rule
    return {
        "stream": config.stream_name,
        "source": config.stream,
        "protocol": protocol,
        "recipe": config.recipe.name,
        "seed": config.seed,
        "tasks": len(config.tasks),
        "identity": tasks.digits,
        "unordered": tasks.unordered.digits,
        "backbone": config.settings.backbone.name,
        "max_length": config.settings.backbone.max_length,
        "pace": _pace(run, config),
        "outside": has_outside_choices(config),
    }


def has_outside_choices(config: RunConfig) -> bool:
    """Whether a choice of the recipe is none of the lab's own: what it is then depends on what is installed."""
    rows = [table.find(getattr(config.recipe, slot)) for slot, table in SLOTS.items()]
    return any(row is None or not row.target.startswith(OURS) for row in rows)


def _pace(run: RunFolder, config: RunConfig) -> float | None:
    from cl_core.runs.progress import seconds_per_row  # numpy, which a list that is kept needs not

    try:
        return seconds_per_row(config, run.events)
    except UserError:
        return None


SUMMARY = Kind("summary", RunSummary, read_summary)
"""As an index keeps it."""


def summaries(workspace: Workspace) -> Mapping[str, RunSummary]:
    """What is said of each run of a workspace in a list, by name, the newest first."""
    runs = workspace.runs()
    entries = workspace.index.entries(SUMMARY, [run.path for run in runs])
    return {
        run.name: summary.model_copy(update={"status": "running", "message": run.standstill})
        if is_held(run.lock_path)
        else summary
        for run, summary in zip(runs, entries, strict=True)
    }
