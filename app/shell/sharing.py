"""Hosts and guests of a lab that is shared: guests type a code, look, and change nothing."""

from __future__ import annotations

import hmac
import os
import time

import streamlit as st

from cl_core.runs.variables import JOIN_CODE

LOCAL = ("127.0.0.1", "::1", None)
"""Streamlit gives None for a visitor on the server's own machine."""
MOST_TRIES, WITHIN_SECONDS = 20, 60.0
"""Wrong codes of all guests together, before everybody has to wait."""


def is_guest() -> bool:
    """Whether this visitor came over the network."""
    return bool(os.environ.get(JOIN_CODE)) and st.context.ip_address not in LOCAL


def admit() -> None:
    """Asks a guest for the code before anything else is shown."""
    code = os.environ.get(JOIN_CODE, "")
    if not is_guest() or st.session_state.get("admitted"):
        return
    st.title("Adapter Lab")
    wrong = [moment for moment in _wrong() if time.monotonic() - moment < WITHIN_SECONDS]
    _wrong()[:] = wrong
    if len(wrong) >= MOST_TRIES:
        st.error("Too many wrong codes. Wait a minute, and ask for the code again.")
        st.stop()
    said = st.text_input("Code", type="password", help="Whoever shares this lab sees it.")
    if said and hmac.compare_digest(said.strip().encode(), code.encode()):
        st.session_state["admitted"] = True
        st.rerun()
    if said:
        _wrong().append(time.monotonic())
        st.error("That is not the code.")
    st.stop()


@st.cache_resource
def _wrong() -> list[float]:
    """Moments of wrong codes: one list for the whole server, so that reloading the page does not help."""
    return []
