"""The frame around every page: workspace and run, the stage, the task strip, jobs, the link, the mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.base import links, styles, theme
from app.base.navigation import STAGED
from app.data.runs import (
    WORKSPACE_NAMES,
    WorkspaceName,
    ending,
    first_run,
    first_workspace,
    run_names,
    unreadable,
    workspace,
)
from app.data.view import View
from app.shell import not_found, own_copy, run_notes
from app.shell import stage as stages
from app.shell.not_found import NotFound
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import RunFolder

RUN_OF = "run-of"
"""In the session: the workspace whose runs the menu had the last time."""


def sidebar(page: str) -> tuple[WorkspaceName, RunFolder | None, NotFound | None]:
    """Which workspace and run: as the address says where one was followed, else as it was; or what is not here.

    Args:
        page: name of the page that will run.
    """
    asked = st.session_state.get(links.ASKED)
    wanted = (asked or {}).get("run") or None
    if (
        "first_workspace" not in st.session_state
    ):  # once: a menu's default may not change under a visitor
        st.session_state["first_workspace"] = first_workspace()
    where = (asked or {}).get("ws")
    if where is None and wanted is not None:  # a link that somebody wrote by hand
        where = next(
            (candidate for candidate in WORKSPACE_NAMES if wanted in run_names(candidate)), None
        )
    before = st.session_state.get("ws")
    _settle("ws", WORKSPACE_NAMES, where, st.session_state["first_workspace"])
    with st.sidebar:
        workspace_name: WorkspaceName = (
            st.segmented_control(
                "Workspace", WORKSPACE_NAMES, required=True, key="ws", width="stretch"
            )
            or first_workspace()
        )
        if workspace_name == "Demonstration":
            own_copy.offer()
        names = run_names(workspace_name)
        gone = _gone(workspace_name, names, asked, before)
        # Where there is nothing to choose from, whatever comes next is shown.
        st.session_state[not_found.ASKED] = (
            (workspace_name, gone) if gone is not None and names else None
        )
        if not names:
            st.caption(
                "No run here that can be read."
                if unreadable(workspace_name)
                else "No run here yet."
            )
            return workspace_name, None, gone
        if gone is None:
            # The run of the other workspace is no mistake of anybody's: this one's first is shown.
            _settle("run", names, wanted, first_run(workspace_name, names))
        else:
            st.session_state["run"] = None
        runs = {name: workspace(workspace_name).find(name) for name in names}
        labels = {name: ending(run).label(name) for name, run in runs.items()}
        name = st.selectbox(
            "Run",
            names,
            index=None,
            placeholder="Choose a run",
            key="run",
            format_func=lambda name: labels[name],
        )
        st.session_state[RUN_OF] = workspace_name
        if name is None:
            return workspace_name, None, gone
        if page not in STAGED:
            run_notes.draw(runs[name], beside_numbers=False)
        return workspace_name, runs[name], None


def _gone(
    workspace_name: WorkspaceName,
    names: Sequence[str],
    asked: dict[str, str] | None,
    before: str | None,
) -> NotFound | None:
    """What the address names, or was looked at until now, and is not here; None once something is chosen instead."""
    if asked is not None:
        where, wanted = asked.get("ws"), asked.get("run") or None
        if where is not None and where not in WORKSPACE_NAMES:
            return not_found.of_workspace(where, asked)
        return (
            None if wanted is None or wanted in names else not_found.of_run(workspace_name, wanted)
        )
    now, kept = st.session_state.get("run"), st.session_state.get(not_found.ASKED)
    if now is None and kept is not None and kept[0] == workspace_name:
        gone: NotFound = kept[1]
        return (
            gone
            if gone.address.get("run") not in names or gone.address["ws"] != workspace_name
            else None
        )
    if (
        now is not None
        and now not in names
        and st.session_state.get(RUN_OF) == workspace_name == before
    ):
        return not_found.of_run(workspace_name, now)  # removed while it was looked at
    return None


def _settle(key: str, options: Sequence[str], asked: str | None, default: str) -> None:
    """Gives a menu what is asked for, else what it has, else its default, of what there is."""
    now = asked if asked in options else st.session_state.get(key)
    st.session_state[key] = now if now in options else default


@dataclass(frozen=True)
class _Frame:
    """What the entry point has drawn around a page.

    Attributes:
        view: what is being looked at.
        title: where the page's title goes.
        link: where the link to what is shown goes.
        gone: what the address names and is not here.
    """

    view: View
    title: DeltaGenerator
    link: DeltaGenerator
    gone: NotFound | None


def surround(page: str) -> None:
    """Draws the frame, in the entry point, before the page itself runs.

    It must be there: widgets of the entry point belong to all pages, and stay while pages change.

    Args:
        page: name of the page that will run, as in addresses.
    """
    workspace_name, run, gone = sidebar(page)
    look = theme.look()
    asked = st.session_state.pop(links.ASKED, None)
    if asked is not None:
        st.session_state["lesson"] = asked.get("lesson") == "true"
    with st.sidebar:
        stage = stages.choose(workspace_name, run, asked)
        lesson = st.toggle(
            "Explain as I go",
            key="lesson",
            help="Lesson: every figure says how to read it. Lab: figures and numbers only.",
        )
        shown = {"ws": workspace_name, "run": stage.of[1], "after": stage.after, "task": stage.task}
        if stage.gone is not None:
            shown[stage.gone[0]] = stage.gone[1]
        if gone is not None:
            shown |= gone.address
        shown["lesson"] = "true" if lesson else None
        st.session_state[links.SHOWN] = {name: value for name, value in shown.items() if value}
        _job_badge(workspace_name)
        with st.container(horizontal=True):
            link = _copy_link()
            st.button(
                "Reset", on_click=_reset, icon=":material/restart_alt:", help="Reset the view"
            )
            st.button(
                "Present",
                on_click=_present,
                icon=":material/slideshow:",
                help="Larger type and no navigation; in Learn the arrow keys go to the next step",
            )
    st.html(styles.sheet(look))
    if theme.presenting():
        st.html(styles.PRESENTED)
    st.html(f"<style>html {{font-size: {theme.text_size()}px !important}}</style>")
    title = st.container()
    if run is not None and page in STAGED:
        run_notes.draw(run, beside_numbers=True)
    task = None
    if gone is None and stage.gone is not None:
        gone = not_found.of_task(stage.gone[1], stage.names, stage.gone[0])
    if stage.names and gone is None and page in STAGED:
        stages.draw(stage)
        task = None if stage.task is None else stage.names.index(stage.task)
    view = View(
        workspace_name,
        run,
        stage.number if page in STAGED else len(stage.names),
        task,
        look,
        lesson,
    )
    st.session_state["frame"] = _Frame(view, title, link, gone)


def says_what_is_missing(page: str, title: str) -> bool:
    """Says what the address names and is not here; whether that is all that is to be on the page.

    Args:
        page: its name, as in addresses.
        title: what it is called, where nothing else of it is shown.
    """
    gone = st.session_state["frame"].gone
    if gone is None:
        return False
    alone = page in STAGED and bool(gone.choices)
    if alone:
        draw(title)
    gone.draw(page)
    return alone


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
    staged = st.session_state["page"] in STAGED
    shown: dict[str, str] = st.session_state[links.SHOWN]
    links.write({k: value for k, value in shown.items() if staged or k not in ("after", "task")})
    show_link()
    if theme.presenting():
        st.button(
            "End presentation",
            on_click=_end_presentation,
            type="tertiary",
            icon=":material/close_fullscreen:",
        )


@st.fragment(run_every=2)
def _watch(workspace_name: WorkspaceName) -> None:
    _show_badge(workspace_name)


def _job_badge(workspace_name: WorkspaceName) -> None:
    """What is being trained; polled only while something is."""
    if any(job.state in ("queued", "running") for job in Jobs(workspace("Mine")).all()):
        _watch(workspace_name)
    else:
        _show_badge(workspace_name)


def _show_badge(workspace_name: WorkspaceName) -> None:
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
        query_params=links.carried(ws="Mine"),
    )


def _copy_link() -> DeltaGenerator:
    """The address restores the view; the browser's own clipboard is asked. Returns the link's place."""
    with st.popover("Link", icon=":material/link:"):
        st.caption("This address restores what you see:")
        return st.empty()


def _present() -> None:
    st.query_params["present"] = "1"


def _end_presentation() -> None:
    st.query_params.pop("present", None)


KEPT = (
    *(
        "pages",
        "page",
        "frame",
        "first_workspace",
        "ws",
        "run",
        "lesson",
        "text",
        "text_size",
        "received",
    ),
    *(
        RUN_OF,
        not_found.ASKED,
        links.SHOWN,
        links.READ,
        links.WRITTEN,
        links.PINS_READ,
        links.PINS_WRITTEN,
    ),
)
"""In the session: what *Reset* leaves as it is."""


def _reset() -> None:
    """Back to what a link to this page alone would show; the workspace and the run stay."""
    for name in list(st.session_state):
        if name not in KEPT:
            del st.session_state[name]
