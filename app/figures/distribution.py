"""Histograms of one number of many samples, for two groups of them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.base.memoized import memoized
from app.base.theme import Look
from app.figures.base import style

BINS = 24
RIGHT, WRONG = "#3f90da", "#ffa90e"


@memoized
def distribution(
    right: NDArray[np.float64],
    wrong: NDArray[np.float64],
    look: Look,
    *,
    most: float,
    title: str,
) -> go.Figure:
    """Histograms, right routes above the axis and wrong ones below it.

    Args:
        right: (n,) values of samples that were routed rightly.
        wrong: (m,) values of the others.
        look: the theme.
        most: the largest value there can be.
        title: of the horizontal axis, with its unit.
    """
    edges = np.linspace(0, most, BINS + 1)
    middles, width = (edges[1:] + edges[:-1]) / 2, most / BINS
    figure, tallest = go.Figure(), 1
    for name, values, colour, sign in (
        ("right route", right, RIGHT, 1),
        ("wrong route", wrong, WRONG, -1),
    ):
        counts = np.histogram(np.clip(values, 0, most), edges)[0]
        tallest = max(tallest, int(counts.max()))
        figure.add_bar(
            x=middles,
            y=sign * counts,
            width=width * 0.92,
            name=f"{name} ({len(values)})",
            marker={"color": colour},
            customdata=counts,
            hovertemplate=f"{name}<br>%{{x:.2f}}: %{{customdata}} samples<extra></extra>",
        )
    figure.update_layout(barmode="relative")
    figure.update_xaxes(title=title, range=[0, most], zeroline=False)
    ticks = sorted({sign * tallest * part // 2 for sign in (-1, 1) for part in (0, 1, 2)})
    figure.update_yaxes(
        title="samples",
        tickvals=ticks,
        ticktext=[str(abs(tick)) for tick in ticks],
        zerolinecolor=look.text,
        zerolinewidth=1,
    )
    return style(figure, look, height=320).update_layout(margin={"t": 10})
