"""Total: the changes of all adapters, added up whatever the weights say."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.adapter import Transform
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose.average import average
from cl_core.adapters.settings import MergeSettings


def total(
    bank: Bank,
    weights: Tensor,
    path: str | None = None,
    *,
    settings: MergeSettings | None = None,
    fishers: Bank | None = None,
) -> dict[str, Transform]:
    """h' = h + sum_i (U_i phi(D_i h + a_i) + b_i)."""
    return average(bank, torch.ones_like(weights), path)
