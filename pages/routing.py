"""The page Routing, of the router and its records: which adapters do samples get?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.base import theme
from app.data import answer_client
from app.data import routing_tables as tables
from app.data.routing_records import routed_at
from app.figures import bars
from app.figures.confidence import intervals
from app.figures.distribution import distribution
from app.figures.heatmap import heatmap
from app.routing import block_weights, routing_numbers, settings_section
from app.shell import frame, widgets
from app.shell.cell_samples import behind_a_cell
from app.shell.figure_table import setting_table, share_table
from cl_core.errors import counted
from cl_core.runs.cautions import named

view = frame.draw("Which adapters do samples get?")
run = widgets.must_be_scored(view)
config = run.config
routed = routed_at(run, view.stage)
if config.recipe.shares_adapter:
    widgets.nothing(
        "This recipe keeps one adapter for all tasks, so there is no route to choose. "
        "What it forgets instead is on the page Forgetting & transfer.",
        "forgetting",
        "See what was forgotten",
        run=run.name,
    )
    st.stop()
if routed is None:
    widgets.nothing(
        "No sample has been routed at this stage. Records are written when a run ends or is stopped; "
        "some recipes learn their router only after the last task.",
        "train",
        "See what is being trained",
    )
    st.stop()
answer_client.worker()  # begins to load: the texts behind a cell come from there

adapters = [theme.numbered(index, name) for index, name in enumerate(view.tasks[: view.stage])]
every = [theme.numbered(index, task.name) for index, task in enumerate(config.all_tasks)]
every = [
    name + (" (held out)" if index >= len(view.tasks) else "") for index, name in enumerate(every)
]
present = [index for index in range(len(every)) if (routed.true == index).any()]
rows = [every[index] for index in present]
learnt = routed.true < len(adapters)
source = (
    f"{named(config)}, stage {view.stage}, {len(routed)} "
    f"{config.settings.evaluate.split} samples, one seed"
)
counts = tables.confusion(routed, len(every))[present]
split = tables.outcomes(routed, len(every))[present]
scored = bool(config.recipe.router.traits.scores)
sure = "Wilson's 95 % intervals, for the number of samples alone"

routing_numbers.draw(view, routed, adapters)

st.header("True task and top-1 adapter")
as_counts = st.toggle("Numbers instead of shares", key="counts", bind="query-params")
shares, totals = tables.row_shares(counts), counts.sum(axis=1, keepdims=True)
clicked = widgets.chart(
    view,
    heatmap(
        shares,
        rows,
        adapters,
        view.look,
        row_title="true task",
        column_title="top-1 adapter",
        value_title="share (%)",
        highlight=view.task if view.task is not None and view.task < len(adapters) else None,
        counts=counts,
        show_counts=as_counts,
        notes=intervals(counts / totals, totals),
    ),
    "confusion",
    widgets.About(
        alt=f"{counted(len(rows), 'true task')} by {counted(len(adapters), 'adapter')}: "
        f"{100 * routed.right_route[learnt].mean():.1f} % of the learnt tasks' samples get their true-task adapter",
        what="Each row is a task, each column an adapter; a cell says how many of the task's samples "
        "got this adapter as "
        "their top-1 adapter. On the diagonal the route is right. Click a cell for the samples behind it.",
        formula=r"C_{t,u} = \#\{x \in D_t^{\text{test}} : \arg\max_v p_v(x) = u\}",
        source=f"{source}; {sure}",
    ),
    table=share_table(counts, rows, adapters, "true task", "top-1 adapter"),
    select=True,
)
behind_a_cell(view, config, routed, clicked, present, rows, adapters)

left, right = st.columns(2, gap="large")
with left:
    st.header("Does a wrong route cost the prediction?")
    widgets.chart(
        view,
        bars.outcomes(split, rows, view.look),
        "outcomes",
        widgets.About(
            alt=f"{split[:, 2].sum()} of {split[:, 2:].sum()} samples with a wrong route are predicted rightly",
            what="Every task's samples in four parts. Orange without hatching is what merging and "
            "related tasks forgive: "
            "the top-1 adapter is a wrong one, and the prediction is right all the same. Samples whose label cannot be "
            "answered yet are left out; a task of which that is all is crossed out.",
            source=f"{source}, of which {split.sum()} can be answered; {sure}",
        ),
        table=share_table(
            split, rows, [name for name, *_ in bars.OUTCOMES], "true task", "route and prediction"
        ),
    )
with right:
    st.header("How much is each adapter used?")
    mean, first = tables.usage(routed)
    widgets.chart(
        view,
        bars.usage(mean, first, adapters, view.look, len(routed)),
        "usage",
        widgets.About(
            alt="; ".join(
                f"{name}: {share:.0f} %" for name, share in zip(adapters, mean, strict=True)
            ),
            what="Bars are mean weights over all samples shown here; diamonds say of how many "
            "samples an adapter is the "
            "top-1 adapter. An adapter far above its neighbours attracts samples of other tasks.",
            formula=r"\bar p_t = \frac{1}{N} \sum_x p_t(x)",
            source=f"{source}; {sure}",
        ),
        table=setting_table(
            {"mean weight": mean, "top-1 adapter of": first},
            adapters,
            "adapter",
            ["top-1 adapter of"],
            len(routed),
        ),
    )

left, right = st.columns(2, gap="large")
for column, name, most, title, what, formula in (
    (
        left,
        "entropy",
        float(np.log(max(len(adapters), 2))),
        "Entropy of the routing weights",
        "Entropy of a sample's weights: 0 is one adapter alone, the right end is uniform.",
        r"H(x) = -\sum_t p_t \ln p_t",
    ),
    (
        right,
        "margin",
        1.0,
        "Margin of the routing weights",
        "Largest weight less the second: 1 is certain, 0 is a tie. A good router has small margins where it is wrong.",
        r"m(x) = p_{(1)} - p_{(2)}",
    ),
):
    with column:
        st.header(title)
        values, rightly = routed.column(name)[learnt], routed.right_route[learnt]
        widgets.chart(
            view,
            distribution(
                values[rightly],
                values[~rightly],
                view.look,
                most=most,
                title=f"{name} of the weights{' (nats)' if name == 'entropy' else ''}",
            ),
            name,
            widgets.About(
                alt=f"mean {name} {values.mean():.2f}",
                what=what
                + " Right routes stand above the line, wrong ones below it; of the tasks that are learnt.",
                formula=formula,
                source=f"{source}, {learnt.sum()} of them of tasks learnt",
            ),
            table=pd.DataFrame(
                {
                    f"{name} (nats)" if name == "entropy" else name: values,
                    "right route": rightly,
                },
                pd.Index(np.array(routed.ids)[learnt], name="sample"),
            ),
        )

if scored:
    settings_section.draw(view, routed, adapters, source)
if routed.per_block is not None:
    block_weights.draw(view, routed, present, rows, adapters, source)
