"""Merges that are one weighted sum per entry: the mean, task arithmetic, Fisher-weighted."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.merging.vectors import adapter_like, each_kind, weighted_sum
from cl_core.adapters.settings import MergeSettings
from cl_core.errors import UserError

FISHER_FLOOR = 1e-20
"""Added to every Fisher entry, in float64: small beside any that matters, and 0/0 becomes the mean."""


def mean(
    bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Adapter:
    """Phi = sum_i w_i Phi_i, down and up separately (DAM, arXiv 2403.08755); reads no setting.

    Args:
        bank: K adapters.
        weights: (K,).
        settings: not read.
        fishers: not read.
    """
    return each_kind(bank, lambda tensor: weighted_sum(weights, tensor))


def task_arithmetic(
    bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Adapter:
    """Phi = lambda sum_i (w_i / max_j w_j) Phi_i, with lambda = `merge_scale`.

    Ilharco et al. 2023 (arXiv 2212.04089), section 2: lambda times the sum. Equal weights give
    just that; dividing others by the largest, so that it alone counts in full, is **(ours)**.

    Args:
        bank: K adapters.
        weights: (K,), none negative; all zero gives zeros.
        settings: `merge_scale`.
        fishers: not read.
    """
    largest = weights.max()
    shares = torch.where(largest > 0, weights / largest, torch.zeros_like(weights))
    return each_kind(bank, lambda tensor: weighted_sum(settings.merge_scale * shares, tensor))


def fisher(
    bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Adapter:
    """Phi = sum_i w_i F_i Phi_i / sum_i w_i F_i, entry by entry.

    Matena and Raffel 2022 (arXiv 2111.09832), equation 4, with diagonal Fishers as they are, not
    normalised between tasks. They give every Fisher a floor so that 0/0 cannot occur. Ours is added
    to both sums, F_i + `FISHER_FLOOR`, which gives the weighted mean where all Fishers are zero, and
    returns equal adapters unchanged, however small their Fishers **(ours)**. Computed in float64.

    Args:
        bank: K adapters.
        weights: (K,), none negative; all zero gives zeros.
        settings: not read.
        fishers: F_i >= 0, in the bank's shape.

    Raises:
        UserError: `fishers` is None.
    """
    if fishers is None:
        raise UserError(
            "the merge 'fisher' needs the diagonal Fisher information of every adapter, and found "
            "none; estimate it after training, or choose a merge without it, such as 'ties'"
        )
    total = weights.double().sum()

    def merged(tensor: Tensor, information: Tensor) -> Tensor:
        # Where all Fishers vanish the shares are w_i / sum w; times sum w, that is the mean.
        share = weights.double().view(1, -1, *[1] * (tensor.ndim - 2)) * (
            information.double() + FISHER_FLOOR
        )
        return (share * tensor.double()).sum(dim=1) / share.sum(dim=1).clamp_min(1e-300)

    pairs = zip(bank.parameters(), fishers.parameters(), strict=True)
    return adapter_like(bank, [merged(*pair) * (total > 0) for pair in pairs])
