"""A copy of the demonstration, which is read-only, in a workspace of the visitor's own, to work with."""

from __future__ import annotations

import streamlit as st

from app.base.escaped_text import plain
from app.data.runs import run_names, workspace
from app.serving.rights import check_host
from app.shell.sharing import is_guest
from cl_core.archive.copy import CopyResult, copy_runs, is_copied
from cl_core.errors import AdapterLabError, counted
from cl_core.system_faults import explained

SAID = "copied"
"""In the session: what the last copy said, shown once."""


def offer() -> None:
    """What read-only means, and the button; under the menu of workspaces."""
    st.caption(":material/lock: Read-only: look at everything, nothing here can change.")
    if is_guest():
        return
    here = all_here()
    st.button(
        "Go to my copy" if here else "Work with a copy",
        key="copy",
        icon=":material/arrow_forward:" if here else ":material/content_copy:",
        on_click=_go,
        help="Copies these runs into your own workspace, where you may go on with them. "
        "Nothing that is yours is overwritten.",
    )
    said = st.session_state.pop(SAID, None)
    if said is not None:
        st.warning(plain(said), icon=":material/content_copy:")


def all_here() -> bool:
    """Whether every bundled run is in the visitor's workspace, or one of that name."""
    names, mine = run_names("Demonstration"), workspace("Mine")
    return bool(names) and all(mine.run(name).exists for name in names)


def ensure() -> CopyResult:
    """Copies what is not there yet; asked again, it does nothing.

    Raises:
        UserError: the visitor's workspace is read-only.
        OSError: the disk's answer.
    """
    check_host()
    return copy_runs(workspace("Demonstration"), workspace("Mine"), run_names("Demonstration"))


def ensure_run(name: str) -> bool:
    """Copies the demonstration where this run of it is missing; whether the visitor's workspace has the very run.

    Raises:
        UserError, OSError: as `ensure`.
    """
    source, mine = workspace("Demonstration").find(name), workspace("Mine")
    if not is_copied(source, mine):
        ensure()
    return is_copied(source, mine)


def _go() -> None:
    """Copies, and turns to the copy of the run that is looked at."""
    try:
        done = ensure()
    except (AdapterLabError, OSError, MemoryError) as error:
        st.session_state[SAID] = f"It could not be copied: {explained(error) or error}"
        return
    st.session_state["ws"] = "Mine"
    if done.kept:
        names = ", ".join(done.kept)
        st.toast(
            plain(f"You have runs of your own called {names}: they stay, and were not copied.")
        )
    elif done.copied:
        st.toast(f"{counted(len(done.copied), 'run')} copied into your workspace.")
