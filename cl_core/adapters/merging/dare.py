"""DARE: drop random entries of every adapter, rescale the others, then the weighted mean."""

from __future__ import annotations

from hashlib import sha256

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.merging.linear import mean
from cl_core.adapters.merging.vectors import adapter_vectors, bank_of_vectors
from cl_core.adapters.settings import MergeSettings


def dare(
    bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Adapter:
    """Phi = sum_i w_i m_i Phi_i / (1 - p), with m_i = 0 with probability p = `dare_drop`, else 1.

    Yu et al. 2024 (arXiv 2311.03099), section 3, DARE before the mean. Its expectation is the
    weighted mean. The paper drops 0.9 of the entries of models with billions of parameters, where
    the error that this leaves averages out. An adapter has few, and its down and up are both the
    task vector, so that their errors multiply: the default is 0.5 **(ours)**.

    Args:
        bank: K adapters.
        weights: (K,).
        settings: `dare_drop`, `merge_seed`.
        fishers: not read.
    """
    return mean(drop(bank, settings.dare_drop, settings.merge_seed), weights, settings)


def drop(bank: Bank, probability: float, seed: int) -> Bank:
    """The bank with random entries of each adapter set to zero and the others rescaled.

    The masks depend on the seed, on an adapter's position in the bank and on its size; not on the
    device, nor on the other adapters.
    """
    if probability == 0.0:
        return bank
    vectors = adapter_vectors(bank)
    masks = torch.stack(
        [mask(vectors.shape[1], probability, seed, position) for position in range(len(bank))]
    )
    return bank_of_vectors(vectors * masks.to(vectors.device) / (1 - probability), bank)


def mask(entries: int, probability: float, seed: int, position: int) -> Tensor:
    """(n,) bool on the CPU: which entries of the adapter at this position stay."""
    digest = sha256(f"dare/{seed}/{position}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:4], "big"))
    return torch.rand(entries, generator=generator) >= probability
