"""Runs side by side, as the page shows them: which, of which workspace, and the lines that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import streamlit as st

from app.base.theme import numbered
from app.data.runs import WORKSPACE_NAMES, WorkspaceName, readable, run_names, stamp, workspace
from app.data.view import View
from cl_core.analysis.comparison import Comparison, compare
from cl_core.analysis.comparison_lines import Line
from cl_core.errors import counted
from cl_core.evaluate.statistics import Summary, decimal
from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import title, unit_of
from cl_core.runs.cautions import TOLD
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.task_identity import identify, pooled
from cl_core.tasks.stream import protocol_title

MOST_LINES = 8
"""That are drawn: more colours and marks are not told apart. Runs are not limited."""


def quality() -> dict[str, str]:
    """What numbers are called at the head of a narrow column, by name; `shown` is the whole name."""
    rows = [metric for metric in METRICS.values() if metric.short]
    return {metric.name: f"{metric.short} ({unit_of(metric.name).name})" for metric in rows}


@dataclass(frozen=True)
class Cost:
    """A number that is paid.

    Attributes:
        label: with its unit.
        short: the same, for the head of a narrow column.
        scale: what to divide by.
        digits: after the point.
        meaning: where it comes from.
    """

    label: str
    short: str
    scale: float
    digits: int
    meaning: str


COSTS = {
    "stored_parameters": Cost(
        "Stored parameters (thousands)",
        "Stored (1,000)",
        1e3,
        1,
        "adapters, heads and router that are kept beside the backbone",
    ),
    "trainable_parameters": Cost(
        "Trainable parameters (thousands)",
        "Trainable (1,000)",
        1e3,
        1,
        "trained while one task is learnt",
    ),
    "memory_rows": Cost(
        "Memory size (samples)",
        "Memory (samples)",
        1,
        0,
        "training samples kept for replay or for L2R's routers",
    ),
    "seconds_training": Cost(
        "Training time (s)",
        "Training (s)",
        1,
        1,
        "wall-clock seconds when the adapters were first trained, found in the store or not",
    ),
    "seconds_evaluation": Cost(
        "Evaluation time (s)", "Evaluation (s)", 1, 1, "seconds of all forward passes for scores"
    ),
    "peak_memory_bytes": Cost(
        "Peak memory (MB)", "Peak (MB)", 1e6, 0, "largest resident memory of the run's process"
    ),
}
"""Costs of a report that every finished run has."""


def offered() -> dict[str, tuple[WorkspaceName, str]]:
    """Label -> workspace and name of every run that can be compared."""
    return {
        f"{workspace_name} / {name}": (workspace_name, name)
        for workspace_name in WORKSPACE_NAMES
        for name in run_names(workspace_name)
    }


def comparable_runs(
    view: View, labels: dict[str, tuple[WorkspaceName, str]], over_orders: bool
) -> list[str]:
    """Labels of the finished runs of the workspace on the same tasks as the one that is looked at.

    Args:
        view: what is looked at.
        labels: what can be compared.
        over_orders: whether other orders of the tasks are the same.
    """
    if view.run is None:
        return []
    tasks = pooled(identify(view.run.config), over_orders).digits
    same = {
        (view.workspace, name)
        for name, run in readable(view.workspace).items()
        if run.status == "finished" and tasks == (run.unordered if over_orders else run.identity)
    }
    return sorted(label for label, run in labels.items() if run in same)


def compared(
    runs: Sequence[tuple[WorkspaceName, str]], score: str, over_orders: bool, against: str | None
) -> Comparison:
    """The runs side by side, computed once for as long as their files are the same.

    Raises:
        UserError: nothing is finished, or there is no such reference.
    """
    folders = [workspace(workspace_name).find(name) for workspace_name, name in runs]
    # One digest, as Streamlit would hash each number of each file by itself.
    stamps = blake2b(repr([stamp(folder) for folder in folders]).encode()).hexdigest()
    paths = tuple(str(folder.path) for folder in folders)
    return _compared(paths, stamps, score, over_orders, against)


@st.cache_resource(max_entries=32, show_spinner=False)
def _compared(
    paths: tuple[str, ...],
    stamps: str,
    score: str,
    over_orders: bool,
    against: str | None,
) -> Comparison:
    folders = [RunFolder(Path(path)) for path in paths]
    return compare(folders, (*quality(), *COSTS), against, over_orders, score)


def called(lines: Sequence[Line]) -> list[str]:
    """Lines' numbered names, marked where told the task; with the protocol where it tells them apart."""
    labels = [line.label for line in lines]
    one_protocol = len({line.protocol_name for line in lines}) < 2
    names = [
        line.label
        if one_protocol and labels.count(line.label) == 1
        else f"{line.label}, {protocol_title(line.protocol)}"
        for line in lines
    ]
    return [
        numbered(index, f"{name} {TOLD}" if line.told_the_task else name)
        for index, (name, line) in enumerate(zip(names, lines, strict=True))
    ]


def shown(metric: str) -> str:
    """A metric's name for people, with its unit."""
    return COSTS[metric].label if metric in COSTS else title(metric)


def short(metric: str) -> str:
    """The same, for the head of a narrow column."""
    return COSTS[metric].short if metric in COSTS else quality()[metric]


def meaning(metric: str) -> str:
    """Formula, direction and note of a metric."""
    row = METRICS.find(metric)
    if row is None:
        return COSTS[metric].meaning
    direction = f"; {row.direction} is better" if row.direction else ""
    return f"`{row.formula}`{direction}. {row.note}"


def scaled(metric: str, value: float) -> float:
    """In the unit that the metric is shown in."""
    return value / COSTS[metric].scale if metric in COSTS else value


def cell(summary: Summary | None, metric: str) -> str:
    """ "72.3 ± 1.1", or the one number there is."""
    if summary is None:
        return "-"
    digits = COSTS[metric].digits if metric in COSTS else unit_of(metric).digits
    mean = decimal(scaled(metric, summary.mean), digits)
    if summary.std is None:
        return mean
    if summary.low is None:
        return f"{mean} (all equal)"
    return f"{mean} ± {decimal(scaled(metric, summary.std), digits)}"


def repeats(line: Line) -> str:
    """How many runs a line rests on."""
    count = len(line.runs)
    return "one seed" if count == 1 else counted(count, "run")
