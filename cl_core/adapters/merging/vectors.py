"""Adapters as vectors, for merges that look at all entries of an adapter at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank


def adapter_vectors(bank: Bank) -> Tensor:
    """(K, n): all entries of each adapter, in the order down, down_bias, up, up_bias, projection, then site."""
    return torch.cat([tensor.transpose(0, 1).flatten(1) for tensor in bank.parameters()], dim=1)


def bank_of_vectors(vectors: Tensor, like: Bank) -> Bank:
    """The inverse of `adapter_vectors`, in the shape of `like`."""
    swapped = [tensor.transpose(0, 1) for tensor in like.parameters()]
    pieces = torch.split(vectors, [tensor[0].numel() for tensor in swapped], dim=1)
    return like.with_parameters(
        [
            piece.reshape(tensor.shape).transpose(0, 1).contiguous()
            for piece, tensor in zip(pieces, swapped, strict=True)
        ]
    )


def adapter_like(bank: Bank, tensors: Iterable[Tensor]) -> Adapter:
    """The adapter of these tensors, (S, ...) as `Bank.parameters` lists them, in the precision of the bank."""
    return bank.with_parameters([tensor.to(bank.dtype).unsqueeze(1) for tensor in tensors]).adapter(
        0
    )


def each_kind(bank: Bank, merged: Callable[[Tensor], Tensor]) -> Adapter:
    """The adapter whose tensors (S, ...) are `merged` of the bank's (S, K, ...)."""
    return adapter_like(bank, [merged(tensor) for tensor in bank.parameters()])


def weighted_sum(weights: Tensor, tensor: Tensor) -> Tensor:
    """sum_i w_i T_i of T (S, K, ...) and w (K,), in T's precision; (S, ...)."""
    summed: Tensor = torch.tensordot(weights.to(tensor), tensor, dims=([0], [1]))
    return summed
