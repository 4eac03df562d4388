"""The menus of workspace and run: as a link asks, else as they were; and what a link names that is not here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.base import links
from app.base.navigation import STAGED
from app.data.runs import (
    WORKSPACE_NAMES,
    WorkspaceName,
    first_run,
    first_workspace,
    labels,
    readable,
    run_names,
    unreadable,
    workspace,
)
from app.shell import not_found, own_copy, run_notes
from app.shell.not_found import NotFound
from cl_core.runs.run_folder import RunFolder

RUN_OF = "run-of"
"""In the session: the workspace whose runs the menu had the last time."""


def choose(page: str) -> tuple[WorkspaceName, RunFolder | None, NotFound | None]:
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
        listed = readable(workspace_name)
        names = list(listed)
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
        titles = labels(workspace_name, listed)
        name = st.selectbox(
            "Run",
            names,
            index=None,
            placeholder="Choose a run",
            key="run",
            format_func=lambda name: titles[name],
        )
        st.session_state[RUN_OF] = workspace_name
        if name is None:
            return workspace_name, None, gone
        run = workspace(workspace_name).find(name)
        if page not in STAGED:
            run_notes.draw(run, beside_numbers=False)
        return workspace_name, run, None


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
