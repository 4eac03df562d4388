"""Colours and shapes: of tasks, of scores, of differences; light and dark.

Task colours are Petroff's ten (arXiv 2107.02270), told apart also under colour blindness; tasks 11 to 20 have the same
ten with an open diamond, later ones are grey. A task's number stands beside its colour everywhere: no state is said by
colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

PETROFF = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
GREY = "#a8aeb8"
FONT = "Source Sans, Source Sans Pro, sans-serif"

ACCURACY = "Cividis"
"""Accuracies, always from 0 to 100."""
DIVERGING = {
    "light": [
        [0.0, "#b2182b"],
        [0.25, "#ef8a62"],
        [0.5, "#f7f7f7"],
        [0.75, "#67a9cf"],
        [1.0, "#2166ac"],
    ],
    "dark": [
        [0.0, "#ff8a7a"],
        [0.25, "#a8423c"],
        [0.5, "#1a212b"],
        [0.75, "#35699c"],
        [1.0, "#86c1f7"],
    ],
}
"""Differences, symmetric around 0: losses red, gains blue."""
NOTHING = {"light": "#c3c9d2", "dark": "#59636f"}
"""Differences that are nothing beyond chance: grey, which is none of the colours above."""


@dataclass(frozen=True)
class Look:
    """What figures need to know of the theme.

    Attributes:
        name: "light" or "dark".
        text: colour of text and lines.
        faint: of grids and borders.
        paper: of the background.
        size: of text, in pixels.
    """

    name: str
    text: str
    faint: str
    paper: str
    size: int = 14

    @property
    def diverging(self) -> list[list[object]]:
        """The colour scale of differences."""
        return DIVERGING[self.name]


LIGHT = Look("light", "#1b2430", "#d4dae3", "#ffffff")
DARK = Look("dark", "#e8edf4", "#3a4554", "#11161d")


TEXT_SIZES = {"Normal": 16, "Large": 19, "Largest": 22}
"""Pixels of a page's text, as a visitor chooses it; figures have two less."""


PRESENTED = 21
"""Pixels at least when presenting: Streamlit's small text has 7/8 of it, and 18 must be read from the last row."""


def presenting() -> bool:
    """Whether the link asks for `present=1`: no navigation, larger type."""
    return st.query_params.get("present") == "1"


def chosen_size() -> str:
    """The name of the text size that this visitor chose under Settings, in this session or by the link."""
    chosen = (
        st.session_state.get("text")
        or st.session_state.get("text_size")
        or st.query_params.get("text")
    )
    return str(chosen) if chosen in TEXT_SIZES else next(iter(TEXT_SIZES))


def text_size() -> int:
    """Pixels of a page's text; more when presenting."""
    pixels = TEXT_SIZES[chosen_size()]
    return max(pixels, PRESENTED) if presenting() else pixels


def look() -> Look:
    """The theme that this visitor's browser shows."""
    plain = DARK if st.context.theme.type == "dark" else LIGHT
    return Look(plain.name, plain.text, plain.faint, plain.paper, max(text_size() - 2, 14))


def task_colour(index: int) -> str:
    """Of the task at this index, from 0."""
    return PETROFF[index % len(PETROFF)] if index < 2 * len(PETROFF) else GREY


def task_symbol(index: int) -> str:
    """Its marker, as plotly names it."""
    return "circle" if index < len(PETROFF) else "diamond-open"


def numbered(index: int, name: str) -> str:
    """What a task is called wherever it is shown: number and name."""
    return f"{index + 1} {name}"
