"""L2R's gates: from a router's logits to weights over the adapters (arXiv 2408.09053).

Shapes: (..., K) logits z of K adapters. A gate makes openings m in [0, 1] of them, and `normalise` makes weights.

    gumbel-sigmoid        train  m = sigmoid((z + log u - log(1 - u)) / tau), u ~ U(0, 1);   test  m = sigmoid(z)
    gumbel-sigmoid-hard   the weights are those of m = 1[z + log u - log(1 - u) > 0], the gradient that of the above
    softmax               m = softmax(z), the paper's ablation; neither noise nor temperature
    all                   alpha = m / (sum m + 1e-12)
"""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.route.settings import Gate

EPSILON = 1e-12


def logistic_noise(like: Tensor, u: Tensor | None = None) -> Tensor:
    """log u - log(1 - u), the difference of two Gumbel variables: noise from the logistic distribution.

    Args:
        like: its shape, type and device are the noise's.
        u: uniform numbers in [0, 1] of that shape; drawn from torch's global generator when None.

    Returns:
        Finite numbers: u is kept one rounding step away from 0 and 1.
    """
    u = torch.rand_like(like) if u is None else u
    edge = torch.finfo(u.dtype).eps / 2
    u = u.clamp(edge, 1 - edge)
    return u.log() - torch.log1p(-u)


def gumbel_sigmoid(z: Tensor, temperature: float = 1.0, noise: Tensor | None = None) -> Tensor:
    """m = sigmoid((z + noise) / tau); without noise m = sigmoid(z), whatever tau is.

    P(m > 1/2) = sigmoid(z) for every tau: the noise's distribution function is the sigmoid.

    Args:
        z: (..., K).
        temperature: tau > 0; small is near 0 and 1.
        noise: (..., K) from `logistic_noise`, in training; None at test.
    """
    return torch.sigmoid(z) if noise is None else torch.sigmoid((z + noise) / temperature)


def hard_gates(z: Tensor, noise: Tensor | None = None) -> Tensor:
    """m = 1[z + noise > 0], without a gradient.

    >>> hard_gates(torch.tensor([0.3, 0.0, -2.0])).tolist()
    [1.0, 0.0, 0.0]
    """
    return ((z if noise is None else z + noise) > 0).to(z.dtype)


def straight_through(forward: Tensor, backward: Tensor) -> Tensor:
    """Exactly `forward`'s values, with `backward`'s gradient."""
    return forward.detach() + (backward - backward.detach())


def normalise(m: Tensor) -> Tensor:
    """alpha = m / (sum m + 1e-12) over the last axis; 0 where every gate is shut.

    >>> normalise(torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])).tolist()
    [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]
    """
    return m / (m.sum(dim=-1, keepdim=True) + EPSILON)


def gate_weights(
    z: Tensor, gate: Gate, temperature: float = 1.0, noise: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Weights over the adapters, as the adapters and as the heads get them.

    The two differ for the hard gate only: there adapters get hard weights and heads soft ones **(ours)**, because a
    hard 0 would take a true label its logit and make the loss infinite. Its straight-through gradient is that of the
    soft *weights* **(ours)**: of m / sum m at hard m it would be 1e12 where every gate is shut.

    Args:
        z: (..., K).
        gate: which.
        temperature: tau.
        noise: (..., K) from `logistic_noise`, in training; None at test.

    Returns:
        (..., K) for the adapters and (..., K) for the heads.
    """
    if gate == "softmax":
        alpha = normalise(torch.softmax(z, dim=-1))
        return alpha, alpha
    soft = normalise(gumbel_sigmoid(z, temperature, noise))
    if gate == "gumbel-sigmoid":
        return soft, soft
    return straight_through(normalise(hard_gates(z, noise)), soft), soft
