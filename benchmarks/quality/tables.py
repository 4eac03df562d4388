"""What the scripts that make tables of runs share: lines, carrying them out, reading them, and their cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cl_core as cl
from cl_core.device import Precision
from cl_core.evaluate.statistics import (
    format_difference,
    format_summary,
    paired_difference,
    summarise,
)
from cl_core.recipes.named import RECIPES
from cl_core.recipes.recipe import Recipe
from cl_core.reports.report import Report
from cl_core.runs.cautions import TOLD
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream import Protocol


@dataclass(frozen=True)
class Entry:
    """One line of a table: a recipe on a stream with settings of its own."""

    stream: str
    label: str
    recipe: str | Recipe
    settings: Mapping[str, Any] = field(default_factory=dict)

    def name(self, seed: int) -> str:
        """What its run is called."""
        plain = f"{self.stream}-{self.label}".replace(" = ", "").replace(", ", "-")
        return f"{plain.replace(' ', '-').replace('%', '')}-seed{seed}"


def marked(label: str) -> str:
    """A line's label, with a mark where its recipe is told the true task: an upper bound, no rival."""
    recipe = RECIPES.get(label.partition(" ")[0])
    return f"{label} {TOLD}" if recipe is not None and recipe.told_the_task else label


def carry_out(
    workspace: str,
    entry: Entry,
    seed: int,
    stream: str,
    protocol: Protocol | None,
    settings: Mapping[str, Any],
    precision: Precision = "bfloat16",
) -> None:
    """Carries out one line with one seed, or finds it finished, and says what it came to."""
    done = cl.run(
        stream,
        entry.recipe,
        name=entry.name(seed),
        seed=seed,
        protocol=protocol,
        workspace=workspace,
        precision=precision,
        **{**settings, **entry.settings},
    )
    accuracy = 100 * done.metrics["average_accuracy"]
    print(f"{entry.name(seed)}: average accuracy {accuracy:.1f} %", flush=True)


def reports(
    workspace: Workspace, entry: Entry, seeds: Sequence[int], metric: str = "accuracy"
) -> dict[int, Report]:
    """Of its finished runs, by seed."""
    runs = {seed: workspace.run(entry.name(seed)) for seed in seeds}
    return {
        seed: Report(run, metric)
        for seed, run in runs.items()
        if run.exists and run.status == "finished"
    }


def numbers(report: Report) -> dict[str, float]:
    """All numbers of a run in one mapping."""
    return {**report.transfer, **report.router, **report.improvised, **report.cost}


def cell(values: Sequence[float], scale: float) -> str:
    """Mean, deviation and interval; one seed is never shown as if it were a mean."""
    numbers = [scale * value for value in values if not math.isnan(value)]
    return format_summary(summarise(numbers), digits=1) if numbers else "-"


def paired(
    workspace: Workspace, stream: str, of: str, over: str, seeds: Sequence[int]
) -> str | None:
    """The paired difference of average accuracy (points) between two recipes; None with fewer than two seeds."""
    both = []
    for name in (of, over):
        scored = reports(workspace, Entry(stream, name, name), seeds)
        both.append({s: 100 * report.transfer["average_accuracy"] for s, report in scored.items()})
    if len(both[0].keys() & both[1].keys()) < 2:
        return None
    d = paired_difference(both[0], both[1])
    return format_difference(d)
