"""Merges one below the other: what each is made of, in task colours, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from app.figures.base import style
from app.theme import Look, task_colour


def merges(
    rows: Sequence[str],
    weights: Sequence[Sequence[float]],
    answers: Sequence[str],
    tasks: Sequence[str],
    look: Look,
) -> go.Figure:
    """Stacked bars.

    Args:
        rows: M names, top to bottom.
        weights: M of K shares; a row may have fewer, of an earlier stage.
        answers: M, beside the bars.
        tasks: K numbered names.
        look: the theme.
    """
    figure = go.Figure()
    for place, name in enumerate(tasks):
        shares = [row[place] if place < len(row) else 0.0 for row in weights]
        figure.add_bar(
            x=shares,
            y=list(range(len(rows))),
            orientation="h",
            name=escape(name),
            marker={"color": task_colour(place), "line": {"color": look.paper, "width": 1}},
            text=[f"{share:.2f} T{place + 1}" if share >= 0.08 else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            textfont={"size": look.size},
            hovertemplate=f"{escape(name)}: %{{x:.4f}}<extra></extra>",
        )
    for place, answer in enumerate(answers):
        figure.add_annotation(
            x=1.01,
            y=place,
            text=escape(answer),
            showarrow=False,
            xanchor="left",
            font={"size": look.size, "color": look.text},
        )
    figure.update_layout(
        barmode="stack", bargap=0.35, uniformtext={"minsize": look.size, "mode": "show"}
    )
    figure.update_xaxes(
        range=[0, 1.35], tickvals=[0, 0.25, 0.5, 0.75, 1], showgrid=False, zeroline=False
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[escape(name) for name in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    style(figure, look, height=120 + 48 * len(rows))
    return figure.update_layout(
        margin={"l": 10, "r": 10, "t": 8, "b": 30}, legend={"y": -0.3, "traceorder": "normal"}
    )
