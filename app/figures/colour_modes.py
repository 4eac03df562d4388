"""Colour modes of the map's samples: for each, groups of points that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.base.outcomes import NOT_LEARNT, RIGHT, WRONG
from app.base.theme import GREY, PETROFF, task_colour, task_symbol
from app.figures.names import listed

COLOURS = ("Task", "Class", "Top-1 adapter", "Prediction", "Entropy")
MOST_CLASSES = 9
"""Classes with a colour of their own, the most frequent; the others share one."""
ADAPTER = "adapter "
"""Begins the name of a group of an adapter."""
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "cross",
    "pentagon",
    "hexagon",
    "star",
)
"""Of classes: their colours are also those of tasks, their shapes are not."""


@dataclass(frozen=True)
class Group:
    """Points that look alike.

    Attributes:
        name: in the legend.
        rows: (n,) which points.
        colour: of all of them, or (n,) values on a scale.
        symbol: as plotly names it.
        faint: whether they stand back.
    """

    name: str
    rows: NDArray[np.int64]
    colour: str | NDArray[np.float64]
    symbol: str = "circle"
    faint: bool = False


def legend(alike: Sequence[Group]) -> list[str]:
    """What the legend calls them."""
    names = listed([group.name.removeprefix(ADAPTER) for group in alike])
    return [
        ADAPTER + name if group.name.startswith(ADAPTER) else name
        for name, group in zip(names, alike, strict=True)
    ]


def groups(points: pd.DataFrame, mode: str, highlight: int | None) -> list[Group]:
    """Every point once; those of tasks that are not learnt yet stand back.

    Args:
        points: from `app.map.points.table`.
        mode: one of COLOURS.
        highlight: index of a task that stands out; None for none.
    """
    learnt = points["learnt"].to_numpy()
    task_indices = points["task_index"].to_numpy()
    if mode == "Task":
        return [
            Group(
                points["task"].iloc[np.flatnonzero(task_indices == index)[0]],
                np.flatnonzero(task_indices == index),
                task_colour(int(index)) if learnt[task_indices == index].any() else GREY,
                task_symbol(int(index)),
                highlight not in (None, int(index)) or not learnt[task_indices == index].any(),
            )
            for index in np.unique(task_indices)
        ]
    if mode == "Class":
        coloured = _by_class(points, learnt)
    elif mode == "Top-1 adapter":
        chosen = points["adapter_index"].to_numpy()
        coloured = [
            Group(
                f"{ADAPTER}{points['adapter'].iloc[np.flatnonzero(chosen == index)[0]]}",
                np.flatnonzero(chosen == index),
                task_colour(int(index)),
                task_symbol(int(index)),
            )
            for index in np.unique(chosen[chosen >= 0])
        ]
    elif mode == "Prediction":
        answer = points["answer"].to_numpy()
        learnt = (
            answer != NOT_LEARNT
        )  # rows that are held out may have labels that cannot be answered
        coloured = [
            Group(RIGHT, np.flatnonzero(answer == RIGHT), PETROFF[0]),
            Group(WRONG, np.flatnonzero(answer == WRONG), PETROFF[2], "x"),
        ]
    else:
        learnt_rows = np.flatnonzero(learnt)
        coloured = [Group("learnt tasks", learnt_rows, points["entropy"].to_numpy()[learnt_rows])]
    later = Group(NOT_LEARNT, np.flatnonzero(~learnt), GREY, "circle", faint=True)
    return [group for group in [later, *coloured] if len(group.rows)]


def _by_class(points: pd.DataFrame, learnt: NDArray[np.bool_]) -> list[Group]:
    classes = points["class"].to_numpy()
    often = list(points.loc[learnt, "class"].value_counts().index[:MOST_CLASSES])
    frequent = [
        Group(name, np.flatnonzero(learnt & (classes == name)), PETROFF[index], symbol)
        for index, (name, symbol) in enumerate(zip(sorted(often), SYMBOLS, strict=False))
    ]
    others = np.flatnonzero(learnt & ~np.isin(classes, often))
    return [*frequent, Group("other classes", others, GREY, "circle-open")]
