"""Square tables as heatmaps: the score matrix, changes, confusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.figures.base import style, unmarked
from app.theme import ACCURACY, Look

BLACK, WHITE = "#101418", "#ffffff"
MOST_TEXT = 20
"""No numbers in the cells of tables with more rows or columns."""


def heatmap(
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    look: Look,
    *,
    row_title: str,
    column_title: str,
    value_title: str,
    signed: bool = False,
    highlight: int | None = None,
    counts: NDArray[np.int64] | None = None,
    show_counts: bool = False,
) -> go.Figure:
    """Values (m, n) as cells that can be clicked; NaN cells stay empty.

    Args:
        values: percent or points.
        rows: names, top to bottom.
        columns: names, left to right.
        look: the theme.
        row_title: of the vertical axis.
        column_title: of the horizontal axis.
        value_title: with its unit, for the colour bar and the hover.
        signed: differences, coloured symmetrically around 0; else 0 to 100.
        highlight: a column to frame.
        counts: (m, n) samples behind the values, for the hover.
        show_counts: whether the cells say the counts instead of the values.
    """
    rows, columns = unmarked(rows), unmarked(columns)
    reach = max(1.0, float(np.nanmax(np.abs(values)))) if np.isfinite(values).any() else 1.0
    colours = (
        {"colorscale": look.diverging, "zmin": -reach, "zmax": reach}
        if signed
        else {
            "colorscale": ACCURACY,
            "zmin": 0,
            "zmax": 100,
        }
    )
    inside = [(i, j) for i, j in np.ndindex(values.shape) if np.isfinite(values[i, j])]
    form = "{:+.0f}" if signed else "{:.0f}"
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=list(range(len(columns))),
            y=list(range(len(rows))),
            xgap=2,
            ygap=2,
            hoverinfo="skip",
            colorbar={
                "title": {"text": value_title, "side": "right"},
                "thickness": 14,
                "outlinewidth": 0,
            },
            **colours,
        )
    )
    figure.add_scatter(  # a heatmap's cells cannot be clicked: these can
        x=[j for _, j in inside],
        y=[i for i, _ in inside],
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        customdata=[[i, j] for i, j in inside],
        hovertemplate=[
            f"{row_title}: {rows[i]}<br>{column_title}: {columns[j]}<br>{value_title}: "
            f"{values[i, j]:{'+' if signed else ''}.1f}"
            + ("" if counts is None else f"<br>samples: {counts[i, j]}")
            + "<extra></extra>"
            for i, j in inside
        ],
        showlegend=False,
    )
    if max(values.shape) <= MOST_TEXT:
        said = {cell: form.format(values[cell]) for cell in inside}
        if show_counts and counts is not None:
            said = {cell: str(counts[cell]) for cell in inside}
        for ink in (BLACK, WHITE):
            cells = [cell for cell in inside if _ink(values[cell], reach, signed, look) == ink]
            _write(figure, cells, [said[cell] for cell in cells], ink, look)
    if highlight is not None:
        figure.add_shape(
            type="rect",
            x0=highlight - 0.5,
            x1=highlight + 0.5,
            y0=-0.5,
            y1=len(rows) - 0.5,
            line={"color": look.text, "width": 2},
        )
    ticks = {"tickmode": "array", "showgrid": False, "zeroline": False}
    figure.update_xaxes(
        title=column_title,
        tickvals=list(range(len(columns))),
        ticktext=list(columns),
        side="top",
        range=[-0.5, len(columns) - 0.5],
        **ticks,
    )
    figure.update_yaxes(
        title=row_title,
        tickvals=list(range(len(rows))),
        ticktext=list(rows),
        range=[len(rows) - 0.5, -0.5],
        **ticks,
    )
    return style(figure, look, height=140 + 44 * len(rows))


def thumbnail(values: NDArray[np.float64], look: Look) -> go.Figure:
    """A score matrix (T, T), in percent, without axes or numbers."""
    figure = go.Figure(
        go.Heatmap(z=values, colorscale=ACCURACY, zmin=0, zmax=100, showscale=False, xgap=1, ygap=1)
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed")
    return style(figure, look, height=130).update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})


def _write(
    figure: go.Figure, cells: Sequence[tuple[int, int]], said: Sequence[str], ink: str, look: Look
) -> None:
    """Numbers of one colour: a click would dim those of several colours, and those of the markers."""
    same = {"textfont": {"color": ink}}
    figure.add_scatter(
        x=[j for _, j in cells],
        y=[i for i, _ in cells],
        mode="text",
        text=list(said),
        textfont={"color": ink, "size": look.size},
        selected=same,
        unselected=same,
        hoverinfo="skip",
        showlegend=False,
    )


def _ink(value: float, reach: float, signed: bool, look: Look) -> str:
    """Black or white, whichever can be read on the cell."""
    if not signed:
        return WHITE if value < 55 else BLACK
    strong = abs(value) > 0.6 * reach
    if look.name == "dark":
        return BLACK if strong else WHITE
    return WHITE if strong else BLACK
