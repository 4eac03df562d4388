"""Popovers with something to do in them, which close when it has been done.

Streamlit leaves a popover open over whatever comes next. One under another key is another one, and closed: the key has
a number, which the session counts up.
"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def popover(label: str, key: str, icon: str, help: str | None = None) -> DeltaGenerator:
    """Draws its button; what is drawn within the result is in the popover.

    Args:
        label: of the button.
        key: of the popover.
        icon: of the button.
        help: of the button.
    """
    number = st.session_state.get(_name(key), 0)
    return st.popover(label, icon=icon, help=help, key=f"{key}-{number}")


def closed(key: str) -> dict[str, int]:
    """What closes it, by names in the session: for `actions.then`, or for a handler."""
    return {_name(key): st.session_state.get(_name(key), 0) + 1}


def _name(key: str) -> str:
    return f"{key}-closed"
