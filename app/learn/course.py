"""Navigation through the steps of a lesson: handlers that read what the page *Learn* shows."""

from __future__ import annotations

import streamlit as st

from app.learn.lessons import LESSONS


def titles() -> list[str]:
    """Of the lessons, numbered."""
    return [f"{number}. {lesson.title}" for number, lesson in enumerate(LESSONS, 1)]


def back() -> None:
    """To the step before."""
    _turn(-1)


def forth() -> None:
    """To the next step."""
    _turn(1)


def _turn(by: int) -> None:
    """At a lesson's ends it stays, and says so."""
    named = titles()
    chosen = st.session_state.get("course")
    lesson = LESSONS[named.index(chosen) if chosen in named else 0]
    now = int(st.session_state.get("step") or 1) + by
    if not 1 <= now <= len(lesson.steps):
        which = "first" if now < 1 else "last"
        st.toast(f"It is the {which} step of this lesson.")
        return
    st.session_state["step"] = str(now)
