"""Predictions for samples, with routing weights and nearest rows, asked of the worker; no torch is imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.data.runs import stamp, workspace
from app.data.view import View
from app.workers.process import Worker
from cl_core.runs.reading.run_reader import Stamp

Sample = Mapping[str, str]
"""{"id": of a scored row}, or one's own by column, pictures and clips as base64."""


@dataclass(frozen=True)
class RoutedPrediction:
    """How one sample was routed and what was predicted; K adapters in the order of their tasks.

    Attributes:
        prediction: the label.
        confidence: its softmax probability, not calibrated.
        scores: K, the router's.
        weights: K, p(x).
        alone: K labels, each adapter's by itself; none where one adapter serves all tasks, whose answer is the run's.
        per_block: L2R: the weights of each adapted block.
    """

    prediction: str
    confidence: float
    scores: tuple[float, ...]
    weights: tuple[float, ...]
    alone: tuple[str, ...]
    per_block: dict[str, tuple[float, ...]] | None = None

    @property
    def chosen(self) -> int:
        """The adapter with the largest weight, the earlier one of equals."""
        return max(range(len(self.weights)), key=lambda index: self.weights[index])

    @property
    def words(self) -> str:
        """ "0.93 T4 + 0.07 T5": shares of a hundredth and more, the largest first."""
        if not self.alone and len(self.weights) == 1:
            return "one adapter for all tasks"
        order = sorted(range(len(self.weights)), key=lambda index: -self.weights[index])
        used = [index for index in order if self.weights[index] >= 0.005]
        return " + ".join(f"{self.weights[index]:.2f} T{index + 1}" for index in used)

    @classmethod
    def of(cls, reply: Mapping[str, Any], tasks: Sequence[str]) -> RoutedPrediction:
        """From a `RoutedSample` as plain values, whose shares are sorted by weight.

        Args:
            reply: the worker's.
            tasks: names of those whose adapters there are, in order; a recipe with one adapter for all has one share.
        """
        shares = sorted(reply["shares"], key=lambda share: tasks.index(share["task"]))
        blocks = reply["per_block"]
        return cls(
            reply["prediction"],
            reply["confidence"],
            tuple(share["score"] for share in shares),
            tuple(share["weight"] for share in shares),
            tuple(share["alone"] for share in shares if share["alone"] is not None),
            None if blocks is None else {name: tuple(row) for name, row in blocks.items()},
        )


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """One for all visitors; it begins to load at the first page that will need it."""
    process = Worker("app.workers.answer_worker")
    process.start()
    return process


def lines(view: View) -> dict[str, str]:
    """By sample id, its text or question in one line.

    Raises:
        UserError: the stream's data are no longer there.
    """
    root, name, _ = _where(view)
    return _lines(root, name, stamp(view.run) if view.run else ())


def shown(view: View, sample: Sample) -> dict[str, Any]:
    """A sample as it can be shown: "texts" by column, "pictures" as base64 PNG files, and whether they are a "clip".

    Raises:
        UserError: there is no such row, or a picture that cannot be read.
    """
    root, name, _ = _where(view)
    reply: dict[str, Any] = worker().ask("shown", workspace=root, run=name, sample=dict(sample))
    return reply


def kinds(view: View) -> list[str]:
    """What the run's samples are, and one of the visitor's own may be: "text", "image", "image-qa", "video-qa"."""
    root, name, stage = _where(view)
    return list(worker().ask("kinds", workspace=root, run=name, stage=stage))


def predictions(
    view: View, sample: Sample, what_ifs: Sequence[Mapping[str, Any]], task: str | None
) -> list[RoutedPrediction]:
    """One for each what-if; {} is the run's own way.

    Raises:
        UserError: a change that does not fit the recipe, or a recipe that must be told the task.
    """
    root, name, stage = _where(view)
    replies = worker().ask(
        "route",
        workspace=root,
        run=name,
        stage=stage,
        sample=dict(sample),
        what_ifs=[dict(what_if) for what_if in what_ifs],
        task=task,
    )
    return [RoutedPrediction.of(reply, view.tasks) for reply in replies]


def embedded(view: View, sample: Sample) -> list[float]:
    """The d numbers that the router reads of a sample.

    Raises:
        UserError: there is no such row, or the backbone does not read such a sample.
    """
    root, name, stage = _where(view)
    features = worker().ask("embed", workspace=root, run=name, stage=stage, sample=dict(sample))
    return [float(number) for number in features]


def near(view: View, sample: Sample, k: int) -> list[dict[str, Any]]:
    """The k training samples nearest to a sample, nearest first; empty where no features of them are stored.

    Each has "task", "id", "label", "cosine", "text" and "picture" (base64 PNG, or "").

    Raises:
        UserError: the sample cannot be read, or the training samples are no longer there.
    """
    root, name, stage = _where(view)
    rows = worker().ask("near", workspace=root, run=name, stage=stage, sample=dict(sample), k=k)
    return list(rows)


def _where(view: View) -> tuple[str, str, int]:
    if view.run is None:
        raise ValueError("there is no run to ask")
    return str(workspace(view.workspace).root.resolve()), view.run.name, view.stage


@st.cache_data(max_entries=16, show_spinner=False)
def _lines(root: str, name: str, stamp: Stamp) -> dict[str, str]:
    return {row["id"]: row["line"] for row in worker().ask("samples", workspace=root, run=name)}
