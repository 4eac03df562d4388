"""The algebra of routing: pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def cosine_scores(features: Tensor, centroids: Tensor) -> Tensor:
    """Returns cos(e(x), c_t) for each sample and task (DAM).

    Computed in float64 **(ours)**: at tau = 0.01 an error of 1e-7 in a cosine is one of 1e-5 in a
    weight, and a product's rounding would depend on how many samples share the batch. The cosine
    with a zero vector is 0.

    Args:
        features: (N, d).
        centroids: (K, d).

    Returns:
        (N, K) float64, in [-1, 1] up to rounding.

    >>> cosine_scores(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.0]]
    """
    return normalize(features.double(), dim=1) @ normalize(centroids.double(), dim=1).T


def top_k_softmax(scores: Tensor, k: int, temperature: float) -> Tensor:
    """Returns p with p_t = softmax over K(x) of s_t / tau, and 0 outside K(x) (DAM).

    K(x) holds the k largest scores; of equal ones the lower index is kept **(ours)**, on every
    device. The largest score is subtracted first, in float64, so that no temperature overflows;
    infinity is the uniform mean over K(x).

    Args:
        scores: (N, K).
        k: how many to keep; more than K keeps all.
        temperature: tau > 0.

    Returns:
        (N, K) in the dtype of `scores`; each row sums to 1.

    Raises:
        ValueError: k < 1, tau not above 0, or no adapter to route to (K = 0).

    >>> scores = torch.tensor([[0.75, 0.75, 0.5]])
    >>> top_k_softmax(scores, k=1, temperature=0.01).tolist()
    [[1.0, 0.0, 0.0]]
    >>> top_k_softmax(scores, k=2, temperature=0.01).tolist()
    [[0.5, 0.5, 0.0]]
    >>> top_k_softmax(scores, k=3, temperature=0.25).mul(100).round().tolist()
    [[42.0, 42.0, 16.0]]
    """
    if k < 1:
        raise ValueError(f"k is {k}; at least one adapter must be kept")
    if not temperature > 0:
        raise ValueError(f"the temperature is {temperature}; it must be above 0")
    if scores.shape[1] == 0:
        raise ValueError("there is no adapter to route to: no task has been added")
    # torch.topk leaves the order of ties open; a stable sort does not.
    ordered, indices = torch.sort(scores.double(), dim=1, descending=True, stable=True)
    kept = ordered[:, :k]
    share = torch.softmax((kept - kept[:, :1]) / temperature, dim=1)
    weights = torch.zeros_like(scores, dtype=torch.float64).scatter(1, indices[:, :k], share)
    return weights.to(scores.dtype)
