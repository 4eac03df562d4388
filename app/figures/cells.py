"""Cells of a heatmap: what is hovered and clicked everywhere on them, what is hatched, which ink can be read."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.colors import get_colorscale, sample_colorscale

from app.base.theme import Look

BLACK, WHITE = "#000000", "#ffffff"
Cell = tuple[int, int]
"""Row and column."""
UNANSWERABLE = "not learnt yet: no right prediction could be made"
"""Why a cell or a bar has no number."""
SEEN_ALIKE = {"marker": {"opacity": 1}}
"""Selected or not: a click on one cell dims no other."""


def targets(figure: go.Figure, cells: Sequence[Cell], hover: Sequence[str]) -> None:
    """Covers cells with what can be pointed at and clicked, from edge to edge: a heatmap's own cells cannot.

    Args:
        figure: with rows and columns at whole numbers.
        cells: which.
        hover: what each says.
    """
    _boxes(
        figure,
        cells,
        1.0,
        name="cells",
        marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        customdata=[list(cell) for cell in cells],
        hovertemplate=[f"{said}<extra></extra>" for said in hover],
    )


def hatched(figure: go.Figure, cells: Sequence[Cell], hover: Sequence[str], look: Look) -> None:
    """Marks cells that mean nothing; they can be pointed at, and say why.

    Args:
        figure: with rows and columns at whole numbers.
        cells: which.
        hover: what each says.
        look: the theme.
    """
    _boxes(
        figure,
        cells,
        0.94,
        name="hatched",
        marker={
            "color": "rgba(0,0,0,0)",
            "line": {"width": 0},
            "pattern": {
                "shape": "/",
                "fillmode": "overlay",
                "fgcolor": look.faint,
                "fgopacity": 1,
                "size": 9,
                "solidity": 0.16,
            },
        },
        hovertemplate=[f"{said}<extra></extra>" for said in hover],
    )


def _boxes(figure: go.Figure, cells: Sequence[Cell], size: float, **how: object) -> None:
    if not cells:
        return
    figure.add_bar(
        x=[j for _, j in cells],
        y=[size] * len(cells),
        base=[i - size / 2 for i, _ in cells],
        width=size,
        selected=SEEN_ALIKE,
        unselected=SEEN_ALIKE,
        showlegend=False,
        **how,
    )
    figure.update_layout(barmode="overlay", hovermode="closest")


def inks(values: Sequence[float], scale: object, low: float, high: float) -> list[str]:
    """Black or white for each value, whichever has more contrast on its colour (WCAG 2).

    Args:
        values: of the cells.
        scale: as plotly takes it.
        low: the value at its beginning.
        high: the value at its end.
    """
    if not values:
        return []
    steps = get_colorscale(scale) if isinstance(scale, str) else scale
    fractions = [min(max((value - low) / (high - low), 0.0), 1.0) for value in values]
    return [_ink(colour) for colour in sample_colorscale(steps, fractions, colortype="tuple")]


def ink(fill: str) -> str:
    """The same for one "#rrggbb"."""
    return _ink(tuple(int(fill[start : start + 2], 16) / 255 for start in (1, 3, 5)))


def _ink(channels: Sequence[float]) -> str:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return BLACK if luminance > 0.179 else WHITE
