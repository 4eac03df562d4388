"""A comparison as text, Markdown, CSV or JSON; a number from one run alone says so. As LaTeX: `comparison_latex`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from cl_core.analysis.comparison import Comparison, Difference
from cl_core.analysis.comparison_latex import as_latex, best
from cl_core.analysis.comparison_lines import Line
from cl_core.analysis.comparison_notes import notes
from cl_core.evaluate.statistics import Summary, format_difference, format_summary
from cl_core.evaluate.table import ACCURACY
from cl_core.evaluate.units import difference_title, title, unit_of
from cl_core.tasks.stream import protocol_title


def as_text(comparison: Comparison) -> str:
    """For the terminal: columns in line, streams apart, and below them what must be said."""
    return "\n\n".join([*_tables(comparison, _aligned), *notes(comparison)])


def as_markdown(comparison: Comparison) -> str:
    """Markdown tables, the best of each column in bold, and below them what must be said."""
    said = [f"{note[0].upper()}{note[1:]}." for note in notes(comparison)]
    return "\n\n".join([*_tables(comparison, _markdown), *said])


def as_csv(comparison: Comparison) -> str:
    """One row for each run and metric, as plain numbers with their unit: what a figure is drawn from."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["stream", "protocol", "recipe", "told_the_task", "order", "seed", "run", "metric"]
    writer.writerow([*head, "value", "unit"])
    for line in comparison.lines:
        told_the_task = "yes" if line.told_the_task else "no"
        for metric in comparison.metrics:
            for pair, value in line.values[metric].items():
                run = [
                    line.stream,
                    line.protocol,
                    line.label,
                    told_the_task,
                    *pair,
                    line.runs[pair],
                ]
                writer.writerow([*run, metric, value, unit_of(metric).name])
    return text.getvalue().rstrip("\n")


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """Plain values, for JSON."""

    def spread(summary: Summary | None) -> dict[str, Any] | None:
        return None if summary is None else asdict(summary)

    return {
        "score": comparison.score,
        "units": {name: unit_of(name).name for name in comparison.metrics},
        "lines": [
            {
                "stream": line.stream,
                "protocol": line.protocol,
                "head_rule": line.head_rule or None,
                "recipe": line.label,
                "told_the_task": line.told_the_task,
                "metrics": {name: spread(line.summary(name)) for name in comparison.metrics},
                "runs": [
                    {
                        "order": pair[0],
                        "seed": pair[1],
                        "run": line.runs[pair],
                        "metric": name,
                        "value": value,
                    }
                    for name in comparison.metrics
                    for pair, value in line.values[name].items()
                ],
            }
            for line in comparison.lines
        ],
        "against": comparison.against,
        "differences": [
            {
                "stream": gap.stream,
                "recipe": gap.label,
                "told_the_task": gap.line.told_the_task,
                "metric": gap.metric,
                **asdict(gap.difference),
            }
            for gap in comparison.differences
        ],
        "left_out": dict(comparison.left_out),
        "repeats": list(comparison.repeats),
        "notes": notes(comparison),
    }


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "csv": as_csv,
    "latex": as_latex,
}

Rows = Sequence[Sequence[str]]
Table = Callable[[str, Sequence[str], Sequence[Rows]], str]
"""Caption, head, and groups of rows that stand apart."""


def _tables(comparison: Comparison, table: Table) -> list[str]:
    """A table of means for each stream, and below it one of differences where there is a reference."""
    tables = []
    for stream in comparison.streams:
        part = comparison.of(stream)
        head = ["recipe", "protocol", *(title(metric) for metric in comparison.metrics)]
        bold = {m: best(part.lines, m) if table is _markdown else set() for m in part.metrics}
        groups: list[list[list[str]]] = [[], []]
        for index, line in enumerate(part.lines):
            cells = [
                f"**{_cell(line, metric)}**" if index in bold[metric] else _cell(line, metric)
                for metric in part.metrics
            ]
            groups[line.told_the_task].append([line.marked, protocol_title(line.protocol), *cells])
        score = "" if comparison.score == ACCURACY else f", {comparison.score}"
        tables.append(
            table(f"{stream}{score}: mean ± standard deviation (95 % interval)", head, groups)
        )
        if part.differences:
            gaps: list[list[list[str]]] = [[], []]
            for gap in part.differences:
                gaps[gap.line.told_the_task].append(_gap(gap))
            reference = part.differences[0].reference.marked
            caption = f"{stream}{score}: difference from {reference}, paired by order and seed"
            tables.append(table(caption, ["recipe", "metric", "difference"], gaps))
    return tables


def _gap(row: Difference) -> list[str]:
    said = format_difference(row.difference, unit_of(row.metric).digits)
    return [row.line.marked, difference_title(row.metric), said]


def _cell(line: Line, metric: str) -> str:
    summary = line.summary(metric)
    return "-" if summary is None else format_summary(summary, unit_of(metric).digits)


def _aligned(caption: str, head: Sequence[str], groups: Sequence[Rows]) -> str:
    rows = [row for group in groups for row in group]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def lines(rows: Rows) -> str:
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    first, *others = [group for group in groups if group]
    return "\n\n".join([caption, lines([head, *first]), *(lines(group) for group in others)])


def _markdown(caption: str, head: Sequence[str], groups: Sequence[Rows]) -> str:
    rows = [[cell.replace("|", "\\|") for cell in row] for group in groups for row in group]
    lines = [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join([f"**{caption}**", "", *lines])
