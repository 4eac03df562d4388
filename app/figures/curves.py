"""Lines over stages, epochs or settings."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.base.memoized import memoized
from app.base.theme import Look, task_colour, task_symbol
from app.figures.base import PER_CENT, style, unmarked
from app.figures.confidence import interval
from app.figures.names import listed, thinned, ticks


@memoized
def task_lines(
    lines: Mapping[str, Sequence[float]],
    stages: Sequence[str],
    look: Look,
    *,
    x_title: str,
    y_title: str,
    highlight: int | None = None,
    y_range: tuple[float, float] | None = PER_CENT,
    intervals: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    counts: NDArray[np.int64] | None = None,
) -> go.Figure:
    """One line per task, in its colour and with its marker; NaN values are gaps.

    Args:
        lines: name of a task to its values, one for each stage.
        stages: names along the horizontal axis.
        look: the theme.
        x_title: of the horizontal axis.
        y_title: of the vertical axis, with its unit.
        highlight: the index of a task whose line stands out.
        y_range: of the vertical axis; None where it follows the values.
        intervals: low and high of each value, (stages, lines), for the hover.
        counts: (stages, lines) samples behind each value.
    """
    figure, called = go.Figure(), listed(list(lines))
    stated = unmarked(stages)
    for index, (name, values) in enumerate(zip(unmarked(list(lines)), lines.values(), strict=True)):
        figure.add_scatter(
            x=list(range(len(stages))),
            y=list(values),
            name=called[index],
            mode="lines+markers",
            line={"color": task_colour(index), "width": 4 if index == highlight else 2},
            marker={"symbol": task_symbol(index), "size": 9},
            opacity=1.0 if highlight in (None, index) else 0.35,
            text=[
                f"{x_title} {stage}"
                + (
                    ""
                    if intervals is None or counts is None
                    else f"<br>95 % interval {intervals[0][i, index]:.1f} to {intervals[1][i, index]:.1f}, "
                    f"n = {counts[i, index]}"
                )
                for i, stage in enumerate(stated)
            ],
            hovertemplate=f"{name}: %{{y:.1f}}<br>%{{text}}<extra></extra>",
        )
    figure.update_xaxes(title=x_title, **ticks(stages))
    figure.update_yaxes(title=y_title, range=list(y_range) if y_range else None)
    return style(figure, look, 420)


LINES = (
    ("#3f90da", "solid", "circle"),
    ("#e76300", "dash", "square"),
    ("#832db6", "dot", "diamond"),
)
"""Colour, dash and marker: lines are told apart without their colours too."""


@memoized
def setting_lines(
    lines: Mapping[str, Sequence[float]],
    values: Sequence[float],
    today: float,
    look: Look,
    *,
    x_title: str,
    y_title: str = "share (%)",
    logarithmic: bool = False,
    counted: Collection[str] = (),
    samples: int = 0,
    intervals: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> go.Figure:
    """What becomes of some numbers when a setting is moved, with today's setting marked.

    With intervals the vertical axis follows them; without, it is all of 0 to 100 %.

    Args:
        lines: name to percent, one for each of `values`; three at most.
        values: of the setting, ascending.
        today: the run's own.
        look: the theme.
        x_title: of the horizontal axis.
        y_title: of the vertical axis, with its unit.
        logarithmic: whether the setting's axis is.
        counted: lines that are shares of samples, whose hover says how sure they are.
        samples: that these are of.
        intervals: by line, low and high of each value, drawn as bars.
    """
    figure = go.Figure()
    for (name, line), (colour, dash, symbol) in zip(lines.items(), LINES, strict=False):
        figure.add_scatter(
            x=list(values),
            y=list(line),
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"symbol": symbol, "size": 8},
            text=[
                f"<br>{interval(value / 100, samples)}" if name in counted else "" for value in line
            ],
            hovertemplate=f"{name}<br>%{{x:g}}: %{{y:.1f}} %%{{text}}<extra></extra>",
            error_y=_bars(line, *intervals[name]) if intervals else None,
        )
    figure.add_vline(today, line={"color": look.text, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=math.log10(today) if logarithmic else today,
        y=1,
        yref="paper",
        yanchor="top",  # above the axes is the legend; no line comes so high
        xanchor="left" if today <= values[len(values) // 2] else "right",
        text=f" this run: {today:g} ",
        showarrow=False,
    )
    figure.update_xaxes(
        title=x_title, tickvals=thinned(values), ticktext=[f"{v:g}" for v in thinned(values)]
    )
    if logarithmic:
        figure.update_xaxes(type="log")
    low, high = _ends(intervals) if intervals else (0.0, 100.0)
    room = (high - low or 1.0) / 20
    figure.update_yaxes(title=y_title, range=[low - room if intervals else 0, high + 3 * room])
    if not intervals:
        figure.update_yaxes(tickvals=list(range(0, 101, 20)))
    return style(figure, look, height=360).update_layout(margin={"t": 10}, showlegend=True)


def _ends(
    intervals: Mapping[str, tuple[Sequence[float], Sequence[float]]],
) -> tuple[float, float]:
    """The lowest and the highest that any bar reaches."""
    return (
        min(min(low) for low, _ in intervals.values()),
        max(max(high) for _, high in intervals.values()),
    )


def _bars(line: Sequence[float], low: Sequence[float], high: Sequence[float]) -> dict[str, Any]:
    """Error bars from low to high of each value."""
    return {
        "array": [top - value for value, top in zip(line, high, strict=True)],
        "arrayminus": [value - bottom for value, bottom in zip(line, low, strict=True)],
        "symmetric": False,
        "thickness": 1.5,
        "width": 4,
    }
