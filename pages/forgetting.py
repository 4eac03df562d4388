"""What was lost, and what carried over?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app import frame, theme, widgets
from app.figures.curves import task_lines
from app.figures.matrix import heatmap

view = frame.draw("Forgetting & transfer")
if view.run is None:
    widgets.nothing(
        "No run has been scored here yet.", "start", "Explore the demonstration", ws="Demonstration"
    )
    st.stop()

report = view.report
tasks = [theme.numbered(place, name) for place, name in enumerate(view.tasks)]
scores = 100 * np.where(np.arange(len(tasks))[:, None] < view.after, report.matrix, np.nan)
seen = np.tril(np.ones_like(scores)).astype(bool)
source = f"run {view.run.name}, after task {view.after}, test rows of every task, one seed"


def percent(name: str) -> str:
    """A metric of the whole run, as it is shown."""
    value = report.transfer[name]
    return "not defined" if np.isnan(value) else f"{100 * value:.1f} %"


widgets.metrics(
    [
        (
            "Average accuracy",
            percent("average_accuracy"),
            "mean over j of R[T, j] after the last task; higher is better",
        ),
        (
            "Forgetting",
            percent("forgetting"),
            "mean over j of the most that was lost of task j; lower is better",
        ),
        (
            "Backward transfer",
            percent("backward_transfer"),
            "mean over j of R[T, j] - R[j, j]; higher is better",
        ),
    ]
)

st.subheader("What each task is answered with, after each task")
chosen = widgets.chart(
    view,
    heatmap(
        scores,
        tasks,
        tasks,
        view.look,
        row_title="after learning",
        column_title="scored on",
        value_title="accuracy (%)",
        highlight=view.task,
    ),
    "scores",
    alt=f"Score matrix of {len(tasks)} tasks: average accuracy {percent('average_accuracy')}, "
    f"forgetting {percent('forgetting')}",
    what="Each row is a stage: what the model scores on every task after it has learnt one more. Read a column "
    "downwards: where it darkens, something was forgotten. Higher is better.",
    formula=r"R_{i,j} = \text{accuracy on task } j \text{ after learning task } i",
    table=pd.DataFrame(scores, tasks, tasks).round(2),
    source=source,
    select=True,
)
if chosen:
    i, j = chosen[0]
    st.info(f"After learning {tasks[i]}, {scores[i, j]:.1f} % of {tasks[j]} are answered rightly.")

st.subheader("What changed since a task was learnt")
learnt = np.diagonal(100 * report.matrix)
change = np.where(seen, scores - learnt, np.nan)
widgets.chart(
    view,
    heatmap(
        change,
        tasks,
        tasks,
        view.look,
        row_title="after learning",
        column_title="scored on",
        value_title="change (points)",
        signed=True,
        highlight=view.task,
    ),
    "change",
    alt="Change of every task's accuracy since it was learnt, in points",
    what="The same matrix less its diagonal: red is lost, blue is gained after the task itself had been learnt. "
    "0 is neither; the scale is symmetric.",
    formula=r"R_{i,j} - R_{j,j}",
    table=pd.DataFrame(change, tasks, tasks).round(2),
    source=source,
)

st.subheader("Each task over time")
lines = {name: np.where(seen[:, j], scores[:, j], np.nan).tolist() for j, name in enumerate(tasks)}
widgets.chart(
    view,
    task_lines(
        lines,
        tasks,
        view.look,
        x_title="after learning",
        y_title="accuracy (%)",
        highlight=view.task,
    ),
    "lines",
    alt="Accuracy of each task from when it was learnt to the stage shown",
    what="Each line begins where its task is learnt. A falling line is a task being forgotten.",
    table=pd.DataFrame(lines, tasks).round(2),
    source=source,
)
