"""Metrics of a run in words and rows, for its report: plain words first, then symbol, unit, formula, direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cl_core.errors import counted
from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import bare_title
from cl_core.reports.report import PHASES, Report
from cl_core.reports.report_formats import number
from cl_core.runs.cautions import cautions, marked
from cl_core.runs.events import StartEvent
from cl_core.runs.published_text import backbone_title, published, without_folders
from cl_core.runs.run_folder import RunFolder

COSTS = {
    "trainable_parameters": ("Trainable parameters", "trained while one task is learnt"),
    "stored_parameters": ("Stored parameters", "adapters, heads and router beside the backbone"),
    "active_parameters": ("Active parameters", "used in the forward pass of one sample"),
    "backbone_parameters": ("Backbone", "frozen parameters, the same for every recipe"),
    "memory_rows": (
        "Memory size (samples)",
        "training samples kept for replay or for L2R's routers",
    ),
    "seconds_this_run": ("This run", "wall-clock seconds, without what was in the store"),
    "peak_memory_bytes": ("Peak memory", "largest resident memory of the run's process"),
    "peak_gpu_memory_bytes": ("Peak memory of the GPU", "largest allocation there"),
}
"""Costs of a report, apart from the phases: for people, and what they are."""
BETTER = {"higher": "higher", "lower": "lower", None: "neither"}


def header(report: Report) -> dict[str, str]:
    """What was run: enough to know which run this is."""
    config = report.run.config
    recipe = config.recipe
    environment = report.run.environment()
    started = [event for event in report.run.events if isinstance(event, StartEvent)]
    packages = environment.get("packages", {})
    failure = without_folders(report.run.failure)
    versions = ", ".join(
        f"{name} {package_version}" for name, package_version in sorted(packages.items())
    )
    said = [f"{caution[0].upper()}{caution[1:]}." for caution in cautions(config, printed=True)]
    return {
        "Run": f"{report.run.name} ({': '.join(filter(None, (report.run.status, failure)))})",
        "Stream": f"{config.stream_name}, {config.protocol_title}, {counted(len(config.tasks), 'task')}: "
        + ", ".join(report.tasks),
        "Recipe": f"{marked(config)}: initialise {recipe.initialise}, train {recipe.train}, route {recipe.route}, "
        f"compose {recipe.compose}",
        **({"Caveats": " ".join(said)} if said else {}),
        "Backbone": backbone_title(config.settings.backbone.name),
        "Seed": str(config.seed),
        "Started": started[0].time if started else "not known",
        "Device": str(environment.get("device", "not known")),
        "Versions": versions or "not known",
    }


def transfer_words(report: Report) -> list[str]:
    """The numbers of the matrix as sentences that need no formula."""
    transfer, tasks = report.transfer, report.tasks
    said = []
    if not math.isnan(transfer["average_accuracy"]):
        said.append(
            f"After the last of {counted(len(tasks), 'task')}, "
            f"{number('average_accuracy', transfer['average_accuracy'])} of the "
            "samples are predicted rightly, on average over tasks."
        )
    if not math.isnan(transfer["forgetting"]):
        said.append(_forgetting(report))
    if not math.isnan(transfer["backward_transfer"]):
        said.append(
            "Since they were learnt, the earlier tasks' scores have changed by "
            f"{number('backward_transfer', transfer['backward_transfer'])} on average."
        )
    if not math.isnan(transfer["forward_transfer"]):
        said.append(
            "Just before a task was learnt, its score differed from the untrained model's by "
            f"{number('forward_transfer', transfer['forward_transfer'])} on average."
        )
    if why := report.undefined.get("forward_transfer"):
        said.append(f"Forward transfer is not defined: {why}.")
    gained = report.improvised.get("knowledge_transfer")
    if gained is not None:
        said.append(
            "Compared with adapters that start afresh, standing on earlier tasks gained "
            f"{number('knowledge_transfer', gained)} of their scores on average."
        )
    return said


def _forgetting(report: Report) -> str:
    """How much, and of which task the most."""
    last = len(report.tasks) - 1
    since = [report.matrix[task:last, task].max() for task in range(last)]  # from its own on
    lost = 100 * (np.array(since) - report.matrix[-1, :-1])
    mean = 100 * report.transfer["forgetting"]
    worst = int(np.nanargmax(lost))
    if lost[worst] <= 0:
        return "Nothing was forgotten: every earlier task is predicted as well as at its best before the last stage."
    return (
        f"Of the best score that an earlier task had before the last stage, {mean:.1f} points are lost on average, the "
        f"most of {report.tasks[worst]}: {lost[worst]:.1f} points."
    )


def metric_rows(
    values: Mapping[str, float], undefined: Mapping[str, str] | None = None
) -> list[list[str]]:
    """Title, value, formula, direction and note of each metric.

    Args:
        values: NaN where one is not defined.
        undefined: why it is not, by name.
    """
    why = undefined or {}
    return [
        [
            bare_title(name),
            number(name, value),
            METRICS[name].formula,
            BETTER[METRICS[name].direction],
            f"Not defined here: {why[name]}. {METRICS[name].note}"
            if name in why
            else METRICS[name].note,
        ]
        for name, value in values.items()
    ]


def cost_rows(report: Report) -> list[list[str]]:
    """Name, amount with its unit, and what it is."""
    rows = []
    for name, (title, meaning) in COSTS.items():
        if name in report.cost and not math.isnan(report.cost[name]):
            rows.append([title, _amount(name, report.cost[name]), meaning])
    for name in PHASES:
        if name in report.cost:
            phase = name.removeprefix("seconds_")
            rows.append([f"Time: {phase}", f"{report.cost[name]:.1f} s", "when it was first done"])
    return rows


def _amount(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return f"{value / 2**30:.2f} GiB"
    return f"{value:.1f} s" if name.startswith("seconds") else f"{value:,.0f}"


def settings_rows(run: RunFolder) -> dict[str, list[list[str]]]:
    """Settings, machine and artifacts, each as rows of name and value."""
    config = run.config
    settings = {
        **config.settings.model_dump(mode="json"),
        "backbone": published(config.settings.backbone).model_dump(mode="json"),
    }
    return {
        "Settings": _flat(settings),
        "Machine and versions": _flat(run.environment()),
        "Data": [
            [task.name, f"{_rows(task.rows)}; fingerprint {task.fingerprint}"]
            for task in config.all_tasks
        ],
        "Artifacts": [[name, key] for name, key in sorted(run.artifacts().items())],
    }


def _rows(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in rows.items())


def _flat(values: Mapping[str, Any], before: str = "") -> list[list[str]]:
    """Nested settings as "part.name" and value."""
    rows = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{before}{name}.")
        else:
            rows.append([f"{before}{name}", "none" if value is None else str(value)])
    return rows
