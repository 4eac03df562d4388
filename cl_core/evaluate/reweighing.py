"""What a router would have done with another k or temperature: from its recorded scores, without a forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cl_core.evaluate.routing import (
    entropy,
    expected_calibration_error,
    router_accuracy,
    top_k,
    top_k_recall,
)

TEMPERATURES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Temperatures that are tried where none are asked for."""


@dataclass(frozen=True)
class SettingOutcome:
    """How N samples would be routed under one setting.

    Attributes:
        k: how many adapters a sample gets.
        temperature: tau.
        router_accuracy: share of samples whose largest weight is their true task's. No k and no tau changes it: what
            scores best weighs most.
        top_k_recall: share of samples whose true task is among the k kept.
        true_task_weight: mean weight of the true-task adapter.
        entropy: of the weights, mean, nats.
        calibration_error: of the largest weight, see `expected_calibration_error`.
    """

    k: int
    temperature: float
    router_accuracy: float
    top_k_recall: float
    true_task_weight: float
    entropy: float
    calibration_error: float


def reweigh(scores: ArrayLike, k: int, temperature: float) -> NDArray[np.float64]:
    """Returns (N, K) weights, softmax over the k best scores: the twin of `route.algebra.top_k_softmax` without torch.

    Args:
        scores: (N, K).
        k: how many to keep, at least 1; more than K keeps all.
        temperature: tau > 0.

    Raises:
        ValueError: k < 1, or tau not above 0.

    >>> reweigh([[0.75, 0.75, 0.5]], k=2, temperature=0.01).tolist()
    [[0.5, 0.5, 0.0]]
    """
    if k < 1 or not temperature > 0:
        raise ValueError(
            f"k is {k} and the temperature {temperature}; they must be at least 1 and above 0"
        )
    s = np.asarray(scores, np.float64)
    kept = top_k(s, k)
    best = np.take_along_axis(s, kept, axis=1)
    share = np.exp((best - best[:, :1]) / temperature)
    weights = np.zeros_like(s)
    np.put_along_axis(weights, kept, share / share.sum(axis=1, keepdims=True), axis=1)
    return weights


def try_setting(scores: ArrayLike, true: ArrayLike, k: int, temperature: float) -> SettingOutcome:
    """Returns what becomes of N samples under one k and temperature.

    Args:
        scores: (N, K) as the router recorded them.
        true: (N,) indices of the true tasks; one without an adapter is never routed rightly.
        k: how many to keep.
        temperature: tau.
    """
    weights, true_task = reweigh(scores, k, temperature), np.asarray(true, np.int64)
    has_adapter = true_task < weights.shape[1]
    places = np.where(has_adapter, true_task, 0)[:, None]
    true_task_weights = np.take_along_axis(weights, places, axis=1)[:, 0] * has_adapter
    return SettingOutcome(
        k=k,
        temperature=temperature,
        router_accuracy=router_accuracy(weights, true_task),
        top_k_recall=top_k_recall(scores, true_task, k),
        true_task_weight=float(true_task_weights.mean()) if len(true_task) else float("nan"),
        entropy=float(entropy(weights).mean()) if len(true_task) else float("nan"),
        calibration_error=expected_calibration_error(weights, true_task),
    )


def try_settings(
    scores: ArrayLike, true: ArrayLike, ks: Sequence[int], temperatures: Sequence[float]
) -> list[SettingOutcome]:
    """Returns every pair of them, k outermost."""
    return [try_setting(scores, true, k, tau) for k in ks for tau in temperatures]
