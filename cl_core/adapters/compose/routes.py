"""What a batch's weights say about how to compute with them, found once per batch.

Two savings depend on the values of the weights: leaving out adapters of weight zero, and sharing
work between samples of equal weights. Where a gradient for the weights is wanted, neither is
allowed (a zero weight has a gradient, and so has each of two equal ones), and `Routes` says so by
keeping all adapters and calling all rows distinct: every path then stays exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank


@dataclass(frozen=True)
class Routes:
    """One batch of routing weights, prepared.

    Attributes:
        weights: (B, K), in the bank's dtype.
        index: (B, k) int64, the adapters kept for each sample in ascending order; k is the largest
            number of non-zero weights of a sample, and rows with fewer are filled up.
        kept: (B, k), their weights; fillers weigh zero.
        shared: whether all samples have the same weights.
    """

    weights: Tensor
    index: Tensor
    kept: Tensor
    shared: bool

    @classmethod
    def of(cls, weights: Tensor, bank: Bank) -> Routes:
        """Prepares weights for a bank.

        Raises:
            ValueError: the weights are not (B, K) with at least one sample.
        """
        check_weights(weights, bank)
        weights = weights.to(bank.dtype)
        samples, adapters = weights.shape
        if weights.requires_grad and torch.is_grad_enabled():
            index = torch.arange(adapters, device=weights.device).expand(samples, adapters)
            return cls(weights, index, weights, shared=samples == 1)
        used = weights != 0
        # One transfer from the device for both answers.
        most, shared = torch.stack(
            [used.sum(dim=1).max(), (weights == weights[0]).all().long()]
        ).tolist()
        # Ascending, so that the order of summation does not depend on the rest of the batch.
        index = used.to(torch.uint8).topk(max(most, 1), dim=1).indices.sort(dim=1).values
        return cls(weights, index, weights.gather(1, index), bool(shared))

    @cached_property
    def distinct(self) -> tuple[Tensor, Tensor]:
        """The G distinct rows (G, K) of the weights, and each sample's row among them, (B,)."""
        weights = self.weights
        if self.shared:
            return weights[:1], torch.zeros(len(weights), dtype=torch.int64, device=weights.device)
        if weights.requires_grad and torch.is_grad_enabled():
            return weights, torch.arange(len(weights), device=weights.device)
        rows, group = torch.unique(weights, dim=0, return_inverse=True)
        return rows, group


def check_weights(weights: Tensor, bank: Bank) -> None:
    """Raises `ValueError` unless the weights are (B, K) for this bank, with B >= 1."""
    if weights.ndim != 2 or weights.shape[1] != len(bank) or len(weights) == 0:
        raise ValueError(
            f"routing weights must be (B, {len(bank)}), one row per sample and one column per "
            f"adapter of the bank; found {tuple(weights.shape)}"
        )


def check_batch(h: Tensor, samples: int) -> None:
    """Raises `ValueError` unless the states are (B, T, d) for as many samples as have weights."""
    if h.ndim != 3 or h.shape[0] != samples:
        raise ValueError(
            f"states must be (B, T, d) with B = {samples}, the number of rows of the routing "
            f"weights; found {tuple(h.shape)}"
        )
