"""A comparison as LaTeX: a table for each stream, with the mean, and below it the spread and the interval."""

from __future__ import annotations

from collections.abc import Sequence

from cl_core.analysis.comparison import Comparison, Difference
from cl_core.analysis.comparison_lines import Line
from cl_core.analysis.comparison_notes import notes, told_notes
from cl_core.evaluate.statistics import Summary, format_p
from cl_core.evaluate.table import ACCURACY, METRICS
from cl_core.evaluate.units import bare_title, difference_title, title, unit_of
from cl_core.reports import latex

WRAPPED_FROM = 34
"""Characters from which names are broken into lines."""


def as_latex(comparison: Comparison) -> str:
    """A document's part: for each stream a table of the lines, and one of differences where there is a reference."""
    parts = [latex.PACKAGES, *latex.replaced(_texts(comparison))]
    for stream in comparison.streams:
        part = comparison.of(stream)
        parts.append(_lines(stream, part))
        if part.differences:
            parts.append(_differences(stream, part))
    return "\n".join(parts)


def best(lines: Sequence[Line], metric: str) -> set[int]:
    """Places of the lines with the best mean of their protocol, as it is shown.

    Those that are told the task are no rivals; nor are two protocols', which ask for other things.
    """
    direction = METRICS[metric].direction if metric in METRICS else "lower"
    sign = {"higher": 1, "lower": -1}.get(direction or "")
    means = {
        index: round(summary.mean, unit_of(metric).digits)
        for index, line in enumerate(lines)
        if not line.told_the_task and (summary := line.summary(metric)) is not None
    }
    if sign is None:
        return set()
    rivals: dict[str, list[int]] = {}
    for index in means:
        rivals.setdefault(lines[index].protocol_name, []).append(index)
    winners: set[int] = set()
    for places in rivals.values():
        most = max(sign * means[index] for index in places)
        winners |= {index for index in places if len(places) > 1 and sign * means[index] == most}
    return winners


def _lines(stream: str, comparison: Comparison) -> str:
    metrics, lines = comparison.metrics, comparison.lines
    bold = {metric: best(lines, metric) for metric in metrics}
    columns = [
        latex.column(
            [s.mean for line in lines if (s := line.summary(metric))], unit_of(metric).digits
        )
        for metric in metrics
    ]
    head = [r"recipe", *(_head(metric) for metric in metrics)]
    body: list[str] = []
    for index, line in enumerate(lines):
        if line.told_the_task and (index == 0 or not lines[index - 1].told_the_task):
            body += [] if index == 0 else [r"\midrule"]
        elif index:
            body.append(r"\addlinespace")
        numbers = [_mean(line, metric, index in bold[metric]) for metric in metrics]
        body.append(
            _row([latex.escape(line.recipe + (" †" if line.told_the_task else "")), *numbers])
        )
        runs = "one run" if len(line.runs) == 1 else f"$n={len(line.runs)}$"
        about = [latex.escape(part) for part in (line.settings, _acronym(line.protocol)) if part]
        spreads = [_spread(line, metric) for metric in metrics]
        body.append(_row([_small("; ".join([*about, runs])), *spreads]))
    score = "" if comparison.score == ACCURACY else f" (scores: {latex.escape(comparison.score)})"
    what = "one run each."
    if any(len(line.runs) > 1 for line in lines):
        what = (
            "mean over seeds and orders; below it the standard deviation and the "
            r"95\,\% interval of the mean (Student's $t$)."
        )
    caption = f"{latex.escape(stream)}{score}: {what} {_notes(comparison)}"
    longest = max(len(f"{line.settings}; {_acronym(line.protocol)}") for line in lines)
    return _table(caption, [_names(longest), *columns], head, body)


def _differences(stream: str, comparison: Comparison) -> str:
    gaps = comparison.differences
    digits = max(unit_of(gap.metric).digits for gap in gaps)
    against = latex.escape(gaps[0].reference.marked)
    head = ["recipe", "metric", "{difference}", r"{95\,\% interval}", "{$n$}", "{$p$}"]
    apart = [_row(_gap(gap)) for gap in gaps if gap.line.told_the_task]
    body = [_row(_gap(gap)) for gap in gaps if not gap.line.told_the_task]
    body += [r"\midrule", *apart] if body and apart else apart
    caption = (
        f"{latex.escape(stream)}: difference from {against}, paired by order and seed; "
        f"$p$ of the paired $t$-test, two-sided. {_sentences(told_notes(comparison.lines))}"
    )
    column = latex.column([gap.difference.mean for gap in gaps], digits)
    widest = max(len(gap.line.marked) for gap in gaps)
    return _table(caption, [_names(widest), "l", column, "c", "r", "r"], head, body)


def _names(longest: int) -> str:
    """The column of names: as wide as they are, or, where they are long, broken into lines."""
    return "l" if longest <= WRAPPED_FROM else r">{\raggedright\arraybackslash}p{0.28\linewidth}"


def _gap(row: Difference) -> list[str]:
    gap, digits = row.difference, unit_of(row.metric).digits
    return [
        latex.escape(row.line.marked),
        latex.escape(difference_title(row.metric)),
        latex.cell(gap.mean, digits),
        "--" if gap.low is None or gap.high is None else _interval(gap.low, gap.high, digits),
        str(gap.n),
        latex.escape(format_p(gap.p_value)) if gap.p_value is not None else "--",
    ]


def _acronym(protocol: str) -> str:
    """ "CIL (compose)" of "cil/compose": a column of numbers has no room for the words."""
    name, _, rule = protocol.partition("/")
    return f"{name.upper()} ({rule})" if rule else name.upper()


def _head(metric: str) -> str:
    """Two short lines and the unit."""
    first, _, rest = bare_title(metric).partition(" ")
    unit = title(metric).removeprefix(bare_title(metric)).strip()
    parts = [first, rest, unit]
    return latex.stacked(*(latex.escape(part) for part in parts if part))


def _mean(line: Line, metric: str, bold: bool) -> str:
    summary = line.summary(metric)
    return "{--}" if summary is None else latex.cell(summary.mean, unit_of(metric).digits, bold)


def _spread(line: Line, metric: str) -> str:
    """ "± 1.1 [69.6, 75.0]" in small type; how many runs where they are not the line's."""
    summary = line.summary(metric)
    if summary is None or summary.std is None:
        return ""
    said = _deviation(summary, unit_of(metric).digits)
    if summary.n != len(line.runs):
        said += f", $n={summary.n}$"
    return _small(said)


def _deviation(summary: Summary, digits: int) -> str:
    if summary.low is None or summary.high is None or summary.std is None:
        return "all equal"
    return rf"$\pm$\,{latex.signed(summary.std, digits)} {_interval(summary.low, summary.high, digits)}"


def _interval(low: float, high: float, digits: int) -> str:
    return f"{{[}}{latex.signed(low, digits)}, {latex.signed(high, digits)}{{]}}"


def _small(text: str) -> str:
    return rf"{{\footnotesize {text}}}"


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _notes(comparison: Comparison) -> str:
    """Sentences for the caption."""
    return _sentences(notes(comparison, printed=True))


def _sentences(said: Sequence[str]) -> str:
    return " ".join(f"{latex.escape(note[0].upper() + note[1:])}." for note in said)


def _texts(comparison: Comparison) -> list[str]:
    return [text for line in comparison.lines for text in (line.stream, line.label)]


def _table(caption: str, columns: Sequence[str], head: Sequence[str], body: Sequence[str]) -> str:
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            r"\small",
            rf"\caption{{{caption.strip()}}}",
            rf"\begin{{tabular}}{{{' '.join(columns)}}}",
            r"\toprule",
            _row(head),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )
