"""Merging the linear heads that go with merged adapters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cl_core.adapters.heads import Head


def merge_heads(heads: Sequence[Head], weights: Tensor) -> Head:
    """sum_t w_t W_t and sum_t w_t b_t: the head whose logits are the weighted sum of the heads'.

    For one label space (DIL), and whatever merges the adapters; nothing is normalised.

    Args:
        heads: K heads over the same C labels.
        weights: (K,).

    Raises:
        ValueError: no heads, heads of different shapes, or weights of another shape.
    """
    shapes = {tuple(head.weight.shape) for head in heads}
    if len(shapes) != 1:
        raise ValueError(
            f"heads are merged over one label space, so all must have one shape (C, d); found "
            f"{sorted(shapes)}"
        )
    if tuple(weights.shape) != (len(heads),):
        raise ValueError(
            f"merging weights must be ({len(heads)},), one per head; found {tuple(weights.shape)}"
        )
    weight = torch.stack([head.weight for head in heads])
    bias = torch.stack([head.bias for head in heads])
    shares = weights.to(weight)
    return Head(torch.tensordot(shares, weight, dims=1), torch.tensordot(shares, bias, dims=1))
