"""What stands around every page: workspace and run, the stage, the task strip, jobs, the link, the mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import links, own_copy, styles, theme
from app.runs import PLACES, Place, first_place, report, run_names, workspace
from app.text import plain
from cl_core.lab.jobs import Jobs
from cl_core.lab.report import Report
from cl_core.lab.workspace import RunFolder


@dataclass(frozen=True)
class View:
    """What this visitor looks at.

    Attributes:
        place: which workspace.
        run: the run, or None where there is none yet.
        after: the stage, from 1: how many tasks have been learnt.
        task: the place of the highlighted task, from 0, or None.
        look: the theme's colours.
        lesson: whether explanations are shown at length.
    """

    place: Place
    run: RunFolder | None
    after: int
    task: int | None
    look: theme.Look
    lesson: bool

    @property
    def report(self) -> Report:
        """The run's numbers.

        Raises:
            ValueError: there is no run.
        """
        if self.run is None:
            raise ValueError("there is no run to report on")
        return report(self.run)

    @property
    def tasks(self) -> list[str]:
        """Names of the run's tasks."""
        return self.report.tasks if self.run is not None else []


def sidebar() -> tuple[Place, RunFolder | None]:
    """Which workspace and run."""
    _keep_valid("ws", PLACES)
    if (
        "first_place" not in st.session_state
    ):  # once: a menu's default may not change under a visitor
        st.session_state["first_place"] = first_place()
    with st.sidebar:
        place: Place = st.segmented_control(
            "Workspace",
            PLACES,
            default=st.session_state["first_place"],
            required=True,
            key="ws",
            bind="query-params",
            width="stretch",
        )
        if place == "Demonstration":
            own_copy.offer()
        names = run_names(place)
        # Where the workspace has just been changed, the run of the other one is no mistake of the link's.
        moved = st.session_state.get("place", place) != place
        st.session_state["place"] = place
        asked = None if moved else st.session_state.get("run", st.query_params.get("run"))
        _keep_valid("run", names)
        if asked is not None and asked not in names:
            st.warning(
                f"There is no run {plain(asked)} in this workspace.", icon=":material/link_off:"
            )
        if not names:
            st.caption("No run here yet.")
            return place, None
        name = st.selectbox("Run", names, key="run", bind="query-params")
        return place, workspace(place).find(name)


STAGED = ("map", "routing", "sample", "forgetting")
"""Pages that obey the stage and the highlighted task; the others have no slider and no strip."""


@dataclass(frozen=True)
class _Frame:
    """What the entry point has drawn around a page.

    Attributes:
        view: what is being looked at.
        title: where the page's title goes.
        link: where the link to what is shown goes.
    """

    view: View
    title: DeltaGenerator
    link: DeltaGenerator


def surround(page: str) -> None:
    """Draws the frame, in the entry point, before the page itself runs.

    It must be there: on the way to another page Streamlit takes out of the address whatever belongs to a widget of the
    page that is left, even if the link names it. Widgets of the entry point belong to all pages.

    Args:
        page: name of the page that will run, as in addresses.
    """
    place, run = sidebar()
    look = theme.look()
    with st.sidebar:
        lesson = st.toggle(
            "Explain as I go",
            key="lesson",
            bind="query-params",
            help="Lesson: every figure says how to read it. Lab: figures and numbers only.",
        )
        _job_badge(place)
        with st.container(horizontal=True):
            link = _copy_link()
            st.button(
                "Reset", on_click=_reset, icon=":material/restart_alt:", help="Reset the view"
            )
            st.button(
                "Present",
                on_click=_present,
                args=(True,),
                icon=":material/slideshow:",
                help="Larger type and no navigation; in Learn the arrow keys go to the next step",
            )
    st.html(styles.sheet(look))
    if theme.presenting():
        st.html(styles.PRESENTED)
    st.html(f"<style>html {{font-size: {theme.text_size()}px !important}}</style>")
    title = st.container()
    after, task = _stage(run) if run is not None and page in STAGED else (None, None)
    if after is None:
        after = 0 if run is None else len(report(run).tasks)
    view = View(place, run, after, task, look, lesson)
    st.session_state["frame"] = _Frame(view, title, link)


def draw(title: str) -> View:
    """Puts the page's title into the frame and returns what is being looked at.

    Args:
        title: of the page.
    """
    frame: _Frame = st.session_state["frame"]
    frame.title.title(title)
    return frame.view


def show_link() -> None:
    """Fills in the link; again by a part of a page that is drawn anew by itself."""
    frame: _Frame = st.session_state["frame"]
    frame.link.code(links.address(), language=None)


def finish() -> None:
    """Fills in the link, after the page has run: only now the address says what its widgets show.

    Below the page, when presenting, is the way back.
    """
    show_link()
    if theme.presenting():
        st.button(
            "End presentation",
            on_click=_present,
            args=(False,),
            type="tertiary",
            icon=":material/close_fullscreen:",
        )


def _stage(run: RunFolder) -> tuple[int, int | None]:
    """The stage shown, from 1, and the highlighted task."""
    names = [theme.numbered(place, name) for place, name in enumerate(report(run).tasks)]
    _keep_valid("after", names)
    _keep_valid("task", names)
    after = names[-1]
    if len(names) > 1:
        after = st.select_slider(
            "After task",
            names,
            value=after,
            key="after",
            bind="query-params",
            help="Everything below is shown as it was after this task had been learnt.",
        )
    return 1 + names.index(after), _task_strip(names)


def _keep_valid(key: str, options: Sequence[str]) -> None:
    """Forgets what is no option here, such as a task that another run has."""
    if st.session_state.get(key) is not None and st.session_state[key] not in options:
        del st.session_state[key]


def _task_strip(names: list[str]) -> int | None:
    """Chips with number, colour and name; a click highlights a task in every figure."""
    rules = "".join(
        f".st-key-task button:nth-of-type({place + 1})::before {{content: ''; display: inline-block; width: .7em; "
        f"height: .7em; margin-right: .45em; border-radius: {'50%' if place < 10 else '0'}; background: "
        f"{theme.task_colour(place) if place < 10 else 'transparent'}; border: 2px solid {theme.task_colour(place)}}}"
        for place in range(len(names))
    )
    st.html(f"<style>{rules}</style>")
    chosen = st.pills("Tasks", names, key="task", bind="query-params", label_visibility="collapsed")
    return None if chosen is None else names.index(chosen)


@st.fragment(run_every=2)
def _watch(place: Place) -> None:
    _show_badge(place)


def _job_badge(place: Place) -> None:
    """What is being trained; polled only while something is."""
    if any(job.state in ("queued", "running") for job in Jobs(workspace("Mine")).all()):
        _watch(place)
    else:
        _show_badge(place)


def _show_badge(place: Place) -> None:
    jobs = Jobs(workspace("Mine"))
    jobs.wake()
    states = [job.state for job in jobs.all()]
    running, queued = states.count("running"), states.count("queued")
    words = f"{running} training, {queued} waiting" if running or queued else "Nothing is training"
    icon = ":material/model_training:" if running else ":material/check_circle:"
    st.page_link(
        st.session_state["pages"]["train"],
        label=words,
        icon=icon,
        query_params=links.carried(ws="Mine", run=None),
    )


def _copy_link() -> DeltaGenerator:
    """The address restores the view; the browser's own clipboard is asked. Returns the link's place."""
    with st.popover("Link", icon=":material/link:"):
        st.caption("This address restores what you see:")
        return st.empty()


def _present(on: bool) -> None:
    if on:
        st.query_params["present"] = "1"
    else:
        st.query_params.pop("present", None)


def _reset() -> None:
    """Back to what a link to this page alone would show; the workspace and the run stay."""
    for name in list(st.session_state):
        if name not in (
            "pages",
            "page",
            "frame",
            "place",
            "first_place",
            "ws",
            "run",
            "lesson",
            "text",
            "text_size",
        ):
            del st.session_state[name]
