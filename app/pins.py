"""Samples that are kept beside the one that is looked at: the session holds what to ask, never the answers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import answers
from app.answers import Answer
from app.choosing import Chosen
from app.frame import View
from app.what_ifs import Asked

MOST = 4
PINS = "pinned"


def show(view: View, chosen: Chosen, asked: Asked, told: str | None) -> list[tuple[str, Answer]]:
    """Draws the buttons; returns the name and the answer of each pinned sample, asked again at this stage.

    Args:
        view: what is looked at.
        chosen: the sample of now.
        asked: the what-if of now.
        told: its task, where it has an adapter.
    """
    pinned: list[dict[str, Any]] = st.session_state.setdefault(PINS, [])
    name = f"{chosen.name[:28]}{', ' + asked.words if asked.words else ''}"
    new = {
        "run": view.run.name if view.run else "",
        "name": name,
        "sample": dict(chosen.sample),
        "fields": asked.fields,
        "told": told,
    }
    with st.container(horizontal=True):
        st.button(
            "Pin this one",
            icon=":material/keep:",
            on_click=_add,
            args=(new,),
            disabled=new in pinned or len(pinned) >= MOST,
            help=f"Up to {MOST} stay here while you look at other samples or what-ifs.",
        )
        st.button("Unpin all", icon=":material/keep_off:", on_click=_clear, disabled=not pinned)
    here = [pin for pin in pinned if pin["run"] == new["run"]]
    return [(pin["name"], _ask(view, pin)) for pin in here]


def _ask(view: View, pin: dict[str, Any]) -> Answer:
    known = pin["told"] if pin["told"] in view.tasks[: view.after] else None
    return answers.answers(view, pin["sample"], [pin["fields"]], known)[0]


def _add(pin: dict[str, Any]) -> None:
    st.session_state[PINS] = [*st.session_state[PINS], pin]


def _clear() -> None:
    st.session_state[PINS] = []
