"""Merge: each sample gets one adapter, the weighted mean of the bank's in parameter space.

Five ways to compute it, equal up to rounding; `paths.choose_merge_path` picks one by shape.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import Transform
from cl_core.adapters.bank import Bank
from cl_core.adapters.bottleneck import (
    ACTIVATIONS,
    add_residual,
    bottleneck,
    bottleneck_per_sample,
)
from cl_core.adapters.compose.paths import FEW, MERGE_PATHS, check_path, choose_merge_path
from cl_core.adapters.compose.project import project
from cl_core.adapters.compose.routes import Routes, check_batch
from cl_core.adapters.precision import in_precision
from cl_core.adapters.projection import VISUAL
from cl_core.adapters.settings import Activation, MergeSettings


def merge(
    bank: Bank,
    weights: Tensor,
    path: str | None = None,
    *,
    settings: MergeSettings | None = None,
    fishers: Bank | None = None,
) -> dict[str, Transform]:
    """h' = h + U_p phi(D_p h + a_p) + b_p with D_p = sum_i p_i D_i, and so a, U and b.

    DAM, arXiv 2403.08755: per sample, the same p(x) at every site, down and up merged separately
    and not their product.

    Args:
        bank: K adapters.
        weights: (B, K).
        path: one of `paths.MERGE_PATHS`; None chooses.
        settings, fishers: not read.

    Raises:
        ValueError: weights of another shape, or a path that does not fit.
    """
    routes = Routes.of(weights, bank)
    check_path(path, MERGE_PATHS, routes.shared)
    samples, adapters = routes.weights.shape
    kept = routes.index.shape[1]
    # Counting waits for the device; it is done only where the answer matters.
    count = 1 if routes.shared else samples if kept <= FEW else len(routes.distinct[0])
    # The merged biases are small: all sites at once, (S, B, r) and (S, B, d).
    down_bias = torch.matmul(routes.weights, bank.down_bias).unbind(0)
    up_bias = torch.matmul(routes.weights, bank.up_bias).unbind(0)

    def at_site(down: Tensor, a: Tensor, up: Tensor, b: Tensor) -> Transform:
        def transform(h: Tensor) -> Tensor:
            check_batch(h, samples)
            way = path or choose_merge_path(samples, h.shape[1], adapters, kept, count)
            if way == "preactivation":
                return _mix_preactivations(h, routes.weights, down, a, up, b, bank.activation)
            if way == "shared":
                own_down, own_up = (merge_gather(side, routes, samples=1)[0] for side in (down, up))
                return bottleneck(h, own_down, a[0], own_up, b[0], bank.activation)
            formed = {"gather": merge_gather, "distinct": merge_distinct, "gemm": merge_gemm}[way]
            return bottleneck_per_sample(
                h, formed(down, routes), a, formed(up, routes), b, bank.activation
            )

        return in_precision(bank.dtype, transform)

    parts = zip(bank.down.unbind(0), down_bias, bank.up.unbind(0), up_bias, strict=True)
    by_site = {name: at_site(*part) for name, part in zip(bank.site_names, parts, strict=True)}
    if bank.projection is not None:
        by_site[VISUAL] = project(bank.projection, routes.weights)
    return by_site


def merge_gemm(side: Tensor, routes: Routes) -> Tensor:
    """(K, r, d) to (B, r, d): p times the bank, one row of it being a whole matrix D_i or U_i."""
    return torch.mm(routes.weights, side.flatten(1)).view(-1, *side.shape[1:])


def merge_distinct(side: Tensor, routes: Routes) -> Tensor:
    """(K, r, d) to (B, r, d): the G distinct merges, and each sample's among them."""
    rows, group = routes.distinct
    return torch.mm(rows, side.flatten(1)).index_select(0, group).view(-1, *side.shape[1:])


def merge_gather(side: Tensor, routes: Routes, samples: int | None = None) -> Tensor:
    """(K, r, d) to (B, r, d): sums the k weighted rows that each of the first B samples uses.

    `embedding_bag` is that sum in one pass, without a (B, k, r, d) tensor, and has the gradients
    for the rows and for their weights.
    """
    index, kept = routes.index[:samples], routes.kept[:samples]
    summed = F.embedding_bag(index, side.flatten(1), per_sample_weights=kept, mode="sum")
    return summed.view(-1, *side.shape[1:])


def _mix_preactivations(
    h: Tensor,
    weights: Tensor,
    down: Tensor,
    a: Tensor,
    up: Tensor,
    b: Tensor,
    activation: Activation,
) -> Tensor:
    """D_p h = sum_i p_i (D_i h): mixes K pre-activations, then the rows of U, forming no weights.

    h (B, T, d), weights (B, K), down and up (K, r, d), a (B, r), b (B, d); gives (B, T, d).
    """
    (batch, tokens, _), (adapters, width, _) = h.shape, down.shape
    preactivations = F.linear(h, down.flatten(0, 1)).view(batch * tokens, adapters, width)
    share = weights.to(preactivations.dtype).repeat_interleave(tokens, dim=0)  # (B*T, K)
    mixed = torch.bmm(share.unsqueeze(1), preactivations).view(batch, tokens, width)
    hidden = ACTIVATIONS[activation](mixed + a.unsqueeze(1).to(mixed.dtype))
    spread = share.view(batch, tokens, adapters, 1) * hidden.unsqueeze(2)  # (B, T, K, r)
    change = torch.matmul(spread.flatten(2), up.flatten(0, 1))
    return add_residual(h, change.add_(b.unsqueeze(1).to(change.dtype)))
