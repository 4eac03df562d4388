"""The page Stream, of tasks and their data sets: what will be learnt, and in which order?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.base import theme
from app.base.escaped_text import plain
from app.data.runs import workspace
from app.figures.balance import class_balance
from app.figures.heatmap import heatmap
from app.shell import frame, stream_choice, widgets
from app.shell.figure_table import figure_table
from app.shell.stream_problems import problems
from app.stream import stream_toolbar
from app.stream.new_task import new_task
from app.stream.stream_cards import cards, protocol
from cl_core.errors import UserError, counted

view = frame.draw("Stream")
mine = workspace("Mine")
st.markdown("What will be learnt, and in which order? A task after another, each met once.")

left, right = st.columns([3, 2], vertical_alignment="bottom")
try:
    with left:
        chosen = stream_choice.choose(mine)
except UserError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()
if chosen is None:
    st.stop()
with right:
    protocol(mine, chosen)
stream_toolbar.draw(mine, chosen)

if chosen.how:
    st.warning(f"Its data are not here: {plain(chosen.how)}.", icon=":material/cloud_off:")
    st.stop()
if chosen.spec is None:
    st.info("A new stream. Add its first task from here:", icon=":material/arrow_downward:")
elif chosen.users:
    runs = ", ".join(chosen.users[:3])
    st.info(
        f"It stays as it is: runs were made from it ({plain(runs)}). *Copy and change* makes one that can change.",
        icon=":material/lock:",
    )
elif chosen.path is None:
    st.caption("A named stream cannot change; *Copy and change* makes one of your own.")

checked = chosen.checked()
problems(checked)
cards(mine, chosen, checked)
if chosen.editable:
    new_task(mine, chosen)

tasks = [task for task in checked.get("tasks", []) if task["counts"].get("train")]
if tasks:
    st.header("Class distribution")
    names = [theme.numbered(index, task["name"]) for index, task in enumerate(tasks)]
    counts = {
        name: list(zip(task["classes"], task["counts"]["train"], strict=True))
        for name, task in zip(names, tasks, strict=True)
    }
    widgets.chart(
        view,
        class_balance(counts, view.look),
        "class-balance",
        widgets.About(
            alt=f"Training samples of each class in {counted(len(tasks), 'task')}",
            what="A bar is a task, a segment a class: its length is its training samples. Segments "
            "of unequal length make "
            "plain accuracy flatter the frequent class; *macro F1* and the setting `class_weights` answer that.",
            formula=r"n_{t,c} = |\{(x, y) \in D_t : y = c\}|",
            source=f"stream {chosen.name}, all training samples before limits",
        ),
        table=pd.DataFrame(
            [(name, label, rows) for name, classes in counts.items() for label, rows in classes],
            columns=["task", "class", "training samples"],
        ).set_index(["task", "class"]),
    )
words = np.array(checked.get("words") or [])
if words.size > 1:
    st.header("Vocabulary overlap of the tasks")
    names = [theme.numbered(index, task["name"]) for index, task in enumerate(checked["tasks"])]
    names = names[: len(words)]
    widgets.chart(
        view,
        heatmap(
            100 * words,
            names,
            names,
            view.look,
            row_title="task",
            column_title="task",
            value_title="Jaccard index (%)",
        ),
        "word-overlap",
        widgets.About(
            alt="Jaccard index of the words of each two tasks",
            what="How many of two tasks' words occur in both. Tasks that share few words are easy to tell apart for a "
            "router; tasks that share many may help each other.",
            formula=r"J(A, B) = \frac{|A \cap B|}{|A \cup B|}",
            source=f"stream {chosen.name}, words of all training texts, lower case",
        ),
        table=figure_table(100 * words, names, names, "%", "task", 1),
    )
