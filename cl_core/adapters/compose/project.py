"""Visual projections under routing weights: V_p = sum_i p_i V_i, which is both their merge and their average."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.adapter import Transform
from cl_core.adapters.projection import Projection


def project(projections: Projection, weights: Tensor) -> Transform:
    """What turns visual features (B, F, v) into (B, F, d), each sample by its own weighted projection.

    DAM (arXiv 2403.08755). Exact for any weights and differentiable in them.

    Args:
        projections: of K tasks.
        weights: (B, K).
    """
    matrices, biases = projections.parameters()
    shares = weights.to(matrices.dtype)

    def transform(features: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            mixed = torch.mm(shares, matrices.flatten(1)).view(-1, *matrices.shape[1:])  # (B, d, v)
            bias = torch.mm(shares, biases).unsqueeze(1)
            return torch.baddbmm(bias, features.to(matrices.dtype), mixed.transpose(1, 2))

    return transform
