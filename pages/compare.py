"""The page Compare, of scores and costs of runs side by side: which method wins, at what cost?"""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app.base.control_words import by_control
from app.base.escaped_text import plain
from app.compare import compared_runs
from app.figures import comparison_figures as figures
from app.shell import actions, downloads, frame, widgets
from cl_core.analysis.comparison_formats import as_csv
from cl_core.analysis.comparison_latex import as_latex
from cl_core.analysis.comparison_lines import headlines
from cl_core.analysis.comparison_notes import notes
from cl_core.errors import UserError, counted
from cl_core.evaluate.metric_groups import score_names
from cl_core.evaluate.statistics import format_difference
from cl_core.evaluate.units import difference_title
from cl_core.tasks.stream import protocol_title

view = frame.draw("Which method wins, at what cost?")
widgets.damaged(view.workspace)
labels = compared_runs.offered()
if not labels:
    widgets.nothing(
        "Nothing to compare yet: no run has been scored in either workspace.", "train", "Train one"
    )
    st.stop()

comparable = compared_runs.comparable_runs(view, labels, bool(st.session_state.get("orders")))
chosen = st.multiselect(
    "Runs",
    sorted(labels),
    placeholder="all finished runs on the tasks of the run that is open",
    key="runs",
    bind="query-params",
    help="As many as you like. Runs that differ in seed alone, or in order where orders are pooled, become one line.",
)
if not chosen and comparable:
    meaning = "Puts their names above, to take some away."
    words = f"Pick from these {len(comparable)}"
    if actions.pressed(words, "pick-these", icon=":material/edit:", help=meaning):
        actions.then(runs=comparable)
chosen = chosen or comparable
first, second, third, fourth = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
score = second.selectbox("Score", score_names(), key="score", bind="query-params")
pooled = fourth.toggle(
    "Pool orders",
    key="orders",
    bind="query-params",
    help="The same tasks in another order (mtl5, mtl5-order2, ...) as one stream",
)
if not chosen:
    widgets.nothing(
        "No finished run on these tasks. Choose some above, or train one.", "train", "Train one"
    )
    st.stop()
runs = [labels[label] for label in chosen]
try:
    comparison = compared_runs.compared(runs, score, pooled, None)
except UserError as error:
    st.info(
        f"{plain(str(error))}. A run can be compared when it has come to its end.",
        icon=":material/hourglass_top:",
    )
    st.stop()
references = list(dict.fromkeys(line.label for line in comparison.lines))
against = third.selectbox(
    "Compare with",
    ["nothing", *references],
    key="against",
    bind="query-params",
    help="Differences from this one, paired by order and seed.",
)
if against != "nothing":
    try:
        comparison = compared_runs.compared(runs, score, pooled, against)
    except UserError as error:
        st.warning(plain(str(error)))
stream = first.selectbox("Stream", comparison.streams, key="compared", bind="query-params")
comparison = comparison.of(stream)
lines = comparison.lines
names = compared_runs.called(lines)
alone = [name for name, line in zip(names, lines, strict=True) if len(line.runs) == 1]
source = f"stream {stream}, {score}, {counted(comparison.runs, 'run')}"
drawn = dict(zip(names[: compared_runs.MOST_LINES], lines, strict=False))
for note in notes(comparison):
    st.caption(plain(by_control(f"{note[0].upper()}{note[1:]}.")))
if len(lines) > len(drawn):
    st.caption(
        f"Figures draw the first {len(drawn)} of {counted(len(lines), 'line')}; tables and files have all of "
        f"{counted(comparison.runs, 'run')}. Take "
        "some away above to see the others."
    )
if alone:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge("one seed", icon=":material/warning:", color="orange")
        st.caption(
            f"On a single run: {len(alone)} of {counted(len(lines), 'line')}. A difference of a few points may "
            "be chance: "
            "run them with other seeds."
        )

st.header("Results")
shown = [
    metric
    for metric in (*compared_runs.quality(), *compared_runs.COSTS)
    if any(line.summary(metric) for line in lines)
]
table = pd.DataFrame(
    {
        "recipe": names,
        "protocol": [protocol_title(line.protocol) for line in lines],
        "runs": [compared_runs.repeats(line) for line in lines],
        **{
            compared_runs.shown(metric): [
                compared_runs.cell(line.summary(metric), metric) for line in lines
            ]
            for metric in shown
        },
    }
)
columns = {
    compared_runs.shown(metric): st.column_config.TextColumn(
        compared_runs.short(metric),
        help=f"{compared_runs.shown(metric)}: {compared_runs.meaning(metric)}",
    )
    for metric in shown
}
said = {"quality": ["protocol", "runs"], "costs": []}
for part, kinds in (("quality", compared_runs.quality()), ("costs", compared_runs.COSTS)):
    heads = [compared_runs.shown(metric) for metric in kinds if metric in shown]
    st.dataframe(
        table[["recipe", *said[part], *heads]],
        hide_index=True,
        key=f"side-by-side-{part}",
        column_config=columns,
    )
st.caption("mean ± standard deviation over seeds and orders; a number alone is one run")

left, right = st.columns(2, gap="medium")
with left:
    measures = {
        compared_runs.shown(name): name for name in compared_runs.quality() if name in shown
    }
    metric = measures[st.selectbox("Measure", measures, key="metric", bind="query-params")]
    values = {name: list(line.values[metric].values()) for name, line in drawn.items()}
    summaries = {name: line.summary(metric) for name, line in drawn.items()}
    widgets.chart(
        view,
        figures.spread(values, summaries, view.look, compared_runs.shown(metric)),
        "spread",
        widgets.About(
            alt=f"{compared_runs.shown(metric)} of {counted(len(drawn), 'recipe')} with their spread",
            what="Filled marks are means, bars their 95 % intervals (Student's t, cut where the number can be no "
            "more or less), rings single runs. Open marks are told the true task. Where intervals "
            f"overlap widely, no recipe has won. {compared_runs.meaning(metric)}",
            formula=r"\bar{x} \pm t_{0.975,\,n-1}\, s / \sqrt{n}",
            source=source,
        ),
        table=table[["recipe", "runs", compared_runs.shown(metric)]].set_index("recipe"),
    )
with right:
    costs = {compared_runs.shown(name): name for name in compared_runs.COSTS}
    cost = costs[st.selectbox("Cost", costs, key="cost", bind="query-params")]
    points = {}
    for name, line in drawn.items():
        paid, got = line.summary(cost), line.summary(metric)
        if paid is not None and got is not None:
            points[name] = (compared_runs.scaled(cost, paid.mean), got)
    widgets.chart(
        view,
        figures.against_cost(
            points, view.look, compared_runs.shown(cost), compared_runs.shown(metric)
        ),
        "cost",
        widgets.About(
            alt=f"{compared_runs.shown(metric)} against {compared_runs.shown(cost)}",
            what=f"Each mark is a recipe. Left is cheaper: {compared_runs.COSTS[cost].meaning}. "
            f"{compared_runs.meaning(metric)}",
            source=source,
        ),
        table=pd.DataFrame(
            [(name, paid, got.mean) for name, (paid, got) in points.items()],
            columns=["recipe", compared_runs.shown(cost), compared_runs.shown(metric)],
        ).set_index("recipe"),
    )

st.header("Average accuracy over the stream")
over = {name: list(line.stages.values()) for name, line in drawn.items()}
widgets.chart(
    view,
    figures.stages(over, view.look),
    "stages",
    widgets.About(
        alt=f"Mean {score} of the tasks seen after each stage, of {counted(len(drawn), 'recipe')}",
        what="After each task: the mean over all tasks seen so far. A line that falls forgets, or meets harder tasks. "
        "Bands run from the least to the most of a line's runs; higher is better.",
        formula=r"A_i = \frac{1}{i} \sum_{j \le i} R_{i,j}",
        source=source,
    ),
    table=pd.DataFrame(
        [
            (name, order, seed, stage, round(value, 2))
            for name, line in zip(names, lines, strict=True)
            for (order, seed), run_means in line.stages.items()
            for stage, value in enumerate(run_means, start=1)
        ],
        columns=["recipe", "order", "seed", "tasks learnt", f"mean {score} (%)"],
    ).set_index(["recipe", "order", "seed", "tasks learnt"]),
)

gaps = [gap for gap in comparison.differences if gap.metric == metric]
if against != "nothing":
    st.header("Paired differences to the reference")
    if not gaps:
        st.info(
            "No other line has a run on the same order and seed as the reference: nothing can be paired."
        )
    else:
        paired = {names[lines.index(gap.line)]: gap.difference for gap in gaps}
        difference = f"{difference_title(metric)}: difference from {gaps[0].reference.marked}"
        widgets.chart(
            view,
            figures.differences(
                dict(list(paired.items())[: compared_runs.MOST_LINES]), view.look, difference
            ),
            "differences",
            widgets.About(
                alt=f"Paired differences: {difference}",
                what="The difference on the same orders and seeds, with its 95 % interval and the p-value of a paired "
                "t-test. An interval that holds 0 shows no difference.",
                formula=r"\frac{1}{n} \sum_s \left( a_s - b_s \right)",
                source=source,
            ),
            table=pd.DataFrame(
                {difference: [format_difference(gap) for gap in paired.values()]},
                pd.Index(list(paired), name="recipe"),
            ),
        )

st.header("Export")
exported = st.multiselect(
    "Columns",
    shown,
    default=[metric for metric in headlines() if metric in shown],
    format_func=compared_runs.shown,
    key="columns",
    bind="query-params",
    help="Of the LaTeX table and the CSV.",
)
taken = comparison.of(stream, exported)
row, handed = st.container(horizontal=True), st.container()
with row:
    files = (
        ("LaTeX", "take-latex", as_latex, "comparison.tex", "text/x-tex"),
        ("CSV, one row for each run and metric", "take-csv", as_csv, "comparison.csv", "text/csv"),
    )
    for label, key, written, file, kind in files:
        downloads.offer(label, key, partial(written, taken), file, kind, room=handed)
with st.expander("The LaTeX"):
    st.code(as_latex(taken), language="latex")
