"""Merges as stacked bars, one below the other: the routing weights of each, and its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from app.base.memoized import memoized
from app.base.theme import Look, task_colour
from app.figures.base import style
from app.figures.names import beside, listed, short, tag, width

LINE = 20
"""Letters in a line of an answer, of which there are two; the whole is said when it is pointed at."""


@memoized
def merges(
    rows: Sequence[str],
    weights: Sequence[Sequence[float]],
    predictions: Sequence[str],
    tasks: Sequence[str],
    look: Look,
) -> go.Figure:
    """Stacked bars.

    Args:
        rows: M names, top to bottom.
        weights: M of K shares; a row may have fewer, of an earlier stage.
        predictions: M, beside the bars.
        tasks: K numbered names.
        look: the theme.
    """
    figure, called = go.Figure(), listed(tasks)
    for index, name in enumerate(tasks):
        shares = [row[index] if index < len(row) else 0.0 for row in weights]
        figure.add_bar(
            x=shares,
            y=list(range(len(rows))),
            orientation="h",
            name=called[index],
            marker={"color": task_colour(index), "line": {"color": look.paper, "width": 1}},
            text=[f"{share:.2f} {tag(name)}" if share >= 0.08 else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            textfont={"size": look.size},
            hovertemplate=f"{escape(name)}: %{{x:.4f}}<extra></extra>",
        )
    for index, prediction in enumerate(predictions):
        figure.add_annotation(
            x=1.01,
            y=index,
            text="<br>".join(escape(line) for line in wrap(short(prediction, 2 * LINE), LINE)[:2]),
            hovertext=escape(prediction),
            align="left",
            showarrow=False,
            xanchor="left",
            font={"size": look.size, "color": look.text},
        )
    figure.update_layout(
        barmode="stack", bargap=0.35, uniformtext={"minsize": look.size, "mode": "show"}
    )
    figure.update_xaxes(
        range=[0, 1.5], tickvals=[0, 0.25, 0.5, 0.75, 1], showgrid=False, zeroline=False
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=beside(rows, 20),
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    style(
        figure,
        look,
        120 + 48 * len(rows) + (60 if len(tasks) > 8 else 0),
        width(beside(rows, 20), look) + 420,
    )
    return figure.update_layout(
        margin={"l": 10, "r": 10, "t": 8, "b": 30}, legend={"traceorder": "normal"}
    )
