"""What an address names and is not found: said on the page itself, with what is here to choose from.

Nothing else is shown in its place, and the address stays as it is until something is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from app.base import links
from app.base.escaped_text import plain
from app.data.runs import WORKSPACE_NAMES, WorkspaceName, run_names, unreadable

MOST_LINKS = 12
ASKED = "absent"
"""In the session: what was asked for and is not here, until something else is chosen."""


@dataclass(frozen=True)
class NotFound:
    """Something that is not here.

    Attributes:
        message: what, and what to do.
        choices: what is here, each with what an address says of it.
        address: what the address goes on saying of the frame.
        menu: whether a menu at the left has all that is here: the first are then enough.
    """

    message: str
    choices: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    address: Mapping[str, str] = field(default_factory=dict)
    menu: bool = False

    def draw(self, page: str) -> None:
        """On the page of this name."""
        st.warning(plain(self.message), icon=":material/link_off:")
        names = list(self.choices)
        shown = names[:MOST_LINKS] if self.menu else names
        with st.container(horizontal=True):
            for name in shown:
                st.page_link(
                    st.session_state["pages"][page],
                    label=plain(name),
                    icon=":material/arrow_forward:",
                    query_params=links.carried(**self.choices[name]),
                )
        if len(names) > len(shown):
            st.caption(f"The menu at the left has all {len(names)}.")


def of_workspace(wanted: str, asked: Mapping[str, str]) -> NotFound:
    """There is no such workspace."""
    return NotFound(
        f"There is no workspace {wanted}; there are {' and '.join(WORKSPACE_NAMES)}. Choose one of these.",
        {name: {"ws": name, "run": None, "after": None, "task": None} for name in WORKSPACE_NAMES},
        {name: asked[name] for name in ("ws", "run") if name in asked},
    )


def of_run(workspace_name: WorkspaceName, wanted: str) -> NotFound:
    """There is no such run in the workspace, or it cannot be read."""
    why = unreadable(workspace_name).get(wanted)
    said = (
        f"There is no run {wanted} in the workspace {workspace_name}."
        if why is None
        else f"The run {wanted} cannot be read: {why}."
    )
    names = run_names(workspace_name)
    todo = "Choose one of these." if names else "There is none here yet: train one first."
    whole = {"ws": workspace_name, "after": None, "task": None}
    return NotFound(
        f"{said} {todo}",
        {name: {**whole, "run": name} for name in names},
        {"ws": workspace_name, "run": wanted} if names else {},
        menu=True,
    )


def of_task(wanted: str, names: tuple[str, ...], which: str) -> NotFound:
    """The run has no such task, of which it is the stage ("after") or which is highlighted ("task")."""
    return NotFound(
        f"This run has no task {wanted}. Choose one of its own, or the run as a whole.",
        {
            "The whole run": {"after": None, "task": None},
            **{name: {"after": None, "task": None, which: name} for name in names},
        },
    )


def unknown(key: str, exists: bool) -> bool:
    """Whether the address asks a menu of the page for what is not here; not so where the page itself removed it.

    Args:
        key: the menu's, and its name in addresses.
        exists: whether there is what the address names.
    """
    asked, kept = st.query_params.get(key), f"{ASKED}-{key}"
    gone = asked is not None and not exists
    gone = gone and (
        st.session_state.get(links.TURNED, False) or st.session_state.get(kept) == asked
    )
    st.session_state[kept] = asked if gone else None
    return gone


def of_page(
    page: str, key: str, kind: str, wanted: str, options: Sequence[str], **others: str
) -> None:
    """Says that something that a menu of the page is to show is not here, in place of the menu.

    Args:
        page: as in addresses.
        key: the menu's, and its name in addresses.
        kind: what there is none of, with what is to be said of where: "stream {} here".
        wanted: what the address asks for.
        options: what there is.
        others: what else a link to one of them says.
    """
    st.session_state.pop(key, None)
    todo = "Choose one of these." if options else "There is none."
    said = kind.format(f"'{wanted}'")
    NotFound(f"{said} {todo}", {name: {**others, key: name} for name in options}).draw(page)
