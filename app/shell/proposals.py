"""Default names as proposals: a field that is left empty means what it shows in grey, and what was typed stays.

A proposal that were the field's value would have to be written over when the seed or the stream changes, and with it
what the visitor has typed or is typing.
"""

from __future__ import annotations

from typing import Any

import streamlit as st


def proposed(label: str, proposal: str, key: str, meaning: str = "", **look: Any) -> str:
    """Draws the field; what was typed, else the proposal.

    Args:
        label: of the field.
        proposal: of this moment, shown in grey.
        key: of the field, which does not depend on the proposal.
        meaning: what may be typed.
        look: of `st.text_input`.
    """
    words = (
        f"{meaning}. Left empty, it is the name in grey" if meaning else "Left empty: as in grey"
    )
    typed = st.text_input(label, key=key, placeholder=proposal, help=words, **look)
    return typed.strip() or proposal
