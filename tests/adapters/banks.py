"""Small random banks, weights and states for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank


@dataclass(frozen=True)
class FakeSite:
    """A site of no particular backbone."""

    name: str
    block: int
    sublayer: str


def fake_sites(blocks: int) -> tuple[FakeSite, ...]:
    """Both sites of each block, from the input upwards."""
    return tuple(
        FakeSite(f"block{block}.{sublayer}", block, sublayer)
        for block in range(blocks)
        for sublayer in ("attention", "ffn")
    )


def random_bank(
    adapters: int,
    sites: int = 2,
    width: int = 3,
    hidden_size: int = 5,
    activation: str = "relu",
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> Bank:
    """Weights of order one, so that a wrong formula shows."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return Bank(
        down=draw(sites, adapters, width, hidden_size),
        down_bias=draw(sites, adapters, width),
        up=draw(sites, adapters, width, hidden_size),
        up_bias=draw(sites, adapters, hidden_size),
        site_names=tuple(f"block{site}.ffn" for site in range(sites)),
        activation=activation,
    )


def random_weights(samples: int, adapters: int, kept: int | None = None, seed: int = 1) -> Tensor:
    """(B, K) float64 rows that sum to one, with `kept` weights other than zero each."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(samples, adapters, generator=generator, dtype=torch.float64) + 0.1
    order = torch.rand(samples, adapters, generator=generator).argsort(dim=1)
    weights = weights.masked_fill(order >= (kept or adapters), 0.0)
    return weights / weights.sum(dim=1, keepdim=True)


def random_states(samples: int, tokens: int, hidden_size: int = 5, seed: int = 2) -> Tensor:
    """(B, T, d) float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(samples, tokens, hidden_size, generator=generator, dtype=torch.float64)
