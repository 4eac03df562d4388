"""Buttons that do what the screen says at the moment of the click: the house's only way to act.

Streamlit runs a button's handler before the page, with the arguments that the handler was given when the page was drawn
last: a field that was typed into meanwhile does not count. So no handler here is given anything. A click is noted, the
page is drawn from its top with what its fields say now, and where it comes to the button `pressed` is true: what is
done there is done with this very drawing's values. The note waits until then, also where another change has the page
begun anew in between.

    if actions.pressed("Create", "new-create"):
        with actions.answering("new-create"):
            make(name)
        actions.then(stream=name)

What is refused is said beneath its button, and stays until the next click. Widgets that are drawn already are set by
`then`, which has the page drawn once more. `tests/app/pages/test_actions.py` keeps pages from doing otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NoReturn, TypedDict, Unpack

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import RerunException

from app.base.escaped_text import plain
from cl_core.system_faults import explained

NOTED = "actions-noted"
DONE = "actions-done"
REFUSED = "actions-refused"
NEXT = "actions-next"
STATE = (NOTED, DONE, REFUSED, NEXT)
"""Names in the session."""
GONE = object()
"""For `then`: forget the value."""
CHANGED = "The page had changed by the time of this click, so nothing was done. Look again, and press once more."


class ButtonLook(TypedDict, total=False):
    """How a button looks, in Streamlit's words; not `disabled`, see `pressed`."""

    icon: str
    help: str | None
    type: str
    width: str


@dataclass(frozen=True)
class _Click:
    key: str
    of: Hashable


@dataclass(frozen=True)
class _Refusal:
    key: str
    page: str
    reason: str


def pressed(
    label: str,
    key: str,
    *,
    of: Hashable = None,
    said: DeltaGenerator | None = None,
    draw: Callable[..., bool] = st.button,
    idle: bool = False,
    **look: Unpack[ButtonLook],
) -> bool:
    """Draws a button, and whether it was pressed: then act, with what the page says in this drawing.

    Args:
        label: of the button.
        key: of the button.
        of: what it acts on, such as a job's id, where the same button may be another's by the time of the click: it
            then does nothing, and says so. Never what was typed.
        said: where a refusal goes; beneath the button without.
        draw: `st.form_submit_button` in a form.
        idle: whether there is nothing that it could do, such as the step before the first: it is grey then. Never for
            what a field says, as a click straight after typing would be lost.
        look: icon, type, help and the like. Not `disabled`: a button that cannot do what it says because of a field
            answers with the reason.
    """
    draw(label, key=key, on_click=_note, args=(_Click(key, of),), disabled=idle, **look)
    noted: list[_Click] = st.session_state.get(NOTED, [])
    mine = [click for click in noted if click.key == key]
    if mine:
        click = mine[0]
        st.session_state[NOTED] = [other for other in noted if other is not click]
        if click.of == of:
            st.session_state[DONE] = click
            return True
        if click != st.session_state.get(DONE):  # not the second click of two in a row
            st.session_state[REFUSED] = _Refusal(key, _page(), CHANGED)
    refusal: _Refusal | None = st.session_state.get(REFUSED)
    if refusal is not None and (refusal.key, refusal.page) == (key, _page()):
        with said if said is not None else nullcontext():
            st.error(plain(refusal.reason), icon=":material/block:")
    return False


def refuse(key: str, reason: str) -> NoReturn:
    """Says beneath the button why nothing was done, until the next click."""
    st.session_state[REFUSED] = _Refusal(key, _page(), reason)
    st.rerun()


@contextmanager
def answering(key: str, *faults: type[Exception]) -> Iterator[None]:
    """Whatever fails within is said beneath the button.

    Args:
        key: of the button.
        faults: what may fail; mistakes of the visitor and answers of the system without.
    """
    from cl_core.errors import AdapterLabError

    kinds = faults or (AdapterLabError, OSError, MemoryError)
    try:
        yield
    except kinds as error:
        refuse(key, explained(error) or str(error))


def then(**state: Any) -> NoReturn:
    """Has the page drawn once more, and before any of it sets these names in the session; GONE forgets one."""
    st.session_state[NEXT] = {**st.session_state.get(NEXT, {}), **state}
    st.rerun()


def arrive() -> None:
    """Sets what `then` was told; in the entry point, before any widget."""
    for name, value in st.session_state.pop(NEXT, {}).items():
        if value is GONE:
            st.session_state.pop(name, None)
        else:
            st.session_state[name] = value


def settle() -> None:
    """Forgets clicks on buttons that are gone, and says so; in the entry point, in a `finally` after the page.

    Not where the page was cut short to be drawn anew: its clicks wait for that.
    """
    if isinstance(sys.exc_info()[1], RerunException):
        return
    done = st.session_state.get(DONE)  # whoever clicks twice in a row need not be told
    if any(click != done for click in st.session_state.pop(NOTED, [])):
        st.toast(CHANGED, icon=":material/block:")
    refusal: _Refusal | None = st.session_state.get(REFUSED)
    if refusal is not None and refusal.page != _page():
        del st.session_state[REFUSED]


def _note(click: _Click) -> None:
    st.session_state[NOTED] = [*st.session_state.get(NOTED, []), click]
    st.session_state.pop(REFUSED, None)


def _page() -> str:
    return str(st.session_state.get("page", ""))
