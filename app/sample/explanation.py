"""The explanation of a sample's routing and merge, in words that need no paper."""

from __future__ import annotations

import numpy as np

from app.base.escaped_text import plain
from app.data.answer_client import RoutedPrediction
from app.data.view import View
from app.sample.sample_choice import SampleChoice
from app.sample.what_ifs import WhatIfChoice
from cl_core.adapters.compose import COMPOSITIONS, with_given_weights
from cl_core.runs.run_config import RunConfig

ONE_FOR_ALL = "This recipe keeps one adapter for all tasks, so every sample gets that one."
UNTRAINED = "untrained backbone: accuracy on this task"
GIVEN = "Here the weights are set by hand, whatever the router's scores are."
"""Of a what-if that chooses the adapters itself."""


def composed(config: RunConfig, asked: WhatIfChoice) -> str:
    """The composition that answers: the recipe's, or the what-if's."""
    how = str(asked.fields.get("compose", config.recipe.compose))
    return with_given_weights(how) if _given(asked) else how


def story(config: RunConfig, other: RoutedPrediction, asked: WhatIfChoice) -> str:
    """The figure in a few sentences: what the router's row says, and the composition's.

    Args:
        config: of the run.
        other: the answer that the figure shows.
        asked: the what-if.
    """
    if config.recipe.shares_adapter:
        return ONE_FOR_ALL
    begin = GIVEN if _given(asked) else plain(config.recipe.router.traits.explanation)
    then = plain(COMPOSITIONS[composed(config, asked)].traits.explanation)
    compared = (
        " Dotted outlines and signed numbers compare with the run's own weights."
        if asked.fields
        else ""
    )
    return f"{begin} {then} Here: {_plain(other.words)}.{compared}"


def formulas(config: RunConfig, asked: WhatIfChoice) -> str:
    """LaTeX of the weights and of what becomes of the adapters; empty where there is nothing to write down."""
    if config.recipe.shares_adapter:
        return ""
    weights = "" if _given(asked) else config.recipe.router.traits.formula
    parts = (weights, COMPOSITIONS[composed(config, asked)].traits.formula)
    return r",\quad ".join(part for part in parts if part)


def _given(asked: WhatIfChoice) -> bool:
    """Whether the what-if chooses the adapters itself, so that the router has no say."""
    return not asked.fields.keys().isdisjoint(("uniform", "force"))


def untrained(view: View, chosen: SampleChoice) -> list[tuple[str, str]]:
    """How often the untrained model is right on the sample's task, where the run knows it."""
    if chosen.true is None or chosen.true >= len(view.tasks):
        return []
    score = view.report.untrained[chosen.true]
    return [] if np.isnan(score) else [(UNTRAINED, f"{100 * score:.0f} %")]


def _plain(words: str) -> str:
    return words.replace("+", "and")
