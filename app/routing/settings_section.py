"""Routing under each k and temperature, computed from the recorded scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.data.routing_records import RoutingRecords
from app.data.view import View
from app.figures.curves import setting_lines
from app.routing import setting_accuracy_section
from app.shell import widgets
from app.shell.figure_table import setting_table
from cl_core.evaluate.reweighing import TEMPERATURES, try_settings

RECALL, ACCURACY, WEIGHT = (
    "top-k recall",
    "routing accuracy",
    "true-task weight",
)
COUNTED = (RECALL, ACCURACY)
"""Lines that are shares of samples."""


def draw(view: View, routed: RoutingRecords, adapters: Sequence[str], source: str) -> None:
    """Figures over k, over the temperature, and of what they do to the accuracy; samples of tasks with an adapter.

    Args:
        view: what is looked at.
        routed: the stage's records.
        adapters: K numbered names.
        source: of the numbers.
    """
    if view.run is None:
        return
    config = view.run.config
    ranked = config.recipe.ranks
    has_adapter = routed.true < len(adapters)
    scores, true = routed.scores[has_adapter], routed.true[has_adapter]
    st.header("What if k or the temperature were different?")
    st.caption(
        "Computed from the recorded scores; nothing is run. What scores best weighs most under every setting."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _by_k(view, scores, true, ranked, source)
    if ranked:
        with right:
            _by_temperature(view, scores, true, source)
        setting_accuracy_section.draw(view)


def _by_k(
    view: View,
    scores: NDArray[np.float32],
    true: NDArray[np.int64],
    ranked: bool,
    source: str,
) -> None:
    if view.run is None:
        return
    settings = view.run.config.settings.router
    ks = range(1, scores.shape[1] + 1)
    points = try_settings(scores, true, ks, [settings.temperature])
    lines = {
        RECALL: [100 * point.top_k_recall for point in points],
        ACCURACY: [100 * point.router_accuracy for point in points],
        **({WEIGHT: [100 * point.true_task_weight for point in points]} if ranked else {}),
    }
    widgets.chart(
        view,
        setting_lines(
            lines,
            list(ks),
            min(settings.k, len(ks)),
            view.look,
            x_title="k",
            counted=COUNTED,
            samples=len(true),
        ),
        "sweep-k",
        widgets.About(
            alt=f"top-k recall from {lines[RECALL][0]:.0f} % at k = 1",
            what="The more adapters are kept, the likelier the true-task adapter is among them, and "
            "the less it weighs.",
            formula=r"R@k = \#(t \in K(x)) / N",
            source=f"{source}, recorded scores, τ = {settings.temperature:g}",
        ),
        table=_table(lines, list(ks), "k", true),
    )


def _by_temperature(
    view: View, scores: NDArray[np.float32], true: NDArray[np.int64], source: str
) -> None:
    if view.run is None:
        return
    settings = view.run.config.settings.router
    taus = sorted({*TEMPERATURES, settings.temperature})
    points = try_settings(scores, true, [settings.k], taus)
    lines = {
        WEIGHT: [100 * point.true_task_weight for point in points],
        ACCURACY: [100 * point.router_accuracy for point in points],
        "calibration error": [100 * point.calibration_error for point in points],
    }
    widgets.chart(
        view,
        setting_lines(
            lines,
            taus,
            settings.temperature,
            view.look,
            x_title="temperature τ",
            logarithmic=True,
            counted=COUNTED,
            samples=len(true),
        ),
        "sweep-temperature",
        widgets.About(
            alt=f"mean weight of the true-task adapter from {lines[WEIGHT][0]:.0f} %",
            what="A small temperature is nearly selection, a large one nearly the plain mean of the k kept. The "
            "calibration error says how far the largest weight is from the chance of being right; lower is better.",
            formula=r"p_t = \mathrm{softmax}_{K(x)}(s_t / \tau)",
            source=f"{source}, recorded scores, k = {settings.k}",
        ),
        table=_table(lines, taus, "temperature", true),
    )


def _table(
    lines: Mapping[str, Sequence[float]],
    values: Sequence[float],
    name: str,
    true: NDArray[np.int64],
) -> pd.DataFrame:
    return setting_table(lines, values, name, COUNTED, len(true))
