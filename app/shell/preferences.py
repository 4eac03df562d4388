"""What this lab is set to, for every visitor and until it is changed: kept as `preferences.json` in the workspace."""

from __future__ import annotations

import os

import streamlit as st

from app.data.runs import workspace
from app.serving.rights import check_host
from app.shell.sharing import is_guest
from cl_core.bounded_files import read_json
from cl_core.errors import AdapterLabError
from cl_core.limits import TooLarge
from cl_core.store import write_json
from cl_core.system_faults import explained

OFFLINE_VARIABLE = "HF_HUB_OFFLINE"
"""The hub's own switch; jobs and workers inherit it from the server."""
FILE = "preferences.json"
REFUSED = "offline-refused"
"""In the session: why the switch could not be turned."""


def offline() -> bool:
    """Whether jobs that are started now may not ask the hub."""
    return os.environ.get(OFFLINE_VARIABLE, "").upper() in ("1", "ON", "YES", "TRUE")


def set_offline(on: bool) -> None:
    """Sets it for those servers to come and then for this one: for none where it cannot be kept.

    Raises:
        GuestRefused: a guest asked.
        UserError, OSError: it cannot be written.
    """
    check_host()
    root = workspace("Mine").root
    root.mkdir(parents=True, exist_ok=True)
    write_json(root / FILE, {"offline": on})
    if on:
        os.environ[OFFLINE_VARIABLE] = "1"
    else:
        os.environ.pop(OFFLINE_VARIABLE, None)


def take_offline() -> None:
    """What the switch of this name says, which was just turned; what fails is kept for `refusal`.

    Handlers are carried out before the page, where no banner is.
    """
    st.session_state.pop(REFUSED, None)
    if is_guest():
        return
    try:
        set_offline(bool(st.session_state["offline"]))
    except (AdapterLabError, OSError, MemoryError) as error:
        st.session_state[REFUSED] = explained(error) or str(error)


def refusal() -> str:
    """Why the switch could not be turned, said once; "" where it was."""
    return str(st.session_state.pop(REFUSED, ""))


@st.cache_resource(show_spinner=False)
def restore() -> None:
    """Once for each server: what was set before. A server that was started offline stays so."""
    try:
        kept = read_json(workspace("Mine").root / FILE)
    except (OSError, ValueError, TooLarge):
        return
    if isinstance(kept, dict) and kept.get("offline") is True:
        os.environ[OFFLINE_VARIABLE] = "1"
