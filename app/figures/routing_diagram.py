"""The routing figure of one sample, from left to right: router's scores, the k best, the merge, the prediction.

Drawn in one coordinate system of our own: x runs from 0 to 1 through three zones, y counts the K adapters downwards.
The answer stands in the margin, which has room for it however narrow the window is.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from app.base.memoized import memoized
from app.base.theme import Look, task_colour, task_symbol
from app.figures.base import style
from app.figures.names import beside, short, tag, width
from cl_core.evaluate.statistics import decimal

NEAR, SHARE, MERGE = (0.02, 0.30), (0.40, 0.60), (0.80, 0.98)
ANSWER, ROOM = 1.0, 150
"""Where the answer begins, and pixels of the margin that it stands in."""
WIDE_SHARE = (0.02, 0.56)
"""Where the zones lie along x; weights have more room where there are no scores."""
LINE = 12
"""Letters in a line of an answer."""
TALL = 0.62
"""Height of a bar, of a row's."""
FEINT = 0.28
"""Opacity of adapters that are left out."""


@memoized
def routing_diagram(
    tasks: Sequence[str],
    weights: Sequence[float],
    look: Look,
    *,
    answer: str,
    confidence: float,
    scores: Sequence[float] | None = None,
    before: Sequence[float] | None = None,
    was: str | None = None,
    headings: Sequence[str] = ("", "", "", ""),
) -> go.Figure:
    """One sample's way from scores to an answer.

    Args:
        tasks: K numbered names.
        weights: K, p(x).
        look: the theme.
        answer: what the merge predicts.
        confidence: its softmax probability.
        scores: K, the router's; None where it has no scores of its own.
        before: K weights of the run's own way, where `weights` are those of a what-if.
        was: what the run itself predicts, where that differs.
        headings: of the four zones.
    """
    figure = go.Figure()
    share = SHARE if scores is not None else WIDE_SHARE
    if scores is not None:
        _nearness(figure, tasks, scores, weights, look)
    _shares(figure, share, tasks, weights, before, look)
    _merge(figure, share, tasks, weights, look)
    rows = len(tasks)
    said = [
        "softmax<br>probability " + f"{confidence:.2f}",
        *([f"before: {_broken(was)}"] if was is not None else []),
    ]
    _write(figure, ANSWER, (rows - 1) / 2, f"<b>{_broken(answer)}</b>", look, "bottom", 6)
    _write(figure, ANSWER, (rows - 1) / 2, "<br>".join(said), look, "top")
    for x, heading in zip((NEAR[0], share[0], MERGE[0], ANSWER), headings, strict=True):
        if heading:
            words = heading.replace(": ", "<br>")
            _write(figure, x, -0.75, f"<b>{words}</b>", look, "bottom")
    figure.update_xaxes(range=[0, 1], visible=False, fixedrange=True)
    figure.update_yaxes(
        range=[rows - 0.4, -1.6],
        tickvals=list(range(rows)),
        ticktext=beside(tasks, 22),
        showgrid=False,
        zeroline=False,
        showline=False,
        ticks="",
        fixedrange=True,
    )
    least = width(beside(tasks, 22), look) + 290 + ROOM
    return style(
        figure, look, 112 + min(64, max(42, 300 // max(rows, 1))) * rows, least
    ).update_layout(showlegend=False, margin={"l": 10, "r": ROOM, "t": 4, "b": 4})


def _nearness(
    figure: go.Figure,
    tasks: Sequence[str],
    scores: Sequence[float],
    weights: Sequence[float],
    look: Look,
) -> None:
    """Zone 1: a mark for each task, further to the right the nearer; those kept are joined to their weight."""
    low, high = min(scores), max(scores)
    reach = (high - low) or 1.0
    marks = [NEAR[0] + (NEAR[1] - NEAR[0]) * (0.04 + 0.92 * (s - low) / reach) for s in scores]
    indices = range(len(tasks))
    kept = [weight > 0 for weight in weights]
    _line(
        figure,
        [x for _ in indices for x in (*NEAR, None)],
        [y for index in indices for y in (index, index, None)],
        look.faint,
        1,
    )
    for index in indices:
        if kept[index]:
            _line(figure, [marks[index], SHARE[0]], [index, index], task_colour(index), 2)
    figure.add_scatter(
        x=marks,
        y=list(indices),
        mode="markers+text",
        text=[decimal(score, 3 if abs(score) < 10 else 0) for score in scores],
        textposition="top center",
        textfont={"size": look.size, "color": look.text},
        cliponaxis=False,
        marker={
            # Filled or empty says whether it is kept; the colour of an open symbol would be that of its line.
            "symbol": [task_symbol(index).removesuffix("-open") for index in indices],
            "size": 15,
            "color": [task_colour(index) if kept[index] else look.paper for index in indices],
            "opacity": [1 if is_kept else 0.6 for is_kept in kept],
            "line": {"color": [task_colour(index) for index in indices], "width": 2.5},
        },
        hovertext=[
            f"{escape(name)}<br>score {decimal(score, 4)}"
            for name, score in zip(tasks, scores, strict=True)
        ],
        hoverinfo="text",
    )


def _shares(
    figure: go.Figure,
    share: tuple[float, float],
    tasks: Sequence[str],
    weights: Sequence[float],
    before: Sequence[float] | None,
    look: Look,
) -> None:
    """Zone 2: weights as bars from 0 to 1; what they were before as an outline, the difference as a signed number."""
    width = share[1] - share[0]
    was = before if before is not None else [0.0] * len(tasks)
    x, words, inks, hover = [], [], [], []
    for index, (weight, earlier) in enumerate(zip(weights, was, strict=True)):
        top, bottom = index - TALL / 2, index + TALL / 2
        if weight > 0:
            _box(figure, share[0], share[0] + width * weight, top, bottom, task_colour(index))
        if earlier > 0:
            figure.add_shape(
                type="rect",
                x0=share[0],
                x1=share[0] + width * earlier,
                y0=top,
                y1=bottom,
                line={"color": look.text, "width": 1.5, "dash": "dot"},
            )
        said = f"{weight:.2f}" if weight > 0 else "left out"
        if before is not None and abs(weight - earlier) >= 0.005:
            said += f"  ({decimal(weight - earlier, 2, signed=True)})"
        inside = weight > 0.5
        x.append(share[0] + (0 if inside else width * max(weight, earlier)) + 0.008)
        words.append(said)
        inks.append(_ink(index) if inside else look.text if weight > 0 else _faded(look.text, 0.75))
        hover.append(
            f"{escape(tasks[index])}<br>weight {weight:.4f}"
            + ("" if before is None else f"<br>before {earlier:.4f}")
        )
    figure.add_scatter(
        x=x,
        y=list(range(len(tasks))),
        mode="text",
        text=words,
        textposition="middle right",
        textfont={"size": look.size, "color": inks},
        hovertext=hover,
        hoverinfo="text",
    )


def _merge(
    figure: go.Figure,
    share: tuple[float, float],
    tasks: Sequence[str],
    weights: Sequence[float],
    look: Look,
) -> None:
    """Zone 3: ribbons into one column, whose parts are as high as their weights."""
    rows = len(tasks)
    total, top = sum(weights) or 1.0, -TALL / 2
    height = rows - 1 + TALL
    named: list[tuple[float, int]] = []
    for index, weight in enumerate(weights):
        if weight <= 0:
            continue
        bottom = top + height * weight / total
        thick = TALL * max(weight, 0.04) / 2
        begin = share[0] + (share[1] - share[0]) * weight
        _ribbon(figure, begin, (index - thick, index + thick), (top, bottom), task_colour(index))
        _box(figure, MERGE[0], MERGE[1], top, bottom, task_colour(index))
        if bottom - top > 0.35:
            named.append(((top + bottom) / 2, index))
        top = bottom
    figure.add_scatter(
        x=[(MERGE[0] + MERGE[1]) / 2] * len(named),
        y=[middle for middle, _ in named],
        mode="text",
        text=[f"<b>{weights[index]:.2f} {tag(tasks[index])}</b>" for _, index in named],
        textfont={"size": look.size, "color": [_ink(index) for _, index in named]},
        hovertext=[
            f"{escape(tasks[index])}<br>{weights[index]:.4f} of the merge" for _, index in named
        ],
        hoverinfo="text",
    )


def _ribbon(
    figure: go.Figure,
    begin: float,
    left: tuple[float, float],
    right: tuple[float, float],
    colour: str,
) -> None:
    """From a bar's end to its part of the column, with a smooth step between."""
    t = np.linspace(0, 1, 24)
    smooth = t * t * (3 - 2 * t)
    x = begin + (MERGE[0] - begin) * t
    upper = left[0] + (right[0] - left[0]) * smooth
    lower = left[1] + (right[1] - left[1]) * smooth
    figure.add_scatter(
        x=[*x, *x[::-1]],
        y=[*upper, *lower[::-1]],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=_faded(colour, FEINT),
        hoverinfo="skip",
    )


def _box(figure: go.Figure, x0: float, x1: float, y0: float, y1: float, colour: str) -> None:
    figure.add_shape(
        type="rect", x0=x0, x1=x1, y0=y0, y1=y1, fillcolor=colour, line={"width": 0}, layer="below"
    )


def _line(
    figure: go.Figure,
    x: Sequence[float | None],
    y: Sequence[float | None],
    colour: str,
    width: float,
) -> None:
    """Lines through points; None parts one from the next."""
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": width}, hoverinfo="skip"
    )


def _write(
    figure: go.Figure, x: float, y: float, text: str, look: Look, side: str, larger: int = 0
) -> None:
    """Text to the right of x, its "bottom" or its "top" at y."""
    figure.add_annotation(
        x=x,
        y=y,
        text=text,
        showarrow=False,
        xanchor="left",
        yanchor=side,
        align="left",
        font={"size": look.size + larger, "color": look.text},
    )


def _broken(label: str) -> str:
    """A label in lines that the last zone has room for; the whole stands above the figure."""
    return "<br>".join(escape(line) for line in wrap(short(label, 3 * LINE), LINE)[:4])


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _ink(index: int) -> str:
    """Black or white, whichever can be read on a task's colour."""
    colour = task_colour(index)
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#101418" if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else "#ffffff"
