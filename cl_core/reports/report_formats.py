"""A report as text for a terminal and as CSV; as LaTeX it is in `report_latex`.

Scores are shown in per cent, differences of scores in points, with their formulas.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence

from cl_core.errors import counted
from cl_core.evaluate.statistics import decimal
from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import bare_title, unit_of
from cl_core.reports.report import PHASES, PhaseCost, Report
from cl_core.reports.report_latex import as_latex
from cl_core.runs.cautions import cautions


def as_text(report: Report) -> str:
    """The report for people: matrix, metrics with formulas, router, cost."""
    config = report.run.config
    recipe = config.recipe
    lines = [
        f"{report.run.name}: {recipe.name} on {config.stream_name}, "
        f"{config.protocol_title}, seed {config.seed}, {report.run.status}",
        *([report.run.failure] if report.run.failure else []),
        f"initialise {recipe.initialise} | train {recipe.train} | route {recipe.route} | compose {recipe.compose}",
        *cautions(config),
        "",
        f"R[i, j]: {METRICS[report.metric].title.lower()} (%) on task j (column) after learning task i (row)",
        "",
        *_matrix_lines(report),
        "",
    ]
    if report.held_out:
        scores = ", ".join(f"{task} {_cell(value)}" for task, value in report.held_out.items())
        lines += [f"held out, never learnt: {scores}", ""]
    names = {**report.transfer, **report.improvised, **report.router}
    width = max(len(bare_title(name)) for name in names)
    for name, value in names.items():
        metric = METRICS[name]
        better = {"higher": ", higher is better", "lower": ", lower is better", None: ""}[
            metric.direction
        ]
        why = f"; not defined: {report.undefined[name]}" if name in report.undefined else ""
        lines.append(
            f"{bare_title(name):<{width}}  {number(name, value):>12}   {metric.formula}{better}{why}"
        )
    if report.warnings:
        lines += ["", "notes:", *(f"- {warning}" for warning in report.warnings)]
    lines += ["", *_cost_lines(report.cost), *_phase_lines(report.phases)]
    return "\n".join(lines)


def as_csv(report: Report) -> str:
    """The matrix in long form, a row for each stage and task; values are shares, 0 to 1; b is stage 0."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    config = report.run.config
    run = [report.run.name, config.recipe.name, config.protocol_with_rule]
    told_the_task = "yes" if config.recipe.told_the_task else "no"
    head = ["run", "recipe", "protocol", "told_the_task", "stage", "learnt", "task", "metric"]
    writer.writerow([*head, "value", "unit"])
    rows = [
        (0, "", report.untrained),
        *zip(range(1, 1 + len(report.tasks)), report.tasks, report.matrix, strict=True),
    ]
    for stage, learnt, values in rows:
        for task, value in zip(report.tasks, values, strict=True):
            if not math.isnan(value):
                cells = [*run, told_the_task, stage, learnt, task, report.metric]
                writer.writerow([*cells, repr(float(value)), "share"])
    return out.getvalue()


FORMATS: dict[str, Callable[[Report], str]] = {"text": as_text, "csv": as_csv, "latex": as_latex}
"""Ways to write a report, by name."""


def _matrix_lines(report: Report) -> list[str]:
    short = [task if len(task) <= 12 else task[:11] + "…" for task in report.tasks]
    widths = [max(5, len(task)) for task in short]
    first = max(6, *(len(task) for task in short))
    lines = [
        " " * first + "  " + "  ".join(f"{t:>{w}}" for t, w in zip(short, widths, strict=True))
    ]
    for task, row in zip(short, report.matrix, strict=True):
        cells = "  ".join(f"{_cell(value):>{w}}" for value, w in zip(row, widths, strict=True))
        lines.append(f"{task:<{first}}  {cells}")
    return lines


def _cost_lines(cost: dict[str, float]) -> list[str]:
    parts = []
    trained = cost.get("trainable_parameters")
    if trained is not None:
        parts.append(
            f"parameters: {trained:,.0f} trained per task, "
            f"{cost['stored_parameters']:,.0f} stored, "
            f"{cost['active_parameters']:,.0f} active per sample (backbone {cost['backbone_parameters']:,.0f})"
        )
        if cost["memory_rows"]:
            parts.append(f"memory: {counted(int(cost['memory_rows']), 'training sample')} kept")
    spent = ", ".join(
        f"{name.removeprefix('seconds_')} {value:.1f} s"
        for name, value in cost.items()
        if name in PHASES
    )
    took, peak = cost["seconds_this_run"], cost["peak_memory_bytes"]
    this_run = "has not come to its end" if math.isnan(took) else f"took {took:.1f} s"
    parts.append(f"time: {spent} when first computed; this run {this_run}")
    memory = f"peak memory: {'not known' if math.isnan(peak) else f'{peak / 2**30:.2f} GiB'}"
    if "peak_gpu_memory_bytes" in cost:
        memory += f", on the GPU {cost['peak_gpu_memory_bytes'] / 2**30:.2f} GiB"
    return [*parts, memory]


def _phase_lines(phases: Sequence[PhaseCost]) -> list[str]:
    """One line for each kind of training, where there is more than one."""
    if len(phases) < 2:
        return []
    return [
        f"{phase.phase}: {counted(phase.parameters, 'parameter')} trained at most, {counted(phase.rows, 'sample')}, "
        f"{phase.seconds:.1f} s"
        for phase in phases
    ]


def number(name: str, value: float) -> str:
    """A metric as it is shown, with its unit; "-" where it is not defined. Differences have a sign, and are points.

    >>> number("average_accuracy", 0.7251), number("backward_transfer", -0.05)
    ('72.5 %', '−5.0 points')
    """
    unit = unit_of(name)
    signed = name in METRICS and METRICS[name].unit in ("points", "%")
    shown = decimal(unit.factor * value, unit.digits, signed)
    return shown if shown == "-" or not unit.name else f"{shown} {unit.name}"


def _cell(value: float) -> str:
    return decimal(100 * value)
