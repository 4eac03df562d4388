"""Class balance: how a stream's classes are spread over its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from app.base.memoized import memoized
from app.base.theme import Look, task_colour
from app.figures.base import rows_height, style
from app.figures.cells import ink
from app.figures.names import beside
from cl_core.errors import counted

MOST_SEGMENTS = 12
"""Of a bar; the rest of a long vocabulary is drawn as one."""
LETTER = 0.011
"""Of the figure's width: segments too short for their words say them when they are pointed at."""


@memoized
def class_balance(
    counts: Mapping[str, Sequence[tuple[str, int]]], look: Look, *, highlight: int | None = None
) -> go.Figure:
    """One bar per task, cut by class; the bar's length is the task's training samples.

    Args:
        counts: numbered name of a task to (class, rows), in the order of the classes.
        look: the theme.
        highlight: the index of a task that stands out.
    """
    figure = go.Figure()
    longest = max(sum(rows for _, rows in classes) for classes in counts.values())
    for index, (name, classes) in enumerate(counts.items()):
        faded = highlight is not None and highlight != index
        for number, (label, rows) in enumerate(shortened(classes)):
            # Neighbouring classes differ in strength, and a gap of the background's colour parts them.
            strength = (1.0 - 0.6 * (number % 4) / 3) * (0.35 if faded else 1.0)
            fill = mixed(task_colour(index), look.paper, strength)
            words = f"{label} {rows}"
            fits = rows / longest > LETTER * len(words)
            figure.add_bar(
                y=[index],
                x=[rows],
                orientation="h",
                marker={"color": fill, "line": {"color": look.paper, "width": 2}},
                text=[escape(words) if fits else ""],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"color": ink(fill), "size": look.size},
                hovertemplate=f"{escape(name)}<br>{escape(label)}: %{{x}} rows<extra></extra>",
                showlegend=False,
            )
    figure.update_layout(
        barmode="stack", bargap=0.25, uniformtext={"minsize": look.size, "mode": "hide"}
    )
    figure.update_xaxes(title={"text": "training samples", "font": {"size": look.size}})
    figure.update_yaxes(
        tickvals=list(range(len(counts))),
        ticktext=beside(list(counts)),
        range=[len(counts) - 0.5, -0.5],
    )
    style(figure, look, height=80 + rows_height(len(counts)))
    figure.update_layout(margin={"t": 10})
    return figure


def shortened(classes: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """At most MOST_SEGMENTS of them, the last standing for the others."""
    if len(classes) <= MOST_SEGMENTS:
        return list(classes)
    head = list(classes[: MOST_SEGMENTS - 1])
    others = classes[MOST_SEGMENTS - 1 :]
    return [*head, (counted(len(others), "other"), sum(rows for _, rows in others))]


def mixed(colour: str, paper: str, strength: float) -> str:
    """Of two "#rrggbb", the first with this share in 0..1: what transparency would show, without what is beneath."""
    parts = zip(_channels(colour), _channels(paper), strict=True)
    return "#" + "".join(f"{round(strength * a + (1 - strength) * b):02x}" for a, b in parts)


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
