"""What all figures share: fonts, colours, margins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape

import plotly.graph_objects as go

from app.base.theme import FONT, Look


def unmarked(names: Sequence[str]) -> list[str]:
    """Names from data, made harmless: plotly reads a few HTML tags in every text."""
    return [escape(name) for name in names]


ROW = 44
"""Pixels of a row; of more than MOST_HIGH rows it is LOW."""
MOST_HIGH, LOW = 12, 28
PER_CENT = (0, 102)
"""Range of an axis of per cent: the mark of 100 % is drawn whole."""


def style(figure: go.Figure, look: Look, height: int, least: int = 0) -> go.Figure:
    """Gives a figure the theme's colours, a readable type size and a height that does not jump.

    What a figure says of itself holds, before this or after it.

    Args:
        figure: to be styled.
        look: the theme.
        height: pixels.
        least: pixels of its width; where there are fewer, it is scrolled within its own box.
    """
    return figure.update_layout(template=_template(look), height=height, meta={"least": least})


BAR = 72
"""Pixels of a colour bar below its cells, with its title and its numbers."""
ENDS = 20
"""Pixels by which it is shorter at either end, for the numbers that stand there."""


def bar_below(figure: go.Figure, title: str, look: Look, above: int = 0) -> dict[str, object]:
    """A colour bar along the lower edge of a figure: beside the cells a narrow window would cut it off.

    Its title is written into the figure, as plotly lays a bar's own over it.

    Args:
        figure: whose lower margin has room for `BAR` more pixels.
        title: what the colours mean.
        look: the theme.
        above: pixels of what stands between the cells and the bar.
    """
    figure.add_annotation(
        x=0.5,
        xref="paper",
        y=0,
        yref="paper",
        yanchor="top",
        yshift=-8 - above,
        text=title,
        showarrow=False,
        font={"size": look.size},
    )
    bar = {"orientation": "h", "thickness": 14, "outlinewidth": 0, "ticklabeloverflow": "allow"}
    bar |= {"tickangle": 0}
    return {**bar, "yref": "container", "y": 0, "yanchor": "bottom", "ypad": 4, "xpad": ENDS}


def least_width(figure: go.Figure) -> int:
    """Pixels that a figure needs for its texts; 0 where any width will do."""
    return int((figure.layout.meta or {}).get("least", 0))


def rows_height(count: int) -> int:
    """Pixels of so many rows."""
    return (ROW if count <= MOST_HIGH else LOW) * count


@lru_cache(maxsize=32)
def _template(look: Look) -> go.layout.Template:
    """The theme, made once: plotly checks every property that it is given, and pages have many figures."""
    axis = {
        "automargin": True,
        "ticklabeloverflow": "allow",  # else the last name is left out where it has no room
        "gridcolor": look.faint,
        "linecolor": look.faint,
        "zerolinecolor": look.faint,
        "title": {"font": {"size": look.size}, "standoff": 12},
    }
    return go.layout.Template(
        layout={
            "margin": {"l": 10, "r": 10, "t": 40, "b": 40},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": look.size, "color": look.text},
            "hoverlabel": {"bgcolor": look.paper, "font": {"color": look.text, "size": look.size}},
            # Above, where it cannot meet an axis title however many lines it has.
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            # Left to itself it takes black from the transparent paper.
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": look.text,
                "activecolor": "#3f90da",
            },
            "xaxis": axis,
            "yaxis": axis,
        }
    )
