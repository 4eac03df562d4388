"""A few samples with how they were routed, for a run's report: two of each kind, the first ones on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data.routing_records import RoutingRecords
from app.report import report_html as html
from cl_core.errors import AdapterLabError, counted
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder

EACH = 2
LONGEST = 600
"""Characters of a text."""


def samples(
    run: RunFolder,
    routed: RoutingRecords,
    tasks: Sequence[str],
    show: Callable[[str], Mapping[str, Any]] | None,
) -> list[str]:
    """HTML of the section.

    Args:
        run: whose.
        routed: N samples of its last stage.
        tasks: numbered names of the adapters.
        show: from a sample's id to its "texts" and "pictures"; None where the data are not at hand.
    """
    parts = [
        html.heading("Example predictions"),
        html.sentence(f"The first {EACH} on record of each kind: not hand-picked."),
    ]
    every = [task.name for task in run.config.all_tasks]
    for title, chosen in _kinds(run.config, routed).items():
        rows = np.flatnonzero(chosen)
        share = 100 * len(rows) / max(len(routed), 1)
        parts.append(
            f"<h3>{html.escape(title)}: {counted(len(rows), 'sample')}, {share:.1f} %</h3>"
        )
        parts += [_one(run.config, routed, int(row), tasks, every, show) for row in rows[:EACH]]
    return parts


def _kinds(config: RunConfig, routed: RoutingRecords) -> dict[str, NDArray[np.bool_]]:
    """What samples are told apart by: name, and (N,) which are so."""
    route, answer, wrong = (
        routed.right_route,
        routed.right_prediction,
        ~routed.right_prediction & routed.answerable,
    )
    if config.recipe.shares_adapter:
        return {"right prediction": answer, "wrong prediction": wrong}
    return {
        "right route, right prediction": route & answer,
        "wrong route, right prediction": ~route & answer,
        "right route, wrong prediction": route & wrong,
        "wrong route, wrong prediction": ~route & wrong,
    }


def _one(
    config: RunConfig,
    routed: RoutingRecords,
    row: int,
    tasks: Sequence[str],
    every: Sequence[str],
    show: Callable[[str], Mapping[str, Any]] | None,
) -> str:
    sample_id = routed.ids[row]
    text, pictures = "", []
    if show is not None:
        try:
            shown = show(sample_id)
            text = "\n".join(str(input_text) for input_text in shown["texts"].values())
            pictures = list(shown["pictures"])
        except AdapterLabError as error:
            text = f"(its text cannot be shown: {error})"
    label, said = (int(routed.column(name)[row]) for name in ("label", "prediction"))
    pairs = {
        "true task": every[int(routed.true[row])],
        "adapters": "one for all tasks"
        if config.recipe.shares_adapter
        else _merge(routed, row, tasks),
        "prediction": f"{config.label_space[said]} ({routed.verdict(row)})",
        "true label": config.label_space[label] if label >= 0 else "none that was learnt",
    }
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return html.sample(sample_id, cut, pictures, pairs)


def _merge(routed: RoutingRecords, row: int, tasks: Sequence[str]) -> str:
    """ "0.62 of 3 films + 0.38 of 5 news": shares of a hundredth and more, the largest first."""
    weights = routed.weights[row]
    order = sorted(range(len(weights)), key=lambda index: -weights[index])
    used = [index for index in order if weights[index] >= 0.005]
    return " + ".join(f"{weights[index]:.2f} of {tasks[index]}" for index in used)
