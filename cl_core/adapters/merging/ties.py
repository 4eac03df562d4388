"""TIES: trim small entries, elect a sign per entry, average those that agree with it."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.merging.vectors import adapter_vectors, bank_of_vectors, each_kind
from cl_core.adapters.settings import MergeSettings


def ties(
    bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Adapter:
    """Phi = `ties_scale` times the mean of the trimmed entries that have the elected sign.

        T_i = trim(Phi_i, keep)          s = sign(sum_i w_i T_i)
        Phi = scale sum_A w_i T_i / sum_A w_i          A = {i: sign(T_i) = s, T_i != 0}

    Yadav et al. 2023 (arXiv 2306.01708), algorithm 1; equal weights give it as published. Weighting
    the election and the mean is **(ours)**. An entry whose votes cancel exactly, or that all
    adapters trim, becomes 0. The mean is over those that agree, so only the weights' ratios count.

    Args:
        bank: K adapters.
        weights: (K,), none negative; all zero gives zeros.
        settings: `ties_keep`, `ties_scale`.
        fishers: not read.
    """
    trimmed = trim(bank, settings.ties_keep)

    def elected_mean(tensor: Tensor) -> Tensor:  # (S, K, ...)
        share = weights.to(tensor).view(1, -1, *[1] * (tensor.ndim - 2))
        votes = share * tensor
        agree = votes * votes.sum(dim=1, keepdim=True) > 0
        whole = (share * agree).sum(dim=1)
        return settings.ties_scale * torch.where(
            whole > 0, (votes * agree).sum(dim=1) / whole, torch.zeros_like(whole)
        )

    return each_kind(trimmed, elected_mean)


def trim(bank: Bank, keep: float) -> Bank:
    """The bank with all but the largest entries of each adapter set to zero.

    Of an adapter's n entries, all sites and tensors together as published, the max(1, round(keep n))
    largest by magnitude stay; of equal ones the earlier in the order down, down_bias, up, up_bias.
    """
    if keep == 1.0:
        return bank
    vectors = adapter_vectors(bank)
    kept = max(1, round(keep * vectors.shape[1]))
    size = vectors.abs()
    # The kth largest is found without sorting; what equals it fills the places that are left.
    threshold = size.kthvalue(vectors.shape[1] - kept + 1, dim=1, keepdim=True).values
    above, equal = size > threshold, size == threshold
    left = kept - above.sum(dim=1, keepdim=True)
    stays = above | (equal & (equal.cumsum(dim=1) <= left))
    return bank_of_vectors(vectors * stays, bank)
