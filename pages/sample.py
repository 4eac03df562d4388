"""How was this sample answered?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import answers, cards, frame, nearest, pins, theme, widgets
from app.choosing import choose
from app.explain import HEADINGS, bare_backbone, story
from app.figures.matrix import heatmap
from app.figures.merges import merges
from app.figures.recipe import recipe
from app.text import plain
from app.what_ifs import panel
from app.workers.process import WorkerFailed
from cl_core.errors import UserError

view = frame.draw("How was this sample answered?")
if view.run is None:
    widgets.nothing(
        "No run has been scored here yet.", "start", "Explore the demonstration", ws="Demonstration"
    )
    st.stop()

config = view.run.config
answers.worker()
tasks = [theme.numbered(place, name) for place, name in enumerate(view.tasks[: view.after])]
every = [theme.numbered(place, task.name) for place, task in enumerate(config.all_tasks)]
try:
    with st.spinner("Loading the model…", show_time=True):
        chosen = choose(view, config)
        if chosen is None:
            st.stop()
        shown = answers.shown(view, chosen.sample)
except (UserError, WorkerFailed) as error:
    st.error(plain(str(error)))
    st.stop()

shared = config.recipe.train != "isolated"
adapters = ["one for all tasks"] if shared else tasks
learnt = chosen.true if chosen.true is not None and chosen.true < len(tasks) else None
told = None if learnt is None else view.tasks[learnt]
left, right = st.columns([2.6, 1], gap="large")
with right, st.container(border=True):
    st.subheader("What if?")
    asked = panel(config, tasks, learnt)
with left:
    cards.show_sample(shown, view.look)
    place = st.container()
    try:
        with st.spinner("Asking the model…", show_time=True):
            own, other = answers.answers(view, chosen.sample, [{}, asked.fields], told)
    except (UserError, WorkerFailed) as error:
        st.error(plain(str(error)))
        st.stop()
    with place:
        cards.facts(
            [
                ("true task", "not known" if chosen.true is None else every[chosen.true]),
                ("true answer", chosen.label or "not known"),
                (
                    "this run answers",
                    f"{own.prediction} {cards.verdict(own.prediction, chosen.label)}",
                ),
                *(
                    [
                        (
                            "what if",
                            f"{other.prediction} {cards.verdict(other.prediction, chosen.label)}",
                        )
                    ]
                    if asked.fields
                    else []
                ),
                *bare_backbone(view, chosen),
            ],
            view.look,
        )
    flipped = own.prediction != other.prediction
    if asked.fields:
        changed = "changes" if flipped else "stays the same"
        cards.line(f"What if: {asked.words}: {other.words}. The answer {changed}.", view.look)
    else:
        cards.line(
            f"As in the run: {'one adapter for all tasks' if shared else own.words}.", view.look
        )
    ranked = config.recipe.route in HEADINGS
    how = asked.fields.get("compose", config.recipe.compose)
    widgets.chart(
        view,
        recipe(
            adapters,
            other.weights,
            view.look,
            answer=other.prediction,
            confidence=other.confidence,
            scores=other.scores if ranked else None,
            before=own.weights if asked.fields else None,
            was=own.prediction if flipped else None,
            headings=(HEADINGS.get(config.recipe.route, ""), "Weights", how.title(), "Answer"),
        ),
        "recipe",
        alt=f"{other.words} answers {other.prediction}",
        what=story(config, how, other, asked.words),
        formula=r"p_t = \frac{e^{s_t/\tau}}{\sum_{u \in K(x)} e^{s_u/\tau}},\quad "
        r"\Phi(x) = \sum_t p_t\,\Phi_t"
        if ranked
        else "",
        table=pd.DataFrame(
            {
                "score": other.scores,
                "before": own.weights,
                "after": other.weights,
                "difference": [b - a for a, b in zip(own.weights, other.weights, strict=True)],
                "alone": other.alone,
            },
            adapters,
        ),
        source=f"run {view.run.name}, after task {view.after}, {plain(chosen.name[:60])}, computed now",
    )

compare, said = st.columns([2.1, 1], gap="large")
with said:
    st.subheader("Each adapter alone")
    cards.voices(other, adapters, chosen.label, view.look)
with compare:
    st.subheader("Side by side")
    pinned = pins.show(view, chosen, asked, told)
    rows = [("this run", own), *([(asked.words, other)] if asked.fields else []), *pinned]
    widgets.chart(
        view,
        merges(
            [name for name, _ in rows],
            [answer.weights for _, answer in rows],
            [f"{answer.prediction}, {answer.confidence:.0%}" for _, answer in rows],
            adapters,
            view.look,
        ),
        "side-by-side",
        alt="; ".join(
            f"{name}: {answer.words} answers {answer.prediction}" for name, answer in rows
        ),
        what="Each bar is one merge: how much of every adapter is in it, and what it answers. A pinned sample stays "
        "here while you look at others.",
        table=pd.DataFrame(
            [[*answer.weights, answer.prediction, answer.confidence] for _, answer in rows],
            [name for name, _ in rows],
            [*adapters, "answer", "confidence"],
        ),
        source=f"run {view.run.name}, after task {view.after}, computed now",
    )

nearest.draw(view, chosen)

if other.per_block is not None:
    st.subheader("Which adapters each block uses")
    blocks = pd.DataFrame(other.per_block, tasks).T
    widgets.chart(
        view,
        heatmap(
            100 * blocks.to_numpy(),
            list(other.per_block),
            tasks,
            view.look,
            row_title="block",
            column_title="adapter",
            value_title="weight (%)",
            highlight=view.task,
        ),
        "blocks",
        alt=f"Weights of {len(tasks)} adapters in {len(other.per_block)} blocks",
        what="Every adapted block has a router of its own, which reads what enters the block. "
        "Each row adds up to 100 %.",
        formula=r"\alpha^{(b)}_t = \frac{m^{(b)}_t}{\sum_u m^{(b)}_u},\quad m = \sigma(z)",
        table=blocks.round(4),
        source=f"run {view.run.name}, after task {view.after}, {plain(chosen.name[:60])}, computed now",
    )
