"""The compositions as their formulas say, one sample and one adapter at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.bottleneck import ACTIVATIONS


def slow_bottleneck(h: Tensor, down, a, up, b, activation: str) -> Tensor:
    """h (T, d), down and up (r, d), a (r,), b (d,)."""
    rows = []
    for token in h:
        hidden = ACTIVATIONS[activation](down @ token + a)
        rows.append(token + up.T @ hidden + b)
    return torch.stack(rows)


def slow_compose(how: str, bank: Bank, weights: Tensor, site: int, h: Tensor) -> Tensor:
    """h (B, T, d), weights (B, K)."""
    composed = {"select": _select, "merge": _merge, "average": _average}[how]
    samples = range(len(h))
    return torch.stack([composed(bank, weights[i], site, h[i]) for i in samples])


def _parts(bank: Bank, site: int, k: int) -> list[Tensor]:
    return [tensor[site, k] for tensor in bank.parameters()]


def _select(bank: Bank, p: Tensor, site: int, h: Tensor) -> Tensor:
    best = max(range(len(bank)), key=lambda k: (float(p[k]), -k))
    return slow_bottleneck(h, *_parts(bank, site, best), bank.activation)


def _merge(bank: Bank, p: Tensor, site: int, h: Tensor) -> Tensor:
    merged = [torch.zeros_like(part) for part in _parts(bank, site, 0)]
    for k in range(len(bank)):
        merged = [m + p[k] * part for m, part in zip(merged, _parts(bank, site, k), strict=True)]
    return slow_bottleneck(h, *merged, bank.activation)


def _average(bank: Bank, p: Tensor, site: int, h: Tensor) -> Tensor:
    out = h
    for k in range(len(bank)):
        out = out + p[k] * (slow_bottleneck(h, *_parts(bank, site, k), bank.activation) - h)
    return out
