"""A sample's routing, merge and prediction, and its what-ifs: the middle of the page Sample.

A fragment: a what-if draws this part anew and leaves the rest of the page as it is, so that it is answered at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.base import theme
from app.base.escaped_text import plain
from app.data import answer_client
from app.data.answer_client import RoutedPrediction
from app.data.view import View
from app.figures.heatmap import heatmap
from app.figures.merges import merges
from app.figures.routing_diagram import routing_diagram
from app.sample import cards, pinned
from app.sample.explanation import composed, formulas, story, untrained
from app.sample.sample_choice import SampleChoice
from app.sample.what_ifs import WhatIfChoice, panel
from app.shell import frame, widgets
from app.shell.figure_table import figure_table
from app.workers.process import WorkerFailed
from cl_core.errors import UserError, counted
from cl_core.runs.cautions import named
from cl_core.runs.run_config import RunConfig

GATES = r"\alpha^{(b)}_t = \frac{m^{(b)}_t}{\sum_u m^{(b)}_u},\quad m = \sigma(z)"


@st.fragment
def draw(view: View, config: RunConfig, chosen: SampleChoice, shown: Mapping[str, Any]) -> None:
    """The sample, its way to a prediction beside the controls of a what-if, and the predictions side by side.

    Args:
        view: what is being looked at.
        config: of its run.
        chosen: the sample.
        shown: the same as it can be shown, from `answer_client.shown`.
    """
    tasks = [theme.numbered(index, name) for index, name in enumerate(view.tasks[: view.stage])]
    shared = config.recipe.shares_adapter
    adapters = ["one for all tasks"] if shared else tasks
    learnt = chosen.true if chosen.true is not None and chosen.true < len(tasks) else None
    true_task = None if learnt is None else view.tasks[learnt]
    left, right = st.columns([2.3, 1], gap="medium")
    with right, st.container(border=True):
        st.header("What if?")
        asked = panel(config, tasks, learnt)
    frame.show_link()  # the address now says what the controls say
    with left:
        cards.show_sample(shown, view.look)
        try:
            with st.spinner("Running the model…", show_time=True):
                of_run, of_what_if = answer_client.predictions(
                    view, chosen.sample, [{}, asked.fields], true_task
                )
        except (UserError, WorkerFailed) as error:
            st.error(plain(str(error)))
            return
        _say(view, config, chosen, asked, of_run, of_what_if)
        _chain(view, config, chosen, asked, adapters, of_run, of_what_if)
    compare = st.container()
    if (
        of_what_if.alone
    ):  # one adapter for all tasks predicts what the run predicts, and is no second voice beside it
        compare, said = st.columns([2.1, 1], gap="large")
        with said:
            st.header("Each adapter alone")
            who = asked.words if asked.fields else "this run"
            cards.predictions_table(who, of_what_if, adapters, chosen.label, view.look)
    with compare:
        st.header("Weights compared")
        beside = pinned.show(view, chosen, asked, true_task)
        rows = [
            ("this run", of_run),
            *([(asked.words, of_what_if)] if asked.fields else []),
            *beside,
        ]
        _side_by_side(view, rows, adapters)
    if of_what_if.per_block is not None:
        _blocks(view, chosen, of_what_if.per_block, tasks)


def _say(
    view: View,
    config: RunConfig,
    chosen: SampleChoice,
    asked: WhatIfChoice,
    of_run: RoutedPrediction,
    of_what_if: RoutedPrediction,
) -> None:
    """The truth and the predictions, and in one line what the what-if changes."""
    every = [theme.numbered(index, task.name) for index, task in enumerate(config.all_tasks)]
    answered = [
        ("prediction of this run", of_run),
        *([("prediction, what if", of_what_if)] if asked.fields else []),
    ]
    cards.facts(
        [
            ("true task", "not known" if chosen.true is None else every[chosen.true]),
            ("true label", chosen.label or "not known"),
            *(
                (who, f"{answer.prediction} {cards.verdict(answer.prediction, chosen.label)}")
                for who, answer in answered
            ),
            *untrained(view, chosen),
        ],
        view.look,
    )
    if asked.fields:
        changed = "changes" if of_run.prediction != of_what_if.prediction else "stays the same"
        cards.line(
            f"What if: {asked.words}: {of_what_if.words}. The prediction {changed}.", view.look
        )
    else:
        cards.line(f"As in the run: {of_run.words}.", view.look)


def _chain(
    view: View,
    config: RunConfig,
    chosen: SampleChoice,
    asked: WhatIfChoice,
    adapters: Sequence[str],
    of_run: RoutedPrediction,
    of_what_if: RoutedPrediction,
) -> None:
    """From features to the answer, from left to right."""
    scores = "" if config.recipe.shares_adapter else config.recipe.router.traits.scores
    how = composed(config, asked)
    widgets.chart(
        view,
        routing_diagram(
            adapters,
            of_what_if.weights,
            view.look,
            answer=of_what_if.prediction,
            confidence=of_what_if.confidence,
            scores=of_what_if.scores if scores else None,
            before=of_run.weights if asked.fields else None,
            was=of_run.prediction if of_run.prediction != of_what_if.prediction else None,
            headings=(
                f"Router score: {escape(scores)}" if scores else "",
                "Weights",
                how.title(),
                "Prediction",
            ),
        ),
        "recipe",
        widgets.About(
            alt=f"{of_what_if.words}: prediction {of_what_if.prediction}",
            what=story(config, of_what_if, asked),
            formula=formulas(config, asked),
            source=f"{_source(view)}, {chosen.name[:60]}, computed now",
        ),
        table=pd.DataFrame(
            {
                "score": of_what_if.scores,
                "weight before": of_run.weights,
                "weight after": of_what_if.weights,
                "difference of weights": [
                    b - a for a, b in zip(of_run.weights, of_what_if.weights, strict=True)
                ],
                **({"alone": of_what_if.alone} if of_what_if.alone else {}),
            },
            pd.Index(list(adapters), name="adapter"),
        ),
    )


def _side_by_side(
    view: View, rows: Sequence[tuple[str, RoutedPrediction]], adapters: Sequence[str]
) -> None:
    """Each way of merging as a bar, the pinned ones among them."""
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
        widgets.About(
            alt="; ".join(
                f"{name}: {answer.words}: prediction {answer.prediction}" for name, answer in rows
            ),
            what="Each bar is one merge: how much of every adapter is in it, and its prediction with the softmax "
            "probability. A pinned sample stays here while you look at others.",
            source=f"{_source(view)}, computed now",
        ),
        table=pd.DataFrame(
            [[*answer.weights, answer.prediction, answer.confidence] for _, answer in rows],
            pd.Index([name for name, _ in rows], name="merge"),
            [*adapters, "prediction", "softmax probability"],
        ),
    )


def _blocks(
    view: View, chosen: SampleChoice, per_block: Mapping[str, Sequence[float]], tasks: Sequence[str]
) -> None:
    """L2R: the weights of every adapted block."""
    st.header("Which adapters each block uses")
    weights = 100 * np.array(list(per_block.values()))
    widgets.chart(
        view,
        heatmap(
            weights,
            list(per_block),
            tasks,
            view.look,
            row_title="block",
            column_title="adapter",
            value_title="weight (%)",
            highlight=view.task,
        ),
        "blocks",
        widgets.About(
            alt=f"Weights of {counted(len(tasks), 'adapter')} in {counted(len(per_block), 'block')}",
            what="Every adapted block has a router of its own, which reads what enters the block. "
            "Each row adds up to 100 %.",
            formula=GATES,
            source=f"{_source(view)}, {chosen.name[:60]}, computed now",
        ),
        table=figure_table(weights, list(per_block), tasks, "%", "block"),
    )


def _source(view: View) -> str:
    return f"{named(view.run.config) if view.run else ''}, stage {view.stage}"
