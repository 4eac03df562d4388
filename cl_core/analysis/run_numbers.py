"""What a comparison needs of one run: whether it counts, its settings and its numbers, as the index of runs keeps them.

A thousand runs are read once; as long as their files are the same, comparing them opens none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from pydantic import Field

from cl_core.errors import UserError
from cl_core.evaluate.metric_groups import of_group
from cl_core.evaluate.table import METRICS
from cl_core.reports.report import PHASES, Report
from cl_core.reports.run_summary import OURS, has_outside_choices
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import is_held
from cl_core.store.folder_index import IndexEntry, Kind


class RunNumbers(IndexEntry):
    """One run, as a comparison sees it."""

    left_out: str
    """Why it does not count: "failed: ValueError: ..." in one line; "" where it does."""
    config: RunConfig | None = None
    """Its settings, where it counts."""
    numbers: dict[str, float] = Field(default_factory=dict)
    """All that a report has as one number; NaN where it is not defined for the run."""
    stages: tuple[float, ...] = ()
    """Mean score (%) of the tasks seen, after each stage."""
    outside: bool = False
    """Whether other distributions have a say in it: a choice of its recipe, or a number."""

    @property
    def lasting(self) -> bool:
        """Not of a run in progress, nor where other distributions have a say."""
        return not self.outside and self.left_out != RUNNING


RUNNING = "running"


def numbers_of(runs: Sequence[RunFolder], score: str) -> list[RunNumbers]:
    """Of each run, from the indexes of their workspaces where these are true, else from its folder.

    Args:
        runs: of any workspaces, or in no workspace.
        score: "accuracy", "weighted_f1" or "macro_f1".
    """
    kind = Kind(
        f"numbers/{score}/{_metrics()}", RunNumbers, partial(read_numbers, score=score), False
    )
    by_root: dict[Path | None, list[Path]] = {}
    for run in runs:
        root = run.path.parents[1] if run.path.parent.name == "runs" else None
        by_root.setdefault(root, []).append(run.path)
    numbers: dict[Path, RunNumbers] = {}
    for root, folders in by_root.items():
        entries = (
            [kind.read(folder) for folder in folders]
            if root is None
            else Workspace(root).index.entries(kind, folders)
        )
        numbers |= dict(zip(folders, entries, strict=True))
    return [
        RunNumbers(left_out=RUNNING) if is_held(run.lock_path) else numbers[run.path]
        for run in runs
    ]


def read_numbers(folder: Path, score: str) -> RunNumbers:
    """Of a run's folder, whatever lies there."""
    run = RunFolder(folder)
    status = run.status
    if status != "finished":
        return RunNumbers(left_out=": ".join(filter(None, (status, " ".join(run.failure.split())))))
    try:
        run.check()
        report = Report(run, score)
        Report(run).matrix  # noqa: B018 - making it checks that the scores are of the run's tasks
        return RunNumbers(
            left_out="",
            config=run.config,
            numbers=_numbers(report),
            stages=tuple(100 * float(row[: i + 1].mean()) for i, row in enumerate(report.matrix)),
            outside=has_outside_choices(run.config)
            or not all(
                metric.target.startswith(OURS) for metric in METRICS.values() if metric.target
            ),
        )
    except DamagedFile as error:
        return RunNumbers(left_out=f"damaged: {error.said}")
    except UserError as error:
        return RunNumbers(left_out=" ".join(str(error).split()))


def _numbers(report: Report) -> dict[str, float]:
    rows = (*of_group("matrix"), *of_group("router"))
    missing = dict.fromkeys((*(metric.name for metric in rows), *PHASES), math.nan)
    return {**missing, **report.transfer, **report.router, **report.improvised, **report.cost}


def _metrics() -> str:
    """Digits of the list of numbers, to which others may have added."""
    return sha256(repr(list(METRICS.values())).encode()).hexdigest()[:16]
