"""Every number the lab shows, with its formula: a table that one can read.

Reports, exports, comparisons and pages go through its rows and take titles, formulas and directions from here, so that
no number is shown without saying what it is, and a new number is one function and one row. Functions are named as
text, as in `cl_core.choices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from cl_core.choices import Rows

Group = Literal["matrix", "score", "router", "oracle", "cost"]
Input = Literal[
    "R",
    "b",
    "final",
    "vanilla",
    "phase1",
    "phase2",
    "phase3",
    "labels",
    "predictions",
    "weights",
    "scores",
    "true",
    "k",
]
"""R (T, T) and b (T,): scores of the matrix and of the untrained model; final, vanilla (T,): what a task
scored right after it was learnt, and under an adapter that started afresh; phase1, phase2, phase3 (T - 1,): I2I's
scores of tasks 2..T after each phase; labels, predictions (N,): of one split; weights, scores (N, K), true
(N,) and k: of the routing of N samples."""


@dataclass(frozen=True)
class Metric:
    """One number.

    Attributes:
        name: its name in tables and files.
        title: its name for people.
        symbol: for narrow columns.
        formula: in the notation of `cl_core.evaluate.metrics`.
        direction: which way is better; None where neither is.
        unit: "share" (0 to 1, shown in per cent), "points" (a difference of shares), "%", "nats",
            ...
        group: what it is a function of.
        note: what it means, and where other libraries differ; one or two sentences.
        target: "module:function"; "" for what is measured rather than computed.
        inputs: what its function is given, in order.
        from_stage: the first stage after which it is defined, from 1.
        short: its name at the head of a narrow column, where runs are put side by side; "" where it is none of these.
        headline: whether a comparison on the terminal has it where nobody says which numbers.
    """

    name: str
    title: str
    symbol: str
    formula: str
    direction: Literal["higher", "lower"] | None
    unit: str
    group: Group
    note: str
    target: str = ""
    inputs: tuple[Input, ...] = ()
    from_stage: int = 1
    short: str = ""
    headline: bool = False

    @property
    def reads_unseen(self) -> bool:
        """Whether it needs the scores of tasks before they are learnt, set against the untrained model's."""
        return "b" in self.inputs

    def load(self) -> Any:
        """Imports and returns its function; raises `ValueError` for what is measured."""
        if not self.target:
            raise ValueError(f"{self.name} is measured, not computed from a matrix")
        module, _, function = self.target.partition(":")
        return getattr(import_module(module), function)


_MATRIX, _SCORE = "cl_core.evaluate.metrics", "cl_core.evaluate.scores"
_ROUTER, _LOST = "cl_core.evaluate.routing", "cl_core.evaluate.oracle_gap"

_ROWS = (
    Metric(
        "average_accuracy",
        "Average accuracy",
        "ACC",
        "mean_j R[T, j]",
        "higher",
        "share",
        "matrix",
        "The mean over all tasks after the last. PILOT gives this name to the next number.",
        f"{_MATRIX}:average_accuracy",
        ("R",),
        short="Average",
        headline=True,
    ),
    Metric(
        "average_incremental",
        "Average incremental accuracy",
        "AIA",
        "mean_i mean_{j<=i} R[i, j]",
        "higher",
        "share",
        "matrix",
        "The mean over stages of the mean over the tasks seen; each task counts the same.",
        f"{_MATRIX}:average_incremental",
        ("R",),
        short="Incremental",
    ),
    Metric(
        "backward_transfer",
        "Backward transfer",
        "BWT",
        "mean_{j<T} (R[T, j] - R[j, j])",
        "higher",
        "points",
        "matrix",
        "What later tasks did to earlier ones; below 0 is loss. Avalanche negates it.",
        f"{_MATRIX}:backward_transfer",
        ("R",),
        from_stage=2,
        short="Backward",
    ),
    Metric(
        "forgetting",
        "Forgetting",
        "F",
        "mean_{j<T} (max_{j<=l<T} R[l, j] - R[T, j])",
        "lower",
        "points",
        "matrix",
        "As Chaudhry et al. (2018): best score before the last stage, from the task's own on, minus the last; below 0 "
        "where the last is the best. Mammoth and PILOT count the last stage too, and are never below 0; Avalanche: "
        "first minus last.",
        f"{_MATRIX}:forgetting",
        ("R",),
        from_stage=2,
        short="Forgetting",
        headline=True,
    ),
    Metric(
        "forward_transfer",
        "Forward transfer",
        "FWT",
        "mean_{j>=2} (R[j-1, j] - b[j])",
        "higher",
        "points",
        "matrix",
        "What is known of a task before it is learnt. Needs the scores of unseen tasks (`unseen=true`). Not defined "
        "in CIL, where labels of a task not learnt yet cannot be answered.",
        f"{_MATRIX}:forward_transfer",
        ("R", "b"),
        from_stage=2,
        short="Forward",
    ),
    Metric(
        "distillation_decay",
        "Distillation decay",
        "DD",
        "mean_{i>=2} 100 (S_phase1 - S_phase2) / S_phase1",
        "lower",
        "%",
        "matrix",
        "I2I: what the distilled adapter lost of the fusion's score, both before phase 3.",
        f"{_MATRIX}:distillation_decay",
        ("phase1", "phase2"),
        from_stage=2,
    ),
    Metric(
        "phase3_gain",
        "Phase-3 gain",
        "P3",
        "mean_{i>=2} 100 (S_phase3 - S_phase2) / S_phase2",
        "higher",
        "%",
        "matrix",
        "I2I: what training on the task's full data added to the distilled start.",
        f"{_MATRIX}:phase3_gain",
        ("phase2", "phase3"),
        from_stage=2,
    ),
    Metric(
        "knowledge_transfer",
        "Knowledge transfer",
        "KT",
        "mean_{i>=2} 100 (S_i - S_i^vanilla) / S_i^vanilla",
        "higher",
        "%",
        "matrix",
        "I2I's overall transfer: relative gain over vanilla adapters. Not forward transfer.",
        f"{_MATRIX}:knowledge_transfer",
        ("final", "vanilla"),
        from_stage=2,
    ),
    Metric(
        "accuracy",
        "Accuracy",
        "acc",
        "#(prediction = label) / N",
        "higher",
        "share",
        "score",
        "The share of test samples that are right.",
        f"{_SCORE}:accuracy",
        ("labels", "predictions"),
    ),
    Metric(
        "macro_f1",
        "Macro F1",
        "mF1",
        "mean_c 2 TP_c / (2 TP_c + FP_c + FN_c)",
        "higher",
        "share",
        "score",
        "Each class counts the same: those among the split's labels or predictions, as in scikit-learn, and no others.",
        f"{_SCORE}:macro_f1",
        ("labels", "predictions"),
    ),
    Metric(
        "weighted_f1",
        "Weighted F1",
        "wF1",
        "sum_c (n_c / N) 2 TP_c / (2 TP_c + FP_c + FN_c)",
        "higher",
        "share",
        "score",
        "Each class counts by its number of labels. The metric of AfriSenti.",
        f"{_SCORE}:weighted_f1",
        ("labels", "predictions"),
    ),
    Metric(
        "router_accuracy",
        "Router accuracy",
        "RA",
        "#(argmax_t p_t = true task) / N",
        "higher",
        "share",
        "router",
        "How often the largest weight is the own task's; of equal ones the earlier counts.",
        f"{_ROUTER}:router_accuracy",
        ("weights", "true"),
        short="Router",
        headline=True,
    ),
    Metric(
        "top_k_recall",
        "Top-k recall",
        "R@k",
        "#(true task among the k largest s_t) / N",
        "higher",
        "share",
        "router",
        "How often the own task is among the k best scores.",
        f"{_ROUTER}:top_k_recall",
        ("scores", "true", "k"),
    ),
    Metric(
        "entropy",
        "Entropy of the weights",
        "H",
        "-sum_t p_t ln p_t",
        None,
        "nats",
        "router",
        "0: one adapter. ln K: all alike. Reports give the mean over samples.",
        f"{_ROUTER}:entropy",
        ("weights",),
    ),
    Metric(
        "margin",
        "Margin",
        "m",
        "p_(1) - p_(2)",
        None,
        "share",
        "router",
        "Largest weight minus second: 1 is certain, 0 a tie. Reports give the mean.",
        f"{_ROUTER}:margin",
        ("weights",),
    ),
    Metric(
        "expected_calibration_error",
        "Calibration error",
        "ECE",
        "sum_b (n_b / N) |accuracy_b - confidence_b|",
        "lower",
        "share",
        "router",
        "How far the largest weight is from the chance of being right, over 15 equal bins.",
        f"{_ROUTER}:expected_calibration_error",
        ("weights", "true"),
    ),
    Metric(
        "lost_by_routing",
        "Lost by routing",
        "O - F",
        "O[i, j] - F[i, j]",
        "lower",
        "points",
        "oracle",
        "What wrong routes cost. O: each sample gets its own task's adapter alone; F: the run's heaviest alone.",
        f"{_LOST}:lost_by_routing",
    ),
    Metric(
        "lost_by_merging",
        "Lost by merging",
        "F - R",
        "F[i, j] - R[i, j]",
        "lower",
        "points",
        "oracle",
        "What the merge costs beside its heaviest adapter; below 0 it forgives wrong routes. Both together: O - R.",
        f"{_LOST}:lost_by_merging",
    ),
    Metric(
        "trainable_parameters",
        "Trainable parameters",
        "P_train",
        "|Phi_t| + |g_t|",
        "lower",
        "parameters",
        "cost",
        "What moves while one task is learnt.",
    ),
    Metric(
        "stored_parameters",
        "Stored parameters",
        "P_store",
        "sum_t (|Phi_t| + |g_t|) + |router|",
        "lower",
        "parameters",
        "cost",
        "What must be kept beside the backbone.",
    ),
    Metric(
        "active_parameters",
        "Active parameters",
        "P_active",
        "|backbone| + adapters that one sample uses",
        "lower",
        "parameters",
        "cost",
        "What a forward pass of one sample multiplies with.",
    ),
    Metric(
        "memory_rows",
        "Memory rows",
        "M",
        "sum_t |M_t|",
        "lower",
        "rows",
        "cost",
        "Training rows of all tasks that are kept, for L2R's routers or for replay.",
    ),
    Metric(
        "wall_seconds",
        "Wall time",
        "t",
        "seconds by the clock",
        "lower",
        "s",
        "cost",
        "By phase; artifacts that were already there cost nothing.",
    ),
    Metric(
        "samples_per_second",
        "Samples per second",
        "n/s",
        "samples / wall time",
        "higher",
        "1/s",
        "cost",
        "Of training, every epoch's samples counted.",
    ),
)

METRICS = Rows("metric", _ROWS, Metric)
"""All numbers by name, in the order in which they are shown."""
ACCURACY = "accuracy"
"""The score that every cell of the matrix is of, where no other is asked for."""


def of_group(group: Group) -> list[Metric]:
    """The rows of a group, in order."""
    return [metric for metric in METRICS.values() if metric.group == group]


def score_names() -> tuple[str, ...]:
    """What a run keeps of every cell of its matrix."""
    return tuple(metric.name for metric in of_group("score"))


def computed(group: Group, given: Mapping[Input, Any]) -> dict[str, float]:
    """The numbers of a group whose inputs are all there; of one that is had for each sample, the mean.

    Args:
        group: of the table.
        given: inputs by name.
    """
    import numpy as np

    return {
        metric.name: float(np.mean(metric.load()(*(given[name] for name in metric.inputs))))
        for metric in of_group(group)
        if metric.inputs and given.keys() >= set(metric.inputs)
    }
