"""Whose the value of a field is, where what it says by default changes: what was typed stays until it is taken back.

A field is the visitor's once it says something else than it was drawn with, whatever that is: also what another preset
would say. It is taken back by emptying it, where it cannot be empty, or together with all others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

DRAWN = "settings-by-default"
"""In the session: what fields say by default, by their keys, as they were drawn last."""
SAID = "settings-as-drawn"
"""In the session: what fields said when they were drawn last, by their keys."""
TYPED = "settings-typed"
"""In the session: keys of the fields whose value is the visitor's."""
TAKEN_BACK = "settings-taken-back"
"""In the session: whether all that was typed is to be forgotten."""


def fill(
    defaults: Mapping[str, Any], emptied: Collection[str], wanted: Mapping[str, Any] | None
) -> None:
    """Sets the fields that are to say something else than they do, before any of them is drawn.

    Args:
        defaults: what fields say by default, by their keys.
        emptied: keys of those that say nothing and cannot: each says its default again.
        wanted: what they are to say as if it had been typed, and all others their defaults; None where what was typed
            stays.
    """
    state = st.session_state
    before, said = state.get(DRAWN, {}), state.get(SAID, {})
    typed: set[str] = set(state.get(TYPED, ()))
    if wanted is not None or state.pop(TAKEN_BACK, False):
        typed = set(wanted or ())
        state.update({**defaults, **(wanted or {})})
    else:
        gone = {key for key in defaults if key not in state}
        typed |= {key for key in said if key in state and state[key] != said[key]}
        typed -= gone | set(emptied)
        if gone or emptied or any(before.get(key) != value for key, value in defaults.items()):
            # All of them: a field whose steps change forgets what it said.
            state.update({**defaults, **{key: state[key] for key in typed & set(defaults)}})
    state[TYPED] = frozenset(typed)
    state[DRAWN] = {**before, **defaults}
    state[SAID] = {**said, **{key: state[key] for key in defaults}}


def is_typed(key: str) -> bool:
    """Whether the value of the field with this key is the visitor's."""
    return key in st.session_state.get(TYPED, ())
