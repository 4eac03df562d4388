"""The frame around every page: workspace and run, the stage, the task strip, jobs, the link, the mode."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.base import links, styles, theme, theme_changes
from app.base.navigation import STAGED
from app.data.runs import (
    WorkspaceName,
    workspace,
)
from app.data.view import View
from app.shell import not_found, run_menu, run_notes
from app.shell import stage as stages
from app.shell.not_found import NotFound
from app.shell.sharing import is_guest
from cl_core.jobs.job import ACTIVE
from cl_core.jobs.queue import Jobs


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
    workspace_name, run, gone = run_menu.choose(page)
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
    theme_changes.follow(look)
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
    if any(job.state in ACTIVE for job in Jobs(workspace("Mine")).all()):
        _watch(workspace_name)
    else:
        _show_badge(workspace_name)


def _show_badge(workspace_name: WorkspaceName) -> None:
    jobs = Jobs(workspace("Mine"))
    if not is_guest():
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


KEPT_BY_RESET = (
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
        run_menu.RUN_OF,
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
        if name not in KEPT_BY_RESET:
            del st.session_state[name]
