"""Cosines of task centroids as a heatmap."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.base.memoized import memoized
from app.base.theme import ACCURACY, Look
from app.figures.base import BAR, bar_below, rows_height, style
from app.figures.heatmap import MOST_TEXT
from app.figures.names import beside, thinned, width
from cl_core.evaluate.statistics import decimal

NEAR = 0.9
"""Where the scale begins at the latest: cosines that are written alike, as 1.00, look alike too."""


@memoized
def similarity(
    cosines: NDArray[np.float64], names: Sequence[str], look: Look, highlight: int | None = None
) -> go.Figure:
    """(K, K) cosines; the scale runs to 1 from the smallest one, or `NEAR`, and the diagonal is left out.

    Args:
        cosines: symmetric, 1 on the diagonal; NaN where a centroid is zero, which stays empty.
        names: of the tasks, numbered.
        look: the theme.
        highlight: a task to frame.
    """
    count = len(names)
    shown = np.where(np.eye(count, dtype=bool), np.nan, cosines)
    finite = shown[np.isfinite(shown)]
    low = min(float(finite.min()), NEAR) if finite.size else 0.0
    middle = (low + 1) / 2
    small = count <= MOST_TEXT
    text = [
        [
            "" if np.isnan(shown[i, j]) or not small else decimal(shown[i, j], 2)
            for j in range(count)
        ]
        for i in range(count)
    ]
    hover = [
        [
            f"{escape(one)}<br>{escape(other)}<br>cosine {decimal(cosines[i, j], 3)}"
            for j, other in enumerate(names)
        ]
        for i, one in enumerate(names)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            x=list(range(count)),
            y=list(range(count)),
            xgap=2,
            ygap=2,
            colorscale=ACCURACY,
            zmin=low,
            zmax=1,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            showscale=not small,  # the numbers say more, and the cells get its room
        )
    )
    for i, j in np.ndindex(count, count):
        if text[i][j]:
            figure.add_annotation(
                x=j,
                y=i,
                text=text[i][j],
                showarrow=False,
                font={
                    "size": look.size,
                    "color": "#ffffff" if shown[i, j] < middle else "#101418",
                },
            )
    if highlight is not None and highlight < count:
        figure.add_shape(
            type="rect",
            x0=-0.5,
            x1=count - 0.5,
            y0=highlight - 0.5,
            y1=highlight + 0.5,
            line={"color": look.text, "width": 2},
        )
    plain = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "tickmode": "array",
    }
    figure.update_xaxes(
        tickvals=thinned(range(count)),
        ticktext=[names[index].partition(" ")[0] for index in thinned(range(count))],
        side="top",
        title="task",
        range=[-0.5, count - 0.5],
        **plain,
    )
    figure.update_yaxes(
        tickvals=list(range(count)),
        ticktext=beside(names, 22),
        range=[count - 0.5, -0.5],
        **plain,
    )
    least = width(beside(names, 22), look) + 30 + (36 if small else 9) * count
    style(figure, look, 150 + rows_height(count) + (0 if small else BAR - 20), least)
    if small:
        return figure
    figure.update_traces(colorbar=bar_below(figure, "cosine", look))
    return figure.update_layout(margin={"b": 20 + BAR})
