"""What a sample's figure says, in words that need no paper."""

from __future__ import annotations

import numpy as np

from app.answers import Answer
from app.choosing import Chosen
from app.frame import View
from cl_core.lab.run_config import RunConfig

HEADINGS = {
    "centroid": "Nearness: cosine",
    "corrupted": "Nearness: cosine",
    "mahalanobis": "Nearness: minus distance",
    "kmeans": "Nearness: minus distance",
}
"""Of the first zone, for routers that look at the sample's features."""
COMPOSED = {
    "select": "Only the heaviest adapter is used.",
    "merge": "Their parameters are averaged with these weights into one adapter, which answers.",
    "average": "Every one of them runs, and their outputs are averaged with these weights.",
    "ensemble": "Every one of them answers, and their answers are averaged with these weights.",
}


def story(config: RunConfig, how: str, other: Answer, words: str) -> str:
    """The figure in three sentences.

    Args:
        config: of the run.
        how: the composition, of the recipe or of the what-if.
        other: the answer that the figure shows.
        words: the what-if; empty without one.
    """
    route = config.recipe.route
    if config.recipe.train != "isolated":
        return "This recipe keeps one adapter for all tasks, so every sample gets that one."
    begin = {
        "learned": "A small router in every block weighs the adapters; the bars show the mean over blocks.",
        "oracle": "This recipe is told the sample's true task and takes its adapter.",
        "uniform": "This recipe gives every adapter the same weight, whatever the sample is.",
        "fixed": "This recipe gives every sample the weights that were dialled in.",
    }.get(
        route,
        "The frozen backbone turns the sample into a point. The further right a mark, the nearer that point is to the "
        "mean of the task's training samples; the marks are spread over the range of this sample's scores. "
        "Filled marks are kept, and a softmax turns their scores into weights.",
    )
    what = (
        ""
        if not words
        else " Dotted outlines and signed numbers compare with the run's own weights."
    )
    return f"{begin} {COMPOSED.get(how, '')} Here: {_plain(other.words)}.{what}"


def bare_backbone(view: View, chosen: Chosen) -> list[tuple[str, str]]:
    """How often the untrained model is right on the sample's task, where the run knows it."""
    if chosen.true is None or chosen.true >= len(view.tasks):
        return []
    score = view.report.untrained[chosen.true]
    return [] if np.isnan(score) else [("bare backbone on its task", f"{100 * score:.0f} % right")]


def _plain(words: str) -> str:
    return words.replace("+", "and")
