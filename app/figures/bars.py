"""Bar charts over tasks: what became of routes and answers, and how often each adapter is used."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.base.memoized import memoized
from app.base.theme import Look, task_colour
from app.figures.base import rows_height, style
from app.figures.cells import UNANSWERABLE
from app.figures.confidence import interval
from app.figures.names import beside, ticks, width

OUTCOMES = (
    ("right route, right prediction", "#3f90da", ""),
    ("right route, wrong prediction", "#3f90da", "/"),
    ("wrong route, right prediction", "#ffa90e", ""),
    ("wrong route, wrong prediction", "#ffa90e", "/"),
)
"""Name, colour (the route) and pattern (hatched: the answer is wrong)."""


@memoized
def outcomes(counts: NDArray[np.int64], tasks: Sequence[str], look: Look) -> go.Figure:
    """Four parts of every task's samples, by route and by answer; a task without any is crossed out.

    Args:
        counts: (m, 4) samples that could be answered, in the order of `OUTCOMES`.
        tasks: m names, top to bottom.
        look: the theme.
    """
    figure = go.Figure()
    totals = counts.sum(axis=1)
    shares = 100 * counts / np.maximum(totals, 1)[:, None]
    for column, (name, colour, pattern) in enumerate(OUTCOMES):
        figure.add_bar(
            x=shares[:, column],
            y=list(range(len(tasks))),
            orientation="h",
            name=name,
            marker={
                "color": colour,
                "pattern": {
                    "shape": pattern,
                    "fillmode": "overlay",
                    "fgcolor": "#101418",
                    "fgopacity": 0.45,
                    "size": 10,
                    "solidity": 0.12,
                },
                "line": {"color": look.paper, "width": 1},
            },
            text=[f"{share:.0f}" if share >= 6 else "" for share in shares[:, column]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": look.size, "color": "#101418"},
            customdata=[
                (escape(task), interval(shares[index, column] / 100, int(totals[index])))
                for index, task in enumerate(tasks)
            ],
            hovertemplate=f"%{{customdata[0]}}<br>{name}: %{{x:.1f}} %<br>%{{customdata[1]}}<extra></extra>",
        )
    if not totals.all():
        figure.add_bar(
            x=[100] * int((totals == 0).sum()),
            y=np.flatnonzero(totals == 0).tolist(),
            orientation="h",
            name=UNANSWERABLE,
            marker={
                "color": "rgba(0,0,0,0)",
                "pattern": {"shape": "x", "fgcolor": look.faint, "size": 10, "solidity": 0.15},
                "line": {"color": look.faint, "width": 1},
            },
            customdata=[
                escape(task) for task, total in zip(tasks, totals, strict=True) if not total
            ],
            hovertemplate=f"%{{customdata}}<br>{UNANSWERABLE}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.3,
        legend={"traceorder": "normal"},
        uniformtext={"minsize": look.size, "mode": "hide"},
    )
    figure.update_xaxes(
        range=[0, 100],
        tickvals=[0, 25, 50, 75, 100],
        title="share of the task's samples (%)",
        showgrid=False,  # between the bars its lines would be marks of nothing
        zeroline=False,
    )
    figure.update_yaxes(
        tickvals=list(range(len(tasks))),
        ticktext=beside(tasks),
        range=[len(tasks) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    least = width(beside(tasks), look) + 240
    return style(figure, look, 150 + rows_height(len(tasks)), least).update_layout(
        margin={"t": 10, "r": 24}
    )


@memoized
def usage(
    mean: NDArray[np.float64],
    chosen: NDArray[np.float64],
    tasks: Sequence[str],
    look: Look,
    samples: int,
) -> go.Figure:
    """How much each adapter is used: mean weight as a bar, how often it is the top-1 adapter as a diamond.

    Args:
        mean: (K,) percent.
        chosen: (K,) percent.
        tasks: K names.
        look: the theme.
        samples: that these are of.
    """
    figure = go.Figure()
    indices = list(range(len(tasks)))
    figure.add_bar(
        x=indices,
        y=mean,
        name="mean weight",
        marker={"color": [task_colour(index) for index in indices]},
        customdata=[escape(name) for name in tasks],
        hovertemplate="%{customdata}<br>mean weight %{y:.1f} %<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        x=indices,
        y=chosen,
        mode="markers",
        cliponaxis=False,
        name="top-1 adapter of (%)",
        marker={
            "symbol": "diamond-open",
            "size": 13,
            "color": look.text,
            "line": {"width": 2.5},
        },
        customdata=[
            (escape(name), interval(share / 100, samples))
            for name, share in zip(tasks, chosen, strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>top-1 adapter of %{y:.1f} % of the samples<br>"
        "%{customdata[1]}<extra></extra>",
    )
    even = 100 / max(len(tasks), 1)
    figure.add_scatter(
        x=[-0.5, len(tasks) - 0.5],
        y=[even, even],
        mode="lines",
        name="uniform",
        line={"color": look.text, "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )
    figure.update_layout(bargap=0.35, showlegend=True)
    figure.update_xaxes(showgrid=False, **ticks(tasks))
    figure.update_yaxes(title="weight, samples (%)", rangemode="tozero")
    return style(figure, look, 360).update_layout(margin={"t": 10})
