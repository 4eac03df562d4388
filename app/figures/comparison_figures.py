"""Figures of a comparison: one metric with its spread, accuracy over stages, differences, score against cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from app.base.memoized import memoized
from app.base.theme import Look, task_colour
from app.figures.base import PER_CENT, style
from app.figures.names import beside, listed
from cl_core.evaluate.statistics import PairedDifference, Summary, decimal
from cl_core.runs.cautions import TOLD

HEIGHT = 440
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "hexagon", "star", "cross")


@memoized
def spread(
    values: Mapping[str, Sequence[float]],
    summaries: Mapping[str, Summary | None],
    look: Look,
    x_title: str,
) -> go.Figure:
    """Each line's mean with its 95 % interval, and where it rests on several runs each of them as a small ring.

    Args:
        values: of the runs, by line.
        summaries: of the same.
        look: the theme.
        x_title: the metric with its unit.
    """
    figure = go.Figure()
    for index, (name, run_values) in enumerate(values.items()):
        summary = summaries[name]
        if summary is None:
            continue
        interval = interval_words(summary)
        figure.add_scatter(
            x=[summary.mean],
            y=[index],
            mode="markers",
            marker=_marker(index, 15, is_told_the_task(name)),
            error_x=_error(summary, index),
            hovertemplate=f"{escape(name)}<br>mean {decimal(summary.mean, 2)}, {interval}, n={summary.n}"
            "<extra></extra>",
        )
        if len(run_values) < 2:  # its ring would only say again where the mark is
            continue
        figure.add_scatter(
            x=list(run_values),
            y=[index + 0.22] * len(run_values),
            mode="markers",
            marker={"symbol": "circle-open", "size": 8, "color": look.text},
            customdata=[decimal(value, 2) for value in run_values],
            hovertemplate=f"{escape(name)}<br>one run %{{customdata}}<extra></extra>",
        )
    _rows(figure, list(values))
    figure.update_xaxes(title=x_title)
    # As high as the figure beside it.
    return style(figure, look, HEIGHT).update_layout(showlegend=False)


@memoized
def stages(lines: Mapping[str, Sequence[Sequence[float]]], look: Look) -> go.Figure:
    """Mean accuracy of the tasks seen, after each stage: the mean over runs, and a band from the least to the most.

    Args:
        lines: by name, a list of runs, each with a value (%) for every stage.
        look: the theme.
    """
    figure = go.Figure()
    longest, called = 0, listed(list(lines))
    for index, (name, runs) in enumerate(lines.items()):
        table = np.asarray(runs, dtype=np.float64)
        x = list(range(1, table.shape[1] + 1))
        longest = max(longest, len(x))
        colour = task_colour(index)
        if len(table) > 1:
            figure.add_scatter(
                x=[*x, *x[::-1]],
                y=[*table.max(axis=0), *table.min(axis=0)[::-1]],
                fill="toself",
                fillcolor=_faint(colour),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                legendgroup=name,
            )
        figure.add_scatter(
            x=x,
            y=table.mean(axis=0),
            name=called[index],
            legendgroup=name,
            mode="lines+markers",
            line={
                "color": colour,
                "width": 2.5,
                "dash": "dash" if is_told_the_task(name) else "solid",
            },
            marker=_marker(index, 9, is_told_the_task(name)),
            hovertemplate=f"{escape(name)}<br>after %{{x}} tasks: %{{y:.1f}} %, n={len(table)}<extra></extra>",
        )
    figure.update_xaxes(title="tasks learnt", dtick=1 if longest <= 20 else None)
    figure.update_yaxes(title="mean over tasks seen (%)", range=list(PER_CENT))
    return style(figure, look, HEIGHT)


@memoized
def differences(gaps: Mapping[str, PairedDifference], look: Look, x_title: str) -> go.Figure:
    """Paired differences from the reference with their 95 % intervals; 0 is a line.

    Args:
        gaps: by name of the line.
        look: the theme.
        x_title: the metric, its unit and the reference.
    """
    figure = go.Figure()
    for index, (name, gap) in enumerate(gaps.items()):
        words = interval_words(gap, "pair")
        number = int(name.partition(" ")[0]) - 1
        figure.add_scatter(
            x=[gap.mean],
            y=[index],
            mode="markers",
            marker=_marker(number, 15, is_told_the_task(name)),
            error_x=_error(gap, number),
            hovertemplate=f"{escape(name)}<br>{decimal(gap.mean, 2, signed=True)}, {words}, n={gap.n}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": look.text, "width": 1.5, "dash": "dot"})
    _rows(figure, list(gaps))
    figure.update_xaxes(title=x_title)
    return style(figure, look, height=130 + 52 * len(gaps)).update_layout(showlegend=False)


@memoized
def against_cost(
    points: Mapping[str, tuple[float, Summary]], look: Look, x_title: str, y_title: str
) -> go.Figure:
    """Score against cost: up and to the left is better.

    Args:
        points: by line: cost, and the score over its runs.
        look: the theme.
        x_title: cost with its unit.
        y_title: score with its unit.
    """
    figure, called = go.Figure(), listed(list(points))
    sides = _sides([(cost, score.mean) for cost, score in points.values()])
    for index, (name, (cost, score)) in enumerate(points.items()):
        figure.add_scatter(
            x=[cost],
            y=[score.mean],
            name=called[index],
            mode="markers+text",
            text=[name.partition(" ")[0]],
            textposition=sides[index],
            textfont={"size": look.size, "color": look.text},
            marker=_marker(index, 15, is_told_the_task(name)),
            error_y=_error(score, index),
            hovertemplate=f"{escape(name)}<br>{x_title} %{{x:,.4g}}<br>{y_title} {decimal(score.mean, 2)}, "
            f"{interval_words(score)}<extra></extra>",
        )
    # Numbers beside the outermost marks are within the axes too.
    most = max((cost for cost, _ in points.values()), default=0.0) or 1.0
    ends = [score.mean for _, score in points.values()]
    ends += [
        end for _, score in points.values() for end in (score.low, score.high) if end is not None
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    edge = 0.15 * ((high - low) or 1.0)
    figure.update_xaxes(title=x_title, range=[-0.1 * most, 1.12 * most])
    figure.update_yaxes(title=y_title, range=[low - edge, high + edge])
    return style(figure, look, HEIGHT)


def is_told_the_task(name: str) -> bool:
    """Whether a line's name is marked as told the true task: such marks are open and such lines dashed."""
    return name.endswith(TOLD)


def interval_words(summary: Summary | PairedDifference, one: str = "run") -> str:
    """ "95 % interval 69.60 to 75.00"; what there is instead where there is none."""
    if summary.n == 1:
        return f"one {one}"
    if summary.low is None or summary.high is None:
        return f"the same in all {summary.n} {one}s"
    ends = f"95 % interval {decimal(summary.low, 2)} to {decimal(summary.high, 2)}"
    return f"{ends}, cut at what it can be" if summary.cut else ends


def _error(summary: Summary | PairedDifference, index: int) -> dict[str, object]:
    """The bar from the interval's lower to its upper end: cut at one end, it is not symmetric.

    None where there is no interval: one of no length would be a stroke in the mark.
    """
    low, high = summary.low, summary.high
    if low is None or high is None:
        return {"visible": False}
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - summary.mean],
        "arrayminus": [summary.mean - low],
        "thickness": 2,
        "color": task_colour(index),
    }


def _marker(index: int, size: int, is_told: bool = False) -> dict[str, object]:
    symbol = SYMBOLS[index % len(SYMBOLS)]
    return {
        "symbol": f"{symbol}-open" if is_told else symbol,
        "size": size,
        "color": task_colour(index),
        "line": {"width": 2.5 if is_told else 0},
    }


def _rows(figure: go.Figure, names: Sequence[str]) -> None:
    """One row for each line, the first on top."""
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=beside(names, 30),
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )


SIDES = (
    *("top right", "bottom left", "top left", "bottom right"),
    *("middle right", "middle left", "top center", "bottom center"),
)
"""Of a mark, where its number may stand."""


def _sides(points: Sequence[tuple[float, float]]) -> list[str]:
    """Where each mark's number stands: marks near one another have theirs on different sides."""
    spots = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    spans = np.maximum(
        np.ptp(np.vstack([spots, [[0.0, spots[:, 1].min(initial=0.0)]]]), axis=0), 1e-9
    )
    chosen: list[int] = []
    for index, spot in enumerate(spots):
        near = np.abs((spots[:index] - spot) / spans).max(axis=-1, initial=0.0) < 0.09
        taken = {side for side, close in zip(chosen, near, strict=True) if close}
        free = [side for side in range(len(SIDES)) if side not in taken]
        chosen.append(free[0] if free else 0)
    return [SIDES[side] for side in chosen]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
