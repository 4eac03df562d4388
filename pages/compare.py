"""Which method wins, at what cost?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import comparing, frame, widgets
from app.figures import comparison as figures
from cl_core.errors import UserError
from cl_core.evaluate.statistics import format_difference
from cl_core.lab.comparison_formats import as_csv, as_latex

view = frame.draw("Which method wins, at what cost?")
labels = comparing.offered()
if not labels:
    widgets.nothing(
        "Nothing to compare yet: no run has been scored in either workspace.", "train", "Train one"
    )
    st.stop()

every = comparing.kin(view, labels)
kin = every[: comparing.MOST_RUNS]
chosen = st.multiselect(
    "Runs",
    sorted(labels),
    max_selections=comparing.MOST_RUNS,
    placeholder="the finished runs on the stream of the run at the left",
    key="runs",
    bind="query-params",
    help="Up to eight. Runs that differ in seed alone, or in order where orders are pooled, become one line.",
)
if not chosen and kin:
    st.button(
        f"Pick from these {len(kin)}",
        on_click=st.session_state.update,
        args=({"runs": kin},),
        icon=":material/edit:",
        help="Puts their names above, to take some away.",
    )
    if len(every) > len(kin):
        st.caption(f"The first {len(kin)} of {len(every)} finished runs on this stream, by name.")
chosen = chosen or kin
first, second, third, fourth = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
score = second.selectbox(
    "Score", ["accuracy", "macro_f1", "weighted_f1"], key="score", bind="query-params"
)
pooled = fourth.toggle(
    "Pool orders", key="orders", bind="query-params", help="mtl5, mtl5-order2, ... as one stream"
)
if not chosen:
    widgets.nothing(
        "No finished run on this stream. Choose some above, or train one.", "train", "Train one"
    )
    st.stop()
runs = [labels[label] for label in chosen]
try:
    found = comparing.compared(runs, score, pooled, None)
except UserError as error:
    st.info(
        f"{error}. A run can be compared when it has come to its end.",
        icon=":material/hourglass_top:",
    )
    st.stop()
references = list(dict.fromkeys(line.label for line in found.lines))
against = third.selectbox(
    "Compare with",
    ["nothing", *references],
    key="against",
    bind="query-params",
    help="Differences from this one, paired by order and seed.",
)
if against != "nothing":
    try:
        found = comparing.compared(runs, score, pooled, against)
    except UserError as error:
        st.warning(str(error))
streams = list(dict.fromkeys(line.stream for line in found.lines))
stream = first.selectbox("Stream", streams, key="stream", bind="query-params")
lines = [line for line in found.lines if line.stream == stream]
names = comparing.called(lines)
alone = [name for name, line in zip(names, lines, strict=True) if len(line.stages) == 1]
source = f"stream {stream}, {score}, {sum(len(line.stages) for line in lines)} runs"
if found.left_out:
    st.caption(f"Not finished, and left out: {', '.join(found.left_out)}")
if alone:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge("one seed", icon=":material/warning:", color="orange")
        st.caption(
            f"{len(alone)} of {len(lines)} lines rest on a single run. A difference of a few points may be chance: "
            "run them with other seeds."
        )

st.header("Side by side")
shown = [
    metric
    for metric in (*comparing.QUALITY, *comparing.COSTS)
    if any(line.summary(metric) for line in lines)
]
table = pd.DataFrame(
    {
        "recipe": names,
        "protocol": [line.protocol for line in lines],
        "rests on": [comparing.repeats(line) for line in lines],
        **{
            comparing.shown(metric): [
                comparing.cell(line.summary(metric), metric) for line in lines
            ]
            for metric in shown
        },
    }
)
columns = {
    comparing.shown(metric): st.column_config.TextColumn(
        comparing.short(metric), help=f"{comparing.shown(metric)}: {comparing.meaning(metric)}"
    )
    for metric in shown
}
said = {"quality": ["protocol", "rests on"], "costs": []}
for part, kinds in (("quality", comparing.QUALITY), ("costs", comparing.COSTS)):
    own = [comparing.shown(metric) for metric in kinds if metric in shown]
    st.dataframe(
        table[["recipe", *said[part], *own]],
        hide_index=True,
        key=f"side-by-side-{part}",
        column_config=columns,
    )
st.caption("mean ± standard deviation over seeds and orders; a number alone is one run")

left, right = st.columns(2, gap="medium")
with left:
    measures = {comparing.shown(name): name for name in comparing.QUALITY if name in shown}
    metric = measures[st.selectbox("Measure", measures, key="metric", bind="query-params")]
    values = {
        name: list(line.values[metric].values()) for name, line in zip(names, lines, strict=True)
    }
    summaries = {name: line.summary(metric) for name, line in zip(names, lines, strict=True)}
    widgets.chart(
        view,
        figures.spread(values, summaries, view.look, comparing.shown(metric)),
        "spread",
        alt=f"{comparing.shown(metric)} of {len(lines)} recipes with their spread",
        what="Filled marks are means, bars their 95 % intervals (Student's t), rings single runs. Where intervals "
        f"overlap widely, no recipe has won. {comparing.meaning(metric)}",
        formula=r"\bar{x} \pm t_{0.975,\,n-1}\, s / \sqrt{n}",
        table=table[["recipe", "rests on", comparing.shown(metric)]],
        source=source,
    )
with right:
    costs = {comparing.shown(name): name for name in comparing.COSTS}
    cost = costs[st.selectbox("Cost", costs, key="cost", bind="query-params")]
    places = {}
    for name, line in zip(names, lines, strict=True):
        paid, got = line.summary(cost), line.summary(metric)
        if paid is not None and got is not None:
            half = 0.0 if got.high is None else got.high - got.mean
            places[name] = (comparing.scaled(cost, paid.mean), got.mean, half)
    widgets.chart(
        view,
        figures.against_cost(places, view.look, comparing.shown(cost), comparing.shown(metric)),
        "cost",
        alt=f"{comparing.shown(metric)} against {comparing.shown(cost)}",
        what=f"Each mark is a recipe. Left is cheaper: {comparing.COSTS[cost].meaning}. "
        f"{comparing.meaning(metric)}",
        table=pd.DataFrame(
            [(name, *numbers[:2]) for name, numbers in places.items()],
            columns=["recipe", comparing.shown(cost), comparing.shown(metric)],
        ),
        source=source,
    )

st.header("As the stream goes on")
over = {name: list(line.stages.values()) for name, line in zip(names, lines, strict=True)}
widgets.chart(
    view,
    figures.stages(over, view.look),
    "stages",
    alt=f"Mean {score} of the tasks seen after each stage, of {len(lines)} recipes",
    what="After each task: the mean over all tasks seen so far. A line that falls forgets, or meets harder tasks. "
    "Bands run from the least to the most of a line's runs; higher is better.",
    formula=r"A_i = \frac{1}{i} \sum_{j \le i} R_{i,j}",
    table=pd.DataFrame(
        [
            (name, order, seed, stage, round(value, 2))
            for name, line in zip(names, lines, strict=True)
            for (order, seed), own in line.stages.items()
            for stage, value in enumerate(own, start=1)
        ],
        columns=["recipe", "order", "seed", "tasks learnt", f"mean {score} (%)"],
    ),
    source=source,
)

gaps = [each for each in found.differences if each.stream == stream and each.metric == metric]
if against != "nothing":
    st.header("Ahead of the reference")
    if not gaps:
        st.info(
            "No other line has a run on the same order and seed as the reference: nothing can be paired."
        )
    else:
        numbered = dict(zip([line.label for line in lines], names, strict=True))
        paired = {numbered[each.label]: each.difference for each in gaps}
        widgets.chart(
            view,
            figures.differences(
                paired, view.look, f"{comparing.shown(metric)}: ahead of {against}"
            ),
            "differences",
            alt=f"Paired differences of {comparing.shown(metric)} from {against}",
            what="The difference on the same orders and seeds, with its 95 % interval and the p-value of a paired "
            "t-test. An interval that holds 0 shows no difference.",
            formula=r"\frac{1}{n} \sum_s \left( a_s - b_s \right)",
            table=pd.DataFrame(
                {"difference": [format_difference(gap) for gap in paired.values()]}, list(paired)
            ),
            source=source,
        )

st.header("Take it along")
with st.container(horizontal=True):
    st.download_button(
        "LaTeX",
        as_latex(found),
        "comparison.tex",
        "text/x-tex",
        on_click="ignore",
        icon=":material/download:",
    )
    st.download_button(
        "CSV, one row for each run and metric",
        as_csv(found),
        "comparison.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
with st.expander("The LaTeX"):
    st.code(as_latex(found), language="latex")
