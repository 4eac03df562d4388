"""A comparison as text, Markdown, CSV, LaTeX or JSON; a number from one run alone says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from cl_core.evaluate.statistics import Summary, format_difference, format_summary
from cl_core.evaluate.table import METRICS
from cl_core.lab.comparison import SHARES, Comparison, Line


def title(metric: str) -> str:
    """What a column is called."""
    known = METRICS.get(metric)
    name = known.title if known is not None else metric.replace("_", " ")
    return f"{name} (%)" if metric in SHARES else name


def as_text(comparison: Comparison) -> str:
    """For the terminal: columns in line, streams apart."""
    return "\n\n".join(_tables(comparison, _aligned))


def as_markdown(comparison: Comparison) -> str:
    """Markdown tables."""
    return "\n\n".join(_tables(comparison, _markdown))


def as_latex(comparison: Comparison) -> str:
    """A LaTeX tabular for each stream."""
    return "\n\n".join(_tables(comparison, _latex))


def as_csv(comparison: Comparison) -> str:
    """One row for each run and metric, as plain numbers: what a figure is drawn from."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["stream", "protocol", "recipe", "order", "seed", "metric", "value"])
    for line in comparison.lines:
        for metric in comparison.metrics:
            for (order, seed), value in line.values[metric].items():
                writer.writerow(
                    [line.stream, line.protocol, line.label, order, seed, metric, value]
                )
    return text.getvalue().rstrip("\n")


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """Plain values, for JSON."""

    def spread(summary: Summary | None) -> dict[str, Any] | None:
        return None if summary is None else asdict(summary)

    return {
        "score": comparison.score,
        "lines": [
            {
                "stream": line.stream,
                "protocol": line.protocol,
                "recipe": line.label,
                "metrics": {name: spread(line.summary(name)) for name in comparison.metrics},
                "runs": [
                    {"order": order, "seed": seed, "metric": name, "value": value}
                    for name in comparison.metrics
                    for (order, seed), value in line.values[name].items()
                ],
            }
            for line in comparison.lines
        ],
        "against": comparison.against,
        "differences": [
            {
                "stream": each.stream,
                "recipe": each.label,
                "metric": each.metric,
                **asdict(each.difference),
            }
            for each in comparison.differences
        ],
        "left_out": list(comparison.left_out),
    }


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "csv": as_csv,
    "latex": as_latex,
}

Table = Callable[[str, Sequence[str], Sequence[Sequence[str]]], str]


def _tables(comparison: Comparison, table: Table) -> list[str]:
    """A table of means for each stream, and below it one of differences where there is a reference."""
    made = []
    for stream in dict.fromkeys(line.stream for line in comparison.lines):
        own = [line for line in comparison.lines if line.stream == stream]
        head = ["recipe", "protocol", *(title(metric) for metric in comparison.metrics)]
        rows = [
            [line.label, line.protocol, *(_cell(line, metric) for metric in comparison.metrics)]
            for line in own
        ]
        score = "" if comparison.score == "accuracy" else f", {comparison.score}"
        made.append(
            table(f"{stream}{score}: mean ± standard deviation (95 % interval)", head, rows)
        )
        gaps = [each for each in comparison.differences if each.stream == stream]
        if gaps:
            rows = [[e.label, title(e.metric), format_difference(e.difference)] for e in gaps]
            caption = f"{stream}{score}: ahead of {comparison.against}, paired by order and seed"
            made.append(table(caption, ["recipe", "metric", "difference"], rows))
    return made


def _cell(line: Line, metric: str) -> str:
    summary = line.summary(metric)
    return "-" if summary is None else format_summary(summary, 1 if metric in SHARES else 2)


def _aligned(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join([caption, "", *lines])


def _markdown(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join([f"**{caption}**", "", *lines])


def _latex(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def plain(text: str) -> str:
        for symbol in ("%", "_", "&", "#"):
            text = text.replace(symbol, f"\\{symbol}")
        return text.replace("±", "$\\pm$")

    body = [f"{' & '.join(map(plain, row))} \\\\" for row in rows]
    return "\n".join(
        [
            f"% {caption}",
            f"\\begin{{tabular}}{{{'l' * len(head)}}}",
            "\\hline",
            f"{' & '.join(map(plain, head))} \\\\",
            "\\hline",
            *body,
            "\\hline",
            "\\end{tabular}",
        ]
    )
