"""The page Learn, of the lessons: teach me."""

from __future__ import annotations

import streamlit as st

from app.base import links
from app.learn import course
from app.learn.lessons import LESSONS
from app.shell import frame

view = frame.draw("Learn")
pages = st.session_state["pages"]
titles = course.titles()
title = st.selectbox("Lesson", titles, key="course", bind="query-params")
lesson = LESSONS[titles.index(title)]
st.markdown(f"**{lesson.idea}**")
numbers = [str(number) for number in range(1, len(lesson.steps) + 1)]


chosen = st.segmented_control(
    "Step", numbers, default=numbers[0], required=True, key="step", bind="query-params"
)
step = lesson.steps[numbers.index(chosen or numbers[0])]  # a message may say that none is
with st.container(border=True):
    st.markdown(step.says)
    st.page_link(
        pages[step.page],
        label=step.does,
        icon=":material/play_arrow:",
        query_params=links.carried(
            **{"ws": "Demonstration", "after": None, "task": None, **step.state}
        ),
    )
    st.markdown(f"**{step.asks}**")
    with st.expander("Answer"):
        st.markdown(step.answer)
with st.container(horizontal=True):
    first, last = step is lesson.steps[0], step is lesson.steps[-1]
    st.button("Back", on_click=course.back, shortcut="ArrowLeft", disabled=first)
    st.button("Next", on_click=course.forth, shortcut="ArrowRight", disabled=last, type="primary")
