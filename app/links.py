"""What an address restores: `?ws=Mine&run=first&after=3+films&task=2+news`, the same names on every page.

The address is the owner of what is being looked at; widgets are bound to it under these names, so that a link copied
from one browser shows the same in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

GLOBAL = ("ws", "run", "after", "task", "lesson", "present", "text")
"""Go along from page to page."""


FRAMED = ("ws", "run", "after", "task", "lesson")
"""Belong to widgets of the frame, which stay while pages change."""
ASKED = "to."
"""Before the name of such a parameter in a link within the lab."""


def here(**changed: Any) -> dict[str, str]:
    """The address's own parameters with some of them changed; None leaves one out."""
    now: dict[str, Any] = {name: st.query_params.get(name) for name in st.query_params}
    now.update(changed)
    return {name: str(value) for name, value in now.items() if value is not None}


def to(**parameters: Any) -> dict[str, str]:
    """What another page is given, as `st.page_link` and `st.switch_page` take it; None leaves one out.

    Streamlit keeps the frame's widgets as they are when the page changes, whatever the link says of them: so a link
    says it under another name, and `arrive` sets them.
    """
    return {
        f"{ASKED}{name}" if name in FRAMED else name: str(value)
        for name, value in parameters.items()
        if value is not None
    }


def carried(**changed: Any) -> dict[str, str]:
    """What another page is given: the global parameters, and what is to be set there."""
    kept: dict[str, Any] = {name: st.query_params.get(name) for name in GLOBAL}
    return to(**{**kept, **changed})


def arrive() -> None:
    """Sets the frame's widgets to what the link says that was followed; before any of them is drawn."""
    for name in FRAMED:
        if f"{ASKED}{name}" in st.query_params:
            value = st.query_params[f"{ASKED}{name}"]
            st.session_state[name] = value == "true" if name == "lesson" else value
            del st.query_params[f"{ASKED}{name}"]


def address() -> str:
    """The link that restores this page as it is now, relative to the server.

    Workspace and run are always named: a bound widget leaves its default out, and the default run is another tomorrow.
    """
    named = {name: st.session_state[name] for name in ("ws", "run") if name in st.session_state}
    return f"/{st.session_state['page']}?{urlencode(here(**named))}"


def settle(key: str, options: Sequence[str], default: str) -> None:
    """Gives a bound menu that has no default of its own what the address says, else this one.

    A bound widget leaves its default out of the address. Where the default may be another tomorrow (the newest job) a
    copied link would then show something else: so the value is set, and from the next rerun on the address names it.
    """
    now = st.session_state.get(key, st.query_params.get(key))
    st.session_state[key] = now if now in options else default
