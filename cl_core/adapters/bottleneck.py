"""The bottleneck, A(h) = h + U phi(D h + a) + b, as a pure function, and where its weights start.

U is held transposed, as (r, d), so that the K up-projections of a bank lie one after another and
their concatenation to (K*r, d) is a view. Shapes: B samples, T tokens, d hidden size, r width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.settings import Activation, Initialisation

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "tanh": torch.tanh,
}

DAM_STD, DAM_LIMIT = 1e-3, 2e-3
I2I_STD = 0.02


def bottleneck(
    h: Tensor,
    down: Tensor,
    down_bias: Tensor,
    up: Tensor,
    up_bias: Tensor,
    activation: Activation = "relu",
    dropout: float = 0.0,
) -> Tensor:
    """A(h) = h + U phi(D h + a) + b (methods.md, *Notation*; Houlsby et al. 2019, section 2.1).

    Args:
        h: (..., d) output of a site, before the residual add and LayerNorm.
        down: D, (r, d).
        down_bias: a, (r,).
        up: U transposed, (r, d).
        up_bias: b, (d,).
        activation: phi.
        dropout: probability of dropping a unit of phi(.), the others being scaled by
            1 / (1 - dropout); 0 drops none.

    Returns:
        (..., d), in h's dtype.
    """
    hidden = ACTIVATIONS[activation](F.linear(h, down, down_bias))
    if dropout > 0.0:
        hidden = F.dropout(hidden, dropout)
    change = torch.addmm(up_bias, hidden.flatten(0, -2), up).view(h.shape)
    return add_residual(h, change)


def bottleneck_per_sample(
    h: Tensor,
    down: Tensor,
    down_bias: Tensor,
    up: Tensor,
    up_bias: Tensor,
    activation: Activation = "relu",
) -> Tensor:
    """As `bottleneck`, with weights of its own for each sample.

    Args:
        h: (B, T, d).
        down: (B, r, d).
        down_bias: (B, r).
        up: (B, r, d), transposed.
        up_bias: (B, d).
        activation: phi.

    Returns:
        (B, T, d), in h's dtype.
    """
    before = torch.baddbmm(down_bias.unsqueeze(1), h, down.transpose(1, 2))
    change = torch.baddbmm(up_bias.unsqueeze(1), ACTIVATIONS[activation](before), up)
    return add_residual(h, change)


def add_residual(h: Tensor, change: Tensor) -> Tensor:
    """h + change in h's dtype; `change` is used up.

    In place where the types agree: a matrix product keeps nothing of its result for the backward
    pass, and one pass over memory less is felt (the whole bottleneck is only 4 r d FLOP a token).
    """
    return change.add_(h) if change.dtype == h.dtype else h + change.to(h.dtype)


def draw(
    kind: Initialisation, shape: tuple[int, ...], *, bias: bool, generator: torch.Generator
) -> Tensor:
    """A float32 CPU tensor of weights or biases, drawn as the paper says.

    dam: N(0, 1e-3^2) clamped to +-2e-3, weights and biases alike (arXiv 2403.08755).
    i2i: weights N(0, 0.02^2), zero biases (arXiv 2304.02168).

    Raises:
        ValueError: `backbone`, which is not drawn.
    """
    if kind == "backbone":
        raise ValueError("a backbone's adapters are copied, not drawn")
    tensor = torch.zeros(shape, dtype=torch.float32)
    if kind == "dam":
        return tensor.normal_(0.0, DAM_STD, generator=generator).clamp_(-DAM_LIMIT, DAM_LIMIT)
    return tensor if bias else tensor.normal_(0.0, I2I_STD, generator=generator)


def parameter_count(hidden_size: int, width: int, sites: int = 1) -> int:
    """Trainable numbers in the bottlenecks of `sites` sites: 2 r d + r + d each.

    >>> parameter_count(hidden_size=1536, width=192, sites=48)  # DAM
    28394496
    """
    return sites * (2 * width * hidden_size + width + hidden_size)
