"""Samples that are kept beside the one that is looked at: the session holds what to ask, never the answers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import actions, answers
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
    row, said = st.container(horizontal=True), st.container()
    with row:
        meaning = f"Up to {MOST} stay here while you look at other samples or what-ifs."
        look = {"icon": ":material/keep:", "help": meaning, "said": said}
        if actions.pressed("Pin this one", "pin", **look):
            if new in pinned:
                actions.refuse("pin", "It is pinned already.")
            if len(pinned) >= MOST:
                actions.refuse("pin", f"{MOST} are pinned, and that is the most: unpin them first.")
            st.session_state[PINS] = [*pinned, new]
            st.rerun()
        look = {"icon": ":material/keep_off:", "said": said}
        if actions.pressed("Unpin all", "unpin", **look):
            if not pinned:
                actions.refuse("unpin", "Nothing is pinned.")
            st.session_state[PINS] = []
            st.rerun()
    here = [pin for pin in pinned if pin["run"] == new["run"]]
    return [(pin["name"], _ask(view, pin)) for pin in here]


def _ask(view: View, pin: dict[str, Any]) -> Answer:
    known = pin["told"] if pin["told"] in view.tasks[: view.after] else None
    return answers.answers(view, pin["sample"], [pin["fields"]], known)[0]
