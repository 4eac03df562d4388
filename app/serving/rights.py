"""Whether this visitor may change anything: asked where something is written, whatever was or was not on the screen."""

from __future__ import annotations

import os
import threading

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.serving.visitors import Role
from cl_core.errors import UserError
from cl_core.runs.variables import JOIN_CODE
from cl_core.store.folder_index import ask_before_writing

ROLE = "role"
"""In `st.user`, from the gate's header."""
_BEHIND_GATE = threading.Event()


class GuestRefused(UserError):
    """A guest asked for what only the host may do."""


def stand_behind_gate() -> None:
    """Says that every visitor of this process comes through the gate; what guests see is written down by nobody."""
    _BEHIND_GATE.set()
    ask_before_writing(lambda: role() == "host")


def role() -> Role:
    """What this visitor may do. Behind the gate nobody is the host whom it does not say so of.

    Without it, as in `streamlit run app/main.py`, the lab is not shared, and its one visitor is the host.
    """
    if _BEHIND_GATE.is_set():
        if get_script_run_ctx(suppress_warning=True) is None:  # a thread of the server's own
            return "guest"
        return "host" if st.user.get(ROLE) == "host" else "guest"
    return "guest" if os.environ.get(JOIN_CODE) else "host"


def check_host() -> None:
    """Refuses whoever is not the host; the first line of whatever writes, starts, stops or removes.

    Raises:
        GuestRefused: a guest asked.
    """
    if role() != "host":
        raise GuestRefused(
            "Guests have read-only access: whoever shares this lab can do this, nothing was changed"
        )
