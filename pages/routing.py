"""Which adapters do samples get?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app import answers, frame, other_settings, theme, widgets
from app import routing_tables as tables
from app.behind import behind_a_cell
from app.figure_table import figure_table, setting_table, share_table
from app.figures import bars
from app.figures.certain import interval
from app.figures.curves import setting_lines
from app.figures.distribution import distribution
from app.figures.matrix import heatmap
from app.records import routed_at
from cl_core.evaluate.routing import router_accuracy, top_k_recall
from cl_core.evaluate.sweeps import TEMPERATURES, sweep
from cl_core.route.settings import RANKED

view = frame.draw("Which adapters do samples get?")
widgets.must_be_scored(view)
config = view.run.config
routed = routed_at(view.run, view.after)
if config.recipe.train != "isolated":
    widgets.nothing(
        "This recipe keeps one adapter for all tasks, so there is no route to choose. "
        "What it forgets instead is on the page Forgetting & transfer.",
        "forgetting",
        "See what was forgotten",
        run=view.run.name,
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
answers.worker()  # begins to load: the texts behind a cell come from there

adapters = [theme.numbered(place, name) for place, name in enumerate(view.tasks[: view.after])]
every = [theme.numbered(place, task.name) for place, task in enumerate(config.all_tasks)]
every = [
    name + (" (held out)" if place >= len(view.tasks) else "") for place, name in enumerate(every)
]
present = [place for place in range(len(every)) if (routed.true == place).any()]
rows = [every[place] for place in present]
known = routed.true < len(adapters)
k, tau = config.settings.router.k, config.settings.router.temperature
scored_on = config.settings.evaluate.split
source = (
    f"run {view.run.name}, after task {view.after}, {len(routed)} {scored_on} samples, one seed"
)
counts = tables.confusion(routed, len(every))[present]
split = tables.outcomes(routed, len(every))[present]
ranked = config.recipe.route in RANKED
scored = ranked or config.recipe.route in ("mahalanobis", "kmeans")
wrong_routes = int((~routed.right_route).sum())
forgiven = int((~routed.right_route & routed.right_answer).sum())
right_routes = router_accuracy(routed.weights[known], routed.true[known])
recall = top_k_recall(routed.scores[known], routed.true[known], k)
right_answers = float(routed.right_answer.mean())
sure = "Wilson's 95 % intervals, for the number of samples alone"

widgets.metrics(
    [
        (
            "Right route",
            f"{100 * right_routes:.1f} %",
            "router accuracy: share of samples whose heaviest adapter is their own task's; higher is better; "
            + interval(right_routes, int(known.sum())),
        ),
        *(
            [
                (
                    f"Own adapter among the {k} best",
                    f"{100 * recall:.1f} %",
                    "top-k recall: share of samples whose own task is among the k best scores; higher is better; "
                    + interval(recall, int(known.sum())),
                )
            ]
            if scored
            else []
        ),
        (
            "Right answers despite a wrong route",
            f"{forgiven} of {wrong_routes}",
            "samples with a wrong heaviest adapter that were answered rightly all the same; "
            + interval(forgiven / max(wrong_routes, 1), wrong_routes),
        ),
        (
            "Right answers",
            f"{100 * right_answers:.1f} %",
            "accuracy over all samples of this stage; higher is better; "
            + interval(right_answers, len(routed)),
        ),
    ]
)

st.header("True task and chosen adapter")
as_counts = st.toggle("Numbers instead of shares", key="counts", bind="query-params")
shares = tables.row_shares(counts)
clicked = widgets.chart(
    view,
    heatmap(
        shares,
        rows,
        adapters,
        view.look,
        row_title="true task",
        column_title="heaviest adapter",
        value_title="share (%)",
        highlight=view.task if view.task is not None and view.task < len(adapters) else None,
        counts=counts,
        show_counts=as_counts,
        note=lambda i, j: interval(counts[i, j] / counts[i].sum(), int(counts[i].sum())),
    ),
    "confusion",
    alt=f"{len(rows)} true tasks by {len(adapters)} adapters: "
    f"{100 * routed.right_route.mean():.1f} % of the samples get their own task's",
    what="Each row is a task, each column an adapter; a cell says how many of the task's samples got this adapter as "
    "their heaviest. On the diagonal the route is right. Click a cell for the samples behind it.",
    formula=r"C_{t,u} = \#\{x \in D_t^{\text{test}} : \arg\max_v p_v(x) = u\}",
    table=share_table(counts, rows, adapters, "true task", "heaviest adapter"),
    source=f"{source}; {sure}",
    select=True,
)
behind_a_cell(view, config, routed, clicked, present, rows, adapters)

left, right = st.columns(2, gap="large")
with left:
    st.header("Does a wrong route cost the answer?")
    widgets.chart(
        view,
        bars.outcomes(split, rows, view.look),
        "outcomes",
        alt=f"{forgiven} of {wrong_routes} samples with a wrong route were answered rightly",
        what="Every task's samples in four parts. Orange without hatching is what merging and related tasks forgive: "
        "the wrong adapter weighed most, and the answer is right all the same.",
        table=share_table(
            split, rows, [name for name, *_ in bars.OUTCOMES], "true task", "route and answer"
        ),
        source=f"{source}; {sure}",
    )
with right:
    st.header("How much is each adapter used?")
    mean, heaviest = tables.usage(routed)
    widgets.chart(
        view,
        bars.usage(mean, heaviest, adapters, view.look, len(routed)),
        "usage",
        alt="; ".join(f"{name}: {share:.0f} %" for name, share in zip(adapters, mean, strict=True)),
        what="Bars are mean weights over all samples shown here; diamonds say of how many samples an adapter is the "
        "heaviest. An adapter far above its neighbours attracts samples of other tasks.",
        formula=r"\bar p_t = \frac{1}{N} \sum_x p_t(x)",
        table=setting_table(
            {"mean weight": mean, "heaviest of": heaviest},
            adapters,
            "adapter",
            ["heaviest of"],
            len(routed),
        ),
        source=f"{source}; {sure}",
    )

left, right = st.columns(2, gap="large")
for column, name, most, title, what, formula in (
    (
        left,
        "entropy",
        float(np.log(max(len(adapters), 2))),
        "How mixed are the merges?",
        "Entropy of a sample's weights: 0 is one adapter alone, the right end is all alike.",
        r"H(x) = -\sum_t p_t \ln p_t",
    ),
    (
        right,
        "margin",
        1.0,
        "How sure is the router?",
        "Largest weight less the second: 1 is certain, 0 is a tie. A good router is unsure where it is wrong.",
        r"m(x) = p_{(1)} - p_{(2)}",
    ),
):
    with column:
        st.header(title)
        values = routed.column(name)
        widgets.chart(
            view,
            distribution(
                values[routed.right_route],
                values[~routed.right_route],
                view.look,
                most=most,
                title=f"{name} of the weights{' (nats)' if name == 'entropy' else ''}",
            ),
            name,
            alt=f"mean {name} {values.mean():.2f}",
            what=what + " Right routes stand above the line, wrong ones below it.",
            formula=formula,
            table=pd.DataFrame(
                {
                    f"{name} (nats)" if name == "entropy" else name: values,
                    "right route": routed.right_route,
                },
                pd.Index(routed.ids, name="sample"),
            ),
            source=source,
        )

if scored:
    st.header("What if k or the temperature were others?")
    st.caption(
        "Computed from the recorded scores; nothing is run. What scores best weighs most under every setting."
    )
    left, right = st.columns(2, gap="large")
    counted, n = ("own adapter among the k kept", "right route"), int(known.sum())
    own_scores, own = routed.scores[known], routed.true[known]
    with left:
        found = sweep(own_scores, own, range(1, len(adapters) + 1), [tau])
        lines = {
            "own adapter among the k kept": [100 * each.top_k_recall for each in found],
            "right route": [100 * each.router_accuracy for each in found],
            **(
                {"mean weight of the own adapter": [100 * each.own_weight for each in found]}
                if ranked
                else {}
            ),
        }
        widgets.chart(
            view,
            setting_lines(
                lines,
                [each.k for each in found],
                min(k, len(adapters)),
                view.look,
                x_title="k",
                counted=counted,
                samples=n,
            ),
            "sweep-k",
            alt=f"top-k recall from {lines['own adapter among the k kept'][0]:.0f} % at k = 1",
            what="The more adapters are kept, the likelier the own one is among them, and the less it weighs.",
            formula=r"R@k = \#(t \in K(x)) / N",
            table=setting_table(lines, [each.k for each in found], "k", counted, n),
            source=f"{source}, recorded scores, τ = {tau:g}",
        )
    if ranked:
        with right:
            taus = sorted({*TEMPERATURES, tau})
            found = sweep(own_scores, own, [k], taus)
            lines = {
                "mean weight of the own adapter": [100 * each.own_weight for each in found],
                "right route": [100 * each.router_accuracy for each in found],
                "calibration error": [100 * each.calibration_error for each in found],
            }
            widgets.chart(
                view,
                setting_lines(
                    lines,
                    taus,
                    tau,
                    view.look,
                    x_title="temperature τ",
                    logarithmic=True,
                    counted=counted,
                    samples=n,
                ),
                "sweep-temperature",
                alt=f"mean weight of the own adapter from {lines['mean weight of the own adapter'][0]:.0f} %",
                what="A small temperature is nearly selection, a large one nearly a plain mean of the k kept. The "
                "calibration error says how far the largest weight is from the chance of being right; lower is better.",
                formula=r"p_t = \mathrm{softmax}_{K(x)}(s_t / \tau)",
                table=setting_table(lines, taus, "temperature", counted, n),
                source=f"{source}, recorded scores, k = {k}",
            )
        other_settings.draw(view)

if routed.per_block is not None:
    st.header("Which adapters does each block use?")
    of = st.selectbox(
        "Samples of", ["every task", *rows], key="blocks_of", bind="query-params", width=260
    )
    means = tables.block_means(routed, None if of not in rows else present[rows.index(of)])
    if means is not None:
        blocks = [f"router {place + 1}" for place in range(len(means))]
        widgets.chart(
            view,
            heatmap(
                means,
                blocks,
                adapters,
                view.look,
                row_title="router",
                column_title="adapter",
                value_title="mean weight (%)",
                highlight=view.task
                if view.task is not None and view.task < len(adapters)
                else None,
            ),
            "block-means",
            alt=f"mean weights of {len(adapters)} adapters under {len(blocks)} routers",
            what="Every adapted block has its own router, the first next to the input. "
            "Rows add up to 100 %; where a column stands out from the "
            "bottom to the top, the routers agree.",
            formula=r"\bar\alpha^{(b)}_t = \frac{1}{N} \sum_x \alpha^{(b)}_t(x)",
            table=figure_table(means, blocks, adapters, "%", "router"),
            source=source,
        )
