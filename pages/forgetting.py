"""The page Forgetting & transfer, of the score matrix: what was forgotten, and what transferred?"""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.base.control_words import by_control
from app.base.escaped_text import plain
from app.data import matrices
from app.data.routing_records import routed_at
from app.figures.curves import task_lines
from app.forgetting import exports, oracle_gap_section
from app.shell import frame, widgets
from app.shell.cell_samples import list_samples
from app.shell.figure_table import figure_table
from cl_core.errors import counted
from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import bare_title
from cl_core.reports.report_formats import number
from cl_core.runs.cautions import named
from cl_core.runs.undefined_scores import no_score

WHAT = {
    "by routing": "What the run would gain if the top-1 adapter were always the true task's. "
    "Red is lost; 0 is as good as the oracle's route.",
    "by merging": "What the merge costs against the top-1 adapter alone. Red is lost; blue is where the merge is the "
    "better one, for instance where it forgives a wrong route.",
}
FORMULA = {
    "by routing": r"R_{i,j}(\text{top-1 adapter}) - R_{i,j}(\text{true-task adapter})",
    "by merging": r"R_{i,j} - R_{i,j}(\text{top-1 adapter})",
}

view = frame.draw("Forgetting & transfer")
run = widgets.must_be_scored(view)

report = view.report
stage_matrices = matrices.matrices_of(run, view.stage)
tasks, scores = stage_matrices.tasks, stage_matrices.scores
seen = np.tri(len(tasks), dtype=bool)
split = run.config.settings.evaluate.split
source = f"{named(run.config)}, stage {view.stage}, {split} samples of every task, one seed"
transfer, why = report.transfer_after(view.stage), report.undefined_after(view.stage)


def metric(name: str) -> str:
    """A metric at the stage shown, with its unit."""
    shown = number(name, transfer[name])
    return "not defined" if shown == "-" else shown


def meaning(name: str, what: str) -> str:
    """What it is, and why it is not defined where it is not."""
    return f"{what}. Not defined here: {plain(by_control(why[name]))}" if name in why else what


always = [
    (
        "average_accuracy",
        f"mean over j of R[T, j], the {counted(view.stage, 'task')} learnt by the stage shown, T; higher is better. "
        + stage_matrices.average_is,
    ),
    (
        "forgetting",
        "mean over earlier tasks j of the best score of j before the stage shown, less the one of that stage "
        "(Chaudhry et al. 2018); lower is better, below 0 where the stage shown is the best",
    ),
    (
        "backward_transfer",
        "mean over earlier tasks j of R[T, j] - R[j, j], at the stage shown, T; higher is better",
    ),
]
tiled = {name for name, _ in always}
others = {  # what compares stages
    name: value
    for name, value in {**transfer, **report.improvised_after(view.stage)}.items()
    if METRICS[name].from_stage > 1 and name not in tiled
}
widgets.metrics(
    [
        *((bare_title(name), metric(name), meaning(name, what)) for name, what in always),
        *(
            (
                bare_title(name),
                number(name, value),
                f"{METRICS[name].formula}; {METRICS[name].direction} is better. {METRICS[name].note}",
            )
            for name, value in others.items()
            if not np.isnan(value)
        ),
    ]
)
for name in others.keys() & why.keys():
    st.caption(f"{bare_title(name)} is not defined: {plain(by_control(why[name]))}.")

st.header("Accuracy on each task after each stage")
chosen = widgets.chart(
    view,
    stage_matrices.score_figure(view.look, view.task),
    "scores",
    widgets.About(
        alt=f"Score matrix of {counted(len(tasks), 'task')}: average accuracy {metric('average_accuracy')}, "
        f"forgetting {metric('forgetting')}",
        what="Each row is a stage, after one more task has been learnt: the accuracy on every task. Read a column "
        "downwards: where it darkens, something was forgotten. Higher is better.",
        formula=r"R_{i,j} = \text{accuracy on task } j \text{ after learning task } i",
        source=f"{source}; Wilson's 95 % intervals, for the number of {split} samples alone",
    ),
    table=stage_matrices.score_table,
    select=True,
)
CELL = ("cell_after", "cell_task")
scored = [name for j, name in enumerate(tasks) if j < view.stage or np.isfinite(scores[:, j]).any()]
OPTIONS = (tasks[: view.stage], scored)
if chosen and st.session_state.get("cell-click") != chosen[0]:
    # A click is taken over once; afterwards the boxes rule, which a keyboard can reach.
    for key, index in zip(CELL, chosen[0], strict=True):
        st.session_state[key] = tasks[index]
st.session_state["cell-click"] = chosen[0] if chosen else None
for key, options in zip(CELL, OPTIONS, strict=True):
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]  # the slider has been moved to before it
with st.container(horizontal=True, vertical_alignment="bottom"):
    boxes = [
        st.selectbox(
            label,
            options,
            index=None,
            key=key,
            bind="query-params",
            width=240,
            placeholder="a task",
        )
        for key, label, options in zip(CELL, ("Stage", "Samples of"), OPTIONS, strict=True)
    ]
gap = oracle_gap_section.read_oracle_gap(run)
if None in boxes:
    st.caption("Click a cell above, or choose both here, to see the samples behind it.")
else:
    i, j = (tasks.index(str(box)) for box in boxes)
    routed = routed_at(run, i + 1)
    rows = np.flatnonzero(() if routed is None else routed.true == j)
    if routed is None or not len(rows):
        st.caption("This cell was not scored.")
    elif np.isnan(scores[i, j]):
        st.caption(plain(f"This cell is no score: {no_score(run.config)}."))
    else:
        more = gap.columns(i + 1, [routed.ids[index] for index in rows]) if gap else None
        title = f"{counted(len(rows), 'sample')} of {tasks[j]} at stage {tasks[i]}, {scores[i, j]:.1f} % right"
        list_samples(view, run.config, routed, rows, title, more, tasks[i])

st.header("Change since each task was learnt")
widgets.chart(
    view,
    stage_matrices.change_figure(view.look, view.task),
    "change",
    widgets.About(
        alt="Change of every task's accuracy since it was learnt, in points",
        what="The same matrix minus its diagonal: red is lost, blue is gained after the task itself had been learnt. "
        "Grey is within one standard error of 0, as one sample of all would be. The colours are the "
        "same for every run: "
        "they end at 50 points.",
        formula=r"R_{i,j} - R_{j,j}",
        source=f"{source}; {stage_matrices.errors_are}",
    ),
    table=stage_matrices.change_table,
)

if not run.config.recipe.shares_adapter:
    st.header("Lost by routing, lost by merging")
    if gap is None:
        oracle_gap_section.offer(view)
    else:
        parts = {"by routing": gap.lost.routing, "by merging": gap.lost.merging}
        shown = np.broadcast_to(np.arange(len(tasks))[:, None] < view.stage, scores.shape)
        for column, (how, values), errors in zip(
            st.columns(2, gap="large"), parts.items(), gap.errors, strict=True
        ):
            # What the figure draws and the table says: below 0 is lost.
            points = np.where(shown, -100 * values, np.nan)
            last = round(-np.nanmean(points[view.stage - 1]), 1) + 0.0  # without a minus before 0
            with column:
                widgets.chart(
                    view,
                    matrices.difference_figure(
                        points,
                        errors,
                        tasks,
                        view.look,
                        shown & ~seen,
                        view.task,
                        "points; negative = lost",
                    ),
                    f"lost-{how.replace(' ', '-')}",
                    widgets.About(
                        alt=f"Lost {how} against the oracle's route: {last:.1f} points on average at this stage",
                        what=WHAT[how],
                        formula=FORMULA[how],
                        source=source,
                    ),
                    table=figure_table(points, tasks, tasks, "points; negative = lost", "stage"),
                )

st.header("Accuracy of each task over the stages")
learnt = np.where(seen, scores, np.nan)
lines = {name: learnt[:, j].tolist() for j, name in enumerate(tasks)}
widgets.chart(
    view,
    task_lines(
        lines,
        tasks,
        view.look,
        x_title="stage",
        y_title="accuracy (%)",
        highlight=view.task,
        intervals=stage_matrices.interval,
        counts=stage_matrices.counts,
    ),
    "lines",
    widgets.About(
        alt="Accuracy of each task from when it was learnt to the stage shown",
        what="Each line begins where its task is learnt. A falling line is a task being forgotten.",
        source=source,
    ),
    table=matrices.accuracy_table(learnt, stage_matrices.counts, tasks),
)

exports.draw(view)
