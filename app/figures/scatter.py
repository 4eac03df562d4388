"""The map of samples: one figure per projection, recoloured in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.base.memoized import memoized
from app.base.theme import Look, task_colour
from app.figures.base import style
from app.figures.colour_modes import COLOURS, Group, groups, legend
from app.figures.names import short, width
from app.figures.overlap import moved_apart

MOST_SVG = 2_000
"""More points are drawn with WebGL."""
HEIGHT = 580
ASPECT = 4 / 3
"""Of width and height, about, as the map is drawn on most screens."""
RING = 0.075
"""What the ring of a centroid takes up of the map's height."""
EDGES = (0.08, 0.05)
"""Of what is shown, at either end along x and y: half a ring, as wide as a phone draws it."""
PADDED = 22
"""Pixels of a button around its words."""
ENTROPY = {
    "light": [[0.0, "#6c9bcb"], [0.5, "#8e5ea2"], [1.0, "#b3001b"]],
    "dark": [[0.0, "#4f7fb5"], [0.5, "#c9a0dc"], [1.0, "#ffd6a0"]],
}
"""From one adapter to uniform weights; each end can be seen on its paper."""


@dataclass(frozen=True)
class MapView:
    """What is shown of a map.

    Attributes:
        colour: one of COLOURS, to begin with.
        stage: the stage, from 1: later tasks are grey and have no centroid.
        highlight: index of a task that stands out.
        ringed: id of a sample to put a ring around.
        own_position: where a sample of the visitor's own is put.
    """

    colour: str
    stage: int
    highlight: int | None = None
    ringed: str | None = None
    own_position: tuple[float, float] | None = None


@memoized
def feature_map(
    points: pd.DataFrame,
    centroids: NDArray[np.float64],
    tasks: Sequence[str],
    look: Look,
    shown: MapView,
) -> go.Figure:
    """Samples and task centroids on a plane; buttons recolour without losing zoom or selection.

    A point's custom data begin with its row in the table.

    Args:
        points: from `app.map.points.table`.
        centroids: (K, 2).
        tasks: numbered names, of tasks with a centroid.
        look: the theme.
        shown: what of them.
    """
    figure = go.Figure()
    colour, ringed, own_position = shown.colour, shown.ringed, shown.own_position
    owner: list[str] = []
    kind = go.Scatter if len(points) <= MOST_SVG else go.Scattergl
    # What WebGL draws covers what SVG draws: marks above the points are drawn as the points are, and after them.
    mark = figure.add_scatter if kind is go.Scatter else figure.add_scattergl
    customdata, names = _customdata(points), [escape(str(name)) for name in points["sample"]]
    for mode in COLOURS:
        alike = groups(points, mode, shown.highlight)
        for called, group in zip(legend(alike), alike, strict=True):
            trace = _trace(kind, points, customdata, names, group, look, len(tasks))
            figure.add_trace(trace.update(name=called))
            owner.append(mode)
    learnt = min(shown.stage, len(centroids))
    extent = np.maximum(np.ptp(points[["x", "y"]].to_numpy(), axis=0), 1e-6) / (ASPECT, 1)
    rings = moved_apart(centroids / extent, RING) * extent  # of all tasks: no stage moves any
    mark(
        x=rings[:learnt, 0],
        y=rings[:learnt, 1],
        mode="markers+text",
        name="centroid",
        text=[str(index + 1) for index in range(learnt)],
        textposition="middle center",
        textfont={"size": look.size, "color": "#101418", "weight": "bold"},
        marker={
            "symbol": "circle",
            "size": 26,
            "color": "#ffffff",
            "line": {"width": 4, "color": [task_colour(index) for index in range(learnt)]},
        },
        hovertemplate=[f"centroid of {escape(name)}<extra></extra>" for name in tasks[:learnt]],
    )
    owner.append("")
    ring = points[points["sample"] == ringed] if ringed else points[:0]
    if len(ring):
        mark(
            x=ring["x"],
            y=ring["y"],
            mode="markers",
            name=escape(short(str(ringed))),
            marker={
                "symbol": "circle-open",
                "size": 24,
                "line": {"width": 4},
                "color": look.text,
            },
            hoverinfo="skip",
        )
        owner.append("")
    if own_position is not None:
        mark(
            x=[own_position[0]],
            y=[own_position[1]],
            mode="markers+text",
            name="your own",
            text=["yours"],
            textposition="top center",
            textfont={"size": look.size + 2, "color": look.text},
            marker={
                "symbol": "star",
                "size": 22,
                "color": "#ffffff",
                "line": {"width": 2.5, "color": "#101418"},
            },
            hovertemplate="your own, among its nearest samples<extra></extra>",
        )
        owner.append("")
    for trace, mode in zip(figure.data, owner, strict=True):
        trace.visible = mode in ("", colour)
    _buttons(figure, owner, colour, look)
    _axes(figure, points, rings)
    # More than a few rings would cover each other on a phone.
    least = _buttons_width(look) if learnt <= 8 else 560
    return style(figure, look, HEIGHT, least).update_layout(
        dragmode="lasso",
        modebar_orientation="v",  # beside the map: the buttons stand above it
        margin={"l": 10, "r": 10, "t": 84, "b": 10},
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "itemsizing": "constant"},
    )


def _trace(
    kind: type[go.Scatter] | type[go.Scattergl],
    points: pd.DataFrame,
    customdata: Sequence[list[int | str]],
    names: Sequence[str],
    group: Group,
    look: Look,
    adapters: int,
) -> go.Scatter | go.Scattergl:
    chosen = points.iloc[group.rows]
    marker: dict[str, object] = {
        "symbol": group.symbol,
        "size": 7 if len(points) <= MOST_SVG else 5,
        "color": group.colour,
        "line": {"width": 0 if "open" not in group.symbol else 1.5},
    }
    if not isinstance(group.colour, str):
        marker |= {
            "colorscale": ENTROPY[look.name],
            "cmin": 0,
            "cmax": float(np.log(max(adapters, 2))),
            "colorbar": {
                "title": {"text": "entropy (nats)", "side": "right"},
                "thickness": 14,
                "outlinewidth": 0,
            },
        }
    return kind(
        x=chosen["x"].to_numpy(np.float32),
        y=chosen["y"].to_numpy(np.float32),
        mode="markers",
        customdata=[customdata[row] for row in group.rows],
        text=[names[row] for row in group.rows],
        hovertemplate=HOVER,
        marker=marker,
        opacity=0.3 if group.faint else 0.85,
        showlegend=True,
    )


HOVER = (
    "<b>%{text}</b><br>task %{customdata[1]}<br>class %{customdata[2]}<br>adapter %{customdata[3]}"
    "<br>prediction %{customdata[4]}<br>entropy %{customdata[5]} nats<extra></extra>"
)


def _customdata(points: pd.DataFrame) -> list[list[int | str]]:
    """Row in the table, task, class, adapter, answer, entropy: what is said of a sample is data, never markup."""
    columns = [
        [escape(str(value)) for value in points[name]]
        for name in ("task", "class", "adapter", "answer")
    ]
    entropy = ["-" if value != value else f"{value:.2f}" for value in points["entropy"]]
    return [list(values) for values in zip(range(len(points)), *columns, entropy, strict=True)]


def _buttons(figure: go.Figure, owner: Sequence[str], colour: str, look: Look) -> None:
    """Which traces are seen, changed in the browser."""
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons",
                "direction": "right",
                "x": 0,
                "xanchor": "left",
                "y": 1.02,
                "yanchor": "bottom",
                "active": COLOURS.index(colour),
                "showactive": True,
                "bgcolor": look.paper,  # the active one is lit by `styles.BUTTONS`
                "bordercolor": look.faint,
                # Five buttons fit beside each other on a phone.
                "font": {"size": look.size - 1, "color": look.text},
                "buttons": [
                    {
                        "label": _wrapped(mode),
                        "method": "restyle",
                        "args": [{"visible": [trace_mode in ("", mode) for trace_mode in owner]}],
                    }
                    for mode in COLOURS
                ],
            }
        ]
    )


def _wrapped(mode: str) -> str:
    """A button's words in at most two lines: five buttons stand side by side on a phone."""
    head, _, tail = mode.rpartition(" ")
    return f"{head}<br>{tail}" if head else mode


def _buttons_width(look: Look) -> int:
    """Pixels that the row of buttons takes up, about; plotly pads each of them."""
    lines = [_wrapped(mode).split("<br>") for mode in COLOURS]
    return sum(width(line, look) + PADDED for line in lines)


def _axes(figure: go.Figure, points: pd.DataFrame, rings: NDArray[np.float64]) -> None:
    """Without numbers, which mean nothing on a map; the same ranges at every stage, so that nothing moves."""
    for axis, (column, update) in enumerate(
        (("x", figure.update_xaxes), ("y", figure.update_yaxes))
    ):
        shown = np.concatenate([points[column], rings[:, axis]])
        low, high = float(shown.min()), float(shown.max())
        edge = EDGES[axis] * max(high - low, 1e-6)
        update(
            range=[low - edge, high + edge],
            showticklabels=False,
            ticks="",
            showgrid=False,
            zeroline=False,
            showline=False,
        )
