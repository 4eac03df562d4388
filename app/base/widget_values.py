"""What is said of a widget that no browser says: it is taken for the widget's default.

A visitor's messages name any widget by its id, with a value of any kind: no number where a number is expected, a text,
half of some JSON. Streamlit reads such a value before a page is drawn and wherever it asks for it, without a thought
that it may not be one: the page ended in an exception, and so did every page of that visitor after it.
"""

from __future__ import annotations

import logging
from typing import Any

from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.session_state import Serialized, Value, WStates

LOG = logging.getLogger(__name__)
_read = WStates.__getitem__
_SAME = {"int_value": "double_value", "int_array_value": "double_array_value"}
"""Kinds of numbers that are one: a browser says whole ones of fields that Streamlit has for any."""
_OF_NONSENSE = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What reading a value says that is none."""


def refuse_nonsense() -> None:
    """Has values that are none taken for the default, in all sessions of this process; once is enough."""
    # Streamlit has no place of its own where values can be refused before they are read.
    WStates.__getitem__ = _value  # type: ignore[method-assign]


def _value(states: WStates, key: str) -> Any:
    """As `WStates.__getitem__`; the one way in which Streamlit comes to what a visitor said of a widget."""
    state, metadata = states.states.get(key), states.widget_metadata.get(key)
    if not isinstance(state, Serialized) or metadata is None:
        return _read(states, key)
    if _is_of_another_kind(state, metadata):
        return _default(states, key, metadata)
    try:
        return _read(states, key)
    except _OF_NONSENSE as error:
        LOG.info("a value of %s is none: %r", key, error)
        return _default(states, key, metadata)


def _is_of_another_kind(state: Serialized, metadata: WidgetMetadata[Any]) -> bool:
    """Whether it is a text where the widget says numbers, and the like; one that was emptied says nothing."""
    kind: str | None = state.value.WhichOneof("value")
    expected: str | None = metadata.value_type
    if kind is None or expected is None:
        return False
    return _SAME.get(kind, kind) != _SAME.get(expected, expected)


def _default(states: WStates, key: str, metadata: WidgetMetadata[Any]) -> Any:
    value = metadata.deserializer(None)
    states.states[key] = Value(value)
    return value
