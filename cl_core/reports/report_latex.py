"""A report's score matrix as a LaTeX table, with its metrics and their formulas in the caption."""

from __future__ import annotations

import math

from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import bare_title, unit_of
from cl_core.reports import latex
from cl_core.reports.report import Report
from cl_core.runs.cautions import cautions, marked

NUMBERED_FROM = 7
"""With so many tasks, columns are headed by their tasks' numbers: names side by side would not fit a page."""
SHRUNK_FROM = 9
"""With so many, the table is shrunk to the width of the page."""


def as_latex(report: Report) -> str:
    """The matrix (booktabs, siunitx); best of a column in bold, metrics and formulas in the caption."""
    config, tasks = report.run.config, report.tasks
    values = 100 * report.matrix
    numbered, shrunk = len(tasks) >= NUMBERED_FROM, len(tasks) >= SHRUNK_FROM
    rows = [f"{number} {task}" if numbered else task for number, task in enumerate(tasks, start=1)]
    heads = [
        str(number) if numbered else latex.escape(task)
        for number, task in enumerate(tasks, start=1)
    ]
    columns = [latex.column(values[:, column].tolist(), 1) for column in range(len(tasks))]
    body = [
        " & ".join([latex.escape(name), *(latex.cell(value, 1) for value in row)]) + r" \\"
        for name, row in zip(rows, values.tolist(), strict=True)
    ]
    metrics = [
        f"{latex.escape(bare_title(name))} {latex.formula(METRICS[name].formula)}: {_amount(name, value)}"
        for name, value in {**report.transfer, **report.improvised}.items()
        if not math.isnan(value)
    ]
    what = (
        rf"{METRICS[report.metric].title} (\%) of {latex.escape(marked(config))} on "
        f"{latex.escape(config.stream_name)}, {latex.escape(config.protocol_title)}, seed {config.seed}: "
        "of task $j$ (column) after learning task $i$ (row)."
    )
    said = " ".join(
        f"{latex.escape(caution[0].upper() + caution[1:])}."
        for caution in cautions(config, printed=True)
    )
    caption = " ".join(
        part for part in (what, "; ".join(metrics) + "." if metrics else "", said) if part
    )
    tight = [r"\footnotesize", r"\setlength{\tabcolsep}{3pt}"] if numbered else []
    return "\n".join(
        [
            latex.PACKAGES.replace("siunitx", "siunitx,graphicx") if shrunk else latex.PACKAGES,
            *latex.replaced([config.recipe.name, config.stream_name, *tasks]),
            r"\begin{table}",
            r"\centering",
            *tight,
            rf"\caption{{{caption}}}",
            *([r"\resizebox{\linewidth}{!}{%"] if shrunk else []),
            rf"\begin{{tabular}}{{l {' '.join(columns)}}}",
            r"\toprule",
            " & ".join(["after", *(f"{{{head}}}" for head in heads)]) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}" + ("}" if shrunk else ""),
            r"\end{table}",
        ]
    )


def _amount(name: str, value: float) -> str:
    unit = unit_of(name)
    shown = latex.signed(unit.factor * value, unit.digits)
    return (
        rf"{shown}\,{latex.escape(unit.name)}"
        if unit.name == "%"
        else f"{shown} {latex.escape(unit.name)}".strip()
    )
