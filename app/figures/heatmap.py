"""Square tables as heatmaps: the score matrix, changes, confusion."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.base.memoized import memoized
from app.base.theme import ACCURACY, NOTHING, Look
from app.figures.base import BAR, bar_below, rows_height, style, unmarked
from app.figures.cells import BLACK, WHITE, Cell, hatched, ink, inks, targets
from app.figures.names import beside, ticks, width
from cl_core.evaluate.intervals import within_one_error
from cl_core.evaluate.statistics import MINUS, decimal

MOST_TEXT = 20
"""No numbers in the cells of tables with more rows or columns."""
REACH = 50.0
"""Points at which the colours of a change end, in every figure of every run: what is stronger looks as strong."""
MARKS = {-50: f"≤ {MINUS}50", -25: f"{MINUS}25", 0: "0", 25: "+25", 50: "≥ +50"}
"""On the colour bar of changes."""
LINE = 22
"""Pixels of a line of the key."""
NARROWEST = 170
"""Pixels that the cells have together, for the key and the numbers of the colour bar beneath them."""
LONGEST = 38
"""Characters of a line of the key: it stands below the cells, which are narrow on a phone."""


@memoized
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
    errors: NDArray[np.float64] | None = None,
    notes: Sequence[Sequence[str]] | None = None,
    empty: NDArray[np.bool_] | None = None,
    empty_because: str = "not learnt yet",
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
        signed: differences, coloured from -REACH to REACH; else 0 to 100.
        highlight: a column to frame.
        counts: (m, n) samples behind the values, for the hover.
        show_counts: whether the cells say the counts instead of the values.
        errors: (m, n) standard errors of differences: what is within one of 0 is grey.
        notes: (m, n), what else the hover says of each cell, such as an interval; "" for nothing.
        empty: (m, n) cells that mean nothing; they are hatched.
        empty_because: why they do not.
    """
    beside_rows, above_columns = beside(rows), ticks(columns)
    rows, columns = unmarked(rows), unmarked(columns)
    blank = np.zeros(values.shape, dtype=bool) if empty is None else empty
    values = np.where(blank, np.nan, values)
    grey = within_one_error(values, np.nan if errors is None else errors)
    low, high = (-REACH, REACH) if signed else (0.0, 100.0)
    scale = look.diverging if signed else ACCURACY
    inside = [(i, j) for i, j in np.ndindex(values.shape) if np.isfinite(values[i, j])]
    shown = np.where(grey, np.nan, values)
    axes = {"x": list(range(len(columns))), "y": list(range(len(rows))), "xgap": 2, "ygap": 2}
    hatch: list[Cell] = [(int(i), int(j)) for i, j in np.argwhere(blank)]
    figure = go.Figure()
    lines = _key(figure, errors is not None, empty_because if hatch else "", look)
    bar = bar_below(figure, value_title, look, LINE * lines)
    if signed:
        bar |= {"tickvals": list(MARKS), "ticktext": list(MARKS.values())}
    figure.add_heatmap(
        z=shown, hoverinfo="skip", colorbar=bar, colorscale=scale, zmin=low, zmax=high, **axes
    )
    if not np.isfinite(shown).any():
        # The bar of a heatmap without a value is not drawn; that of a mark, here of none that is seen, is.
        scaled = {"color": [low], "colorscale": scale, "cmin": low, "cmax": high}
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={**scaled, "showscale": True, "colorbar": bar},
            hoverinfo="skip",
            showlegend=False,
        )
    if grey.any():
        figure.add_heatmap(
            z=np.where(grey, 0.0, np.nan),
            colorscale=[[0, NOTHING[look.name]], [1, NOTHING[look.name]]],
            showscale=False,
            hoverinfo="skip",
            **axes,
        )

    def said_of(i: int, j: int) -> str:
        lines = [f"{row_title}: {rows[i]}", f"{column_title}: {columns[j]}"]
        lines.append(f"{value_title}: {written(float(values[i, j]), signed, 1)}")
        if counts is not None:
            lines.append(f"samples: {counts[i, j]}")
        if notes is not None and notes[i][j]:
            lines.append(notes[i][j])
        return "<br>".join(lines)

    targets(figure, inside, [said_of(i, j) for i, j in inside])
    because = [
        f"{row_title}: {rows[i]}<br>{column_title}: {columns[j]}<br>{empty_because}"
        for i, j in hatch
    ]
    hatched(figure, hatch, because, look)
    said: dict[Cell, str] = {}
    if max(values.shape) <= MOST_TEXT:
        said = {cell: written(float(values[cell]), signed) for cell in inside}
        if show_counts and counts is not None:
            said = {cell: str(counts[cell]) for cell in inside}
        readable = dict(
            zip(
                inside,
                inks([float(values[cell]) for cell in inside], scale, low, high),
                strict=True,
            )
        )
        readable |= {cell: ink(NOTHING[look.name]) for cell in inside if grey[cell]}
        for colour in (BLACK, WHITE):
            cells = [cell for cell in inside if readable[cell] == colour]
            _write(figure, cells, [said[cell] for cell in cells], colour, look)
    if highlight is not None:
        figure.add_shape(
            type="rect",
            x0=highlight - 0.5,
            x1=highlight + 0.5,
            y0=-0.5,
            y1=len(rows) - 0.5,
            line={"color": look.text, "width": 2},
        )
    plain = {"tickmode": "array", "ticks": "", "showgrid": False, "zeroline": False}
    figure.update_xaxes(
        title=column_title,
        side="top",
        range=[-0.5, len(columns) - 0.5],
        **above_columns,
        **plain,
    )
    figure.update_yaxes(
        title=row_title,
        tickvals=list(range(len(rows))),
        ticktext=beside_rows,
        range=[len(rows) - 0.5, -0.5],
        **plain,
    )
    across = max((28 if said else 14) * len(columns), NARROWEST)
    least = width(beside_rows, look) + 60 + across
    style(figure, look, 120 + rows_height(len(rows)) + LINE * lines + BAR, least)
    return figure.update_layout(margin={"b": 20 + LINE * lines + BAR})


def written(value: float, signed: bool, digits: int = 0) -> str:
    """A number in a cell: with its sign where it is a difference, a real minus, and never "-0"."""
    return decimal(value, digits, signed)


@memoized
def thumbnail(values: NDArray[np.float64], look: Look) -> go.Figure:
    """A score matrix (T, T), in percent, without axes or numbers."""
    figure = go.Figure(
        go.Heatmap(
            z=values,
            colorscale=ACCURACY,
            zmin=0,
            zmax=100,
            showscale=False,
            hoverinfo="skip",  # there are no names to say
            xgap=1,
            ygap=1,
        )
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed")
    return style(figure, look, height=130).update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})


def _key(figure: go.Figure, greys: bool, because: str, look: Look) -> int:
    """What grey and hatched cells are, below the cells; returns how many lines that takes."""
    lines = []
    if greys:
        # A swatch in the grey of the cells would be a faint mark beside text: the words say the colour.
        lines.append("grey: within one standard error of 0")
    if because:
        lines += wrap(f"hatched: {because}", LONGEST)
    if lines:
        figure.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            y=0,
            yref="paper",
            yanchor="top",
            yshift=-8,
            align="left",
            text="<br>".join(lines),
            showarrow=False,
            font={"size": look.size},
        )
    return len(lines)


def _write(
    figure: go.Figure, cells: Sequence[Cell], said: Sequence[str], ink: str, look: Look
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
