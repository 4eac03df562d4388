"""Product: merge what the two matrices do together, U D, and cut it back to the adapter's width."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.merging.vectors import adapter_like, weighted_sum
from cl_core.adapters.settings import MergeSettings


def product(
    bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Adapter:
    """U D = the best approximation of rank r to M = sum_i w_i U_i D_i, split evenly.

    M (d, d) of rank K r is never formed: QR of the stacked factors, then the SVD P S V' of their
    core, at most (K r, K r), gives its first r terms (Eckart and Young 1936), as U = P sqrt(S) and
    D = sqrt(S) V'. The rest is **(ours)**:

        axes    any rotation R of the hidden units, U R' and R D, leaves M as it is. We take the one
                that brings R D closest to sum_i w_i D_i (Procrustes), so that no sign is arbitrary
        a       argmin ||U a - sum_i w_i U_i a_i||, since the a_i belong to other axes
        b, Psi  sum_i w_i b_i, and so the visual projection, which is linear

    With a linear activation this is the weighted average of the adapters' outputs, up to what the
    truncation loses. The real activation acts on each hidden unit, and the hidden units are new
    ones: which side of relu's kink a state falls on is no adapter's own. Hence one-hot weights
    return that adapter's U D, but its function only where it was balanced, D D' = U' U.
    Computed in float64.

    Args:
        bank: K adapters.
        weights: (K,), none negative; all zero gives zeros.
        settings: not read.
        fishers: not read.
    """
    width, shares = bank.width, weights.double()
    down, down_bias, up, up_bias, *projection = (tensor.double() for tensor in bank.parameters())
    own_up = up * shares.view(1, -1, 1, 1)
    # Columns (S, d, K r) of all U, weighted, and of all D transposed.
    left, left_core = torch.linalg.qr(own_up.flatten(1, 2).transpose(1, 2))
    right, right_core = torch.linalg.qr(down.flatten(1, 2).transpose(1, 2))
    ours, strength, theirs = torch.linalg.svd(left_core @ right_core.mT, full_matrices=False)
    root = strength[:, :width].sqrt().unsqueeze(2)
    new_up = root * (left @ ours[:, :, :width]).mT  # U transposed, (S, r, d)
    new_down = root * (theirs[:, :width] @ right.mT)
    if new_up.shape[1] < width:  # wider than the hidden size: the other units stay at zero
        missing = new_up.new_zeros(len(new_up), width - new_up.shape[1], new_up.shape[2])
        new_up, new_down = (torch.cat([side, missing], dim=1) for side in (new_up, new_down))
    turn = rotation_towards(weighted_sum(shares, down), new_down)
    new_up, new_down = turn @ new_up, turn @ new_down
    constant = torch.einsum("skrd,skr->sd", own_up, down_bias)
    new_down_bias = (torch.linalg.pinv(new_up.mT, rtol=1e-7) @ constant.unsqueeze(2)).squeeze(2)
    plain = [weighted_sum(shares, tensor) for tensor in (up_bias, *projection)]
    return adapter_like(bank, [new_down, new_down_bias, new_up, *plain])


def rotation_towards(wanted: Tensor, start: Tensor) -> Tensor:
    """The orthogonal R (S, r, r) with the smallest ||R start - wanted||, of two (S, r, d)."""
    ours, _, theirs = torch.linalg.svd(wanted @ start.mT)
    rotation: Tensor = ours @ theirs
    return rotation
