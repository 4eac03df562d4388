"""Pieces that pages are made of: a chart with all that belongs under it, numbers, empty states."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from app.base.escaped_text import as_label, plain
from app.base.styles import MENU, box
from app.data.runs import WorkspaceName, ending, scored, unreadable
from app.data.view import View
from app.figures import picture_files, standalone
from app.figures.base import least_width
from app.shell import downloads
from cl_core.evaluate.statistics import MINUS
from cl_core.jobs.job import ACTIVE
from cl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from pandas.io.formats.style import Styler

Way = Literal["points", "box", "lasso"]
"""In which samples are chosen on a figure."""
MOST_STYLED = 5000
"""Cells of a table whose minus signs are written: larger ones take too long."""
PLOTLY = {
    "displaylogo": False,
    "toImageButtonOptions": {"format": "svg"},
    "modeBarButtonsToRemove": ["autoScale2d"],
}


@dataclass(frozen=True)
class About:
    """What is said of a figure or a list.

    Attributes:
        what: two sentences: what it shows, and in which direction it is good.
        source: run, stage and number of samples.
        formula: in LaTeX, for the help.
        alt: what the figure says, for those who do not see it.
    """

    what: str
    source: str
    formula: str = ""
    alt: str = ""


def chart(
    view: View,
    figure: go.Figure,
    key: str,
    about: About,
    *,
    table: pd.DataFrame,
    select: bool | tuple[Way, ...] = False,
) -> list[list[Any]]:
    """A figure, and under it: what it is, how to take it along, its numbers as a table, where they come from.

    Args:
        view: what is being looked at.
        figure: from `app.figures`.
        key: of the widget, and the name of the files.
        about: what is said of it.
        table: its numbers.
        select: whether its points can be clicked, or in which ways they are chosen: "points", "box", "lasso".

    Returns:
        The custom data of the points that are selected.
    """
    container = st.container(key=box(key, least_width(figure)))
    name, config = (
        f"figure-{key}",
        {**PLOTLY, "toImageButtonOptions": {"format": "svg", "filename": key}},
    )
    points: list[dict[str, Any]] = []
    if select:
        ways: tuple[Way, ...] = ("points",) if isinstance(select, bool) else select
        event = container.plotly_chart(
            figure,
            key=name,
            config=config,
            alt=about.alt,
            theme=None,
            on_select="rerun",
            selection_mode=ways,
        )
        points = event["selection"]["points"]
    else:
        container.plotly_chart(figure, key=name, config=config, alt=about.alt, theme=None)
    beneath(view, key, about, table=table, figure=figure)
    return [list(point["customdata"]) for point in points if "customdata" in point]


def beneath(
    view: View, key: str, about: About, *, table: pd.DataFrame, figure: go.Figure | None = None
) -> None:
    """What belongs under a figure or a list: what it is, its numbers, how to take it along, where they come from.

    Args:
        view: what is being looked at.
        key: the name of the files.
        about: what is said of it.
        table: its numbers.
        figure: where there is one.
    """
    if view.lesson:
        st.markdown(about.what)
        if about.formula:
            st.latex(about.formula)
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"{MENU}{key}"
    ):
        _menu(view, key, about, table, figure)
        st.caption(as_label(about.source))


@st.fragment
def _menu(
    view: View, key: str, about: About, table: pd.DataFrame, figure: go.Figure | None
) -> None:
    """What is made once it is opened, as most menus never are: the rest of the page stays as it is."""
    opened = st.popover(
        f"About, table, files: {key.replace('-', ' ')}",
        icon=":material/more_horiz:",
        key=f"about-{key}",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        if not view.lesson:
            st.markdown(about.what)
            if about.formula:
                st.latex(about.formula)
        if figure is not None:
            st.dataframe(readable(table), key=f"table-{key}")
        with st.container(horizontal=True, gap="small"):
            _files(view, key, table, about, figure)


def readable(table: pd.DataFrame) -> pd.DataFrame | Styler:
    """A table of figures with real minus signs, which a grid of numbers has not; a large one as it is.

    Its numbers stay numbers: they are sorted as such.
    """
    numbers = table.select_dtypes("number")
    plain_as_it_is = table.size > MOST_STYLED or not table.index.is_unique
    if plain_as_it_is or not table.columns.is_unique or not (numbers < 0).any(axis=None):
        return table
    return table.style.format(dict.fromkeys(numbers.columns, _number))


def _number(value: object) -> str:
    return "-" if value != value else f"{value:,.10g}".replace("-", MINUS)


def _files(
    view: View, key: str, table: pd.DataFrame, about: About, figure: go.Figure | None
) -> None:
    """The numbers as CSV, the figure as a page of its own and as pictures; each is made when it is asked for."""
    downloads.hold("CSV", f"csv-{key}", lambda: csv(table), f"{key}.csv", "text/csv")
    if figure is None:
        return
    downloads.hold(
        "HTML",
        f"html-{key}",
        lambda: standalone.alone(key, figure, view.look, about.alt, about.source),
        f"{key}.html",
        "text/html",
        help="The figure as a page of its own that opens offline.",
    )
    picture_files.buttons(key, view.look, about.alt, about.source)


def csv(table: pd.DataFrame) -> bytes:
    """UTF-8, with the index as its first column."""
    text = io.StringIO()
    table.to_csv(text)
    return text.getvalue().encode()


def metrics(numbers: Sequence[tuple[str, str, str]]) -> None:
    """A row of numbers: in plain words first, the number with its unit, and what it is in the help."""
    with st.container(horizontal=True):
        for label, value, meaning in numbers:
            st.metric(label, value, help=meaning, border=True)


def damaged(workspace_name: WorkspaceName) -> None:
    """Runs of the workspace that are left out of its lists, each with what cannot be read and what to do."""
    for name, fault in unreadable(workspace_name).items():
        st.warning(plain(f"{name} is left out: {fault}."), icon=":material/broken_image:")


def must_be_scored(view: View) -> RunFolder:
    """The run to look at; ends the page where there is none, or nothing of it to look at, and says why."""
    if view.run is None:
        nothing(
            "No run has been scored here yet.",
            "start",
            "Explore the demonstration",
            ws="Demonstration",
        )
        st.stop()
    if scored(view.run):
        return view.run
    said = ending(view.run)
    became = "failed" if said.status == "failed" else f"is {said.status}"
    words = f"this run {became} before anything was scored"
    if said.status in ACTIVE:
        words = "nothing of this run has been scored so far"
    nothing(
        f"**Nothing to show yet**: {words}.",
        "train",
        "See its job",
        show="Jobs",
        job=view.run.name,
    )
    st.stop()


def nothing(message: str, page: str, label: str, **parameters: Any) -> None:
    """An empty state: what is missing, and what to do next."""
    from app.base import links

    with st.container(border=True):
        st.markdown(message)
        st.page_link(
            st.session_state["pages"][page],
            label=label,
            icon=":material/arrow_forward:",
            query_params=links.carried(**parameters),
        )
