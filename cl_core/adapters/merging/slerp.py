"""SLERP: along the arc between two adapters instead of the chord."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.merging.vectors import each_kind
from cl_core.adapters.settings import MergeSettings

STRAIGHT = 1e-6
"""Vectors with 1 - |cosine| below this count as (anti)parallel."""


def slerp(
    bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Adapter:
    """Two adapters a, b at angle W: sin((1-t) W) / sin W a + sin(t W) / sin W b, t = w_b / (w_a + w_b).

    Shoemake 1985, section 3.3, without bringing the vectors to unit length, as is usual for weights
    of networks. The vector is one kind of tensor (down, down_bias, up, up_bias) over all its sites
    **(ours)**. More than two adapters join one by one, the heaviest first and of equal ones the
    earlier, each against the sum of the weights so far **(ours)**: the result depends on that order.
    (Anti)parallel vectors have no arc; they take the straight line. Only the weights' ratios count.
    Computed in float64.

    Args:
        bank: K adapters.
        weights: (K,), none negative; all zero gives zeros.
        settings: not read.
        fishers: not read.
    """
    shares: list[float] = weights.double().tolist()
    order = sorted((k for k, share in enumerate(shares) if share > 0), key=lambda k: -shares[k])

    def merged(tensor: Tensor) -> Tensor:  # (S, K, ...)
        if not order:
            return torch.zeros_like(tensor[:, 0])
        so_far, result = shares[order[0]], tensor[:, order[0]].double()
        for k in order[1:]:
            so_far += shares[k]
            result = along_the_arc(result, tensor[:, k].double(), shares[k] / so_far)
        return result

    return each_kind(bank, merged)


def along_the_arc(start: Tensor, end: Tensor, t: float) -> Tensor:
    """The point at share t of the arc between two tensors of one shape, each seen as one vector.

    >>> along_the_arc(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), t=0.5).mul(1000).round().tolist()
    [707.0, 707.0]
    """
    lengths = torch.linalg.vector_norm(start) * torch.linalg.vector_norm(end)
    cosine = ((start * end).sum() / lengths).clamp(-1.0, 1.0)
    if not bool(1 - cosine.abs() >= STRAIGHT):  # also where one is zero and the cosine NaN
        return (1 - t) * start + t * end
    angle = torch.acos(cosine)
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)
