"""Average: each sample passes through all its adapters, whose outputs are averaged.

The activation stays inside the sum: this is not `merge`, and neither may stand in for the other.
They agree for one-hot weights, equal adapters, or shared D and a.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import Transform
from cl_core.adapters.bank import Bank
from cl_core.adapters.bottleneck import ACTIVATIONS, add_residual, bottleneck
from cl_core.adapters.compose.paths import (
    AVERAGE_PATHS,
    check_path,
    choose_average_path,
)
from cl_core.adapters.compose.project import project
from cl_core.adapters.compose.routes import Routes, check_batch
from cl_core.adapters.precision import in_precision
from cl_core.adapters.projection import VISUAL
from cl_core.adapters.settings import Activation, MergeSettings


def average(
    bank: Bank,
    weights: Tensor,
    path: str | None = None,
    *,
    settings: MergeSettings | None = None,
    fishers: Bank | None = None,
) -> dict[str, Transform]:
    """h' = h + sum_i p_i (U_i phi(D_i h + a_i) + b_i).

    L2R, arXiv 2408.09053, weighted average of outputs. The sum over adapters is a product with the
    concatenated up-projections: K bottlenecks are one of width K*r whose hidden units are scaled by
    p, and no (B, T, K, d) tensor exists.

    Args:
        bank: K adapters.
        weights: (B, K).
        path: one of `paths.AVERAGE_PATHS`; None chooses.
        settings, fishers: not read.

    Raises:
        ValueError: weights of another shape, or a path that does not fit.
    """
    routes = Routes.of(weights, bank)
    check_path(path, AVERAGE_PATHS, routes.shared)
    samples, adapters = routes.weights.shape
    kept = routes.index.shape[1]
    count = 1 if routes.shared else samples
    up_bias = torch.matmul(routes.weights, bank.up_bias).unbind(0)  # S of (B, d)

    def at_site(down: Tensor, a: Tensor, up: Tensor, b: Tensor) -> Transform:
        def transform(h: Tensor) -> Tensor:
            check_batch(h, samples)
            way = path or choose_average_path(samples, h.shape[1], adapters, kept, count)
            if way == "shared":
                return _one_route(h, routes, down, a, up, b, bank.activation)
            form = _own_adapters if way == "gather" else _all_adapters
            return form(h, routes, down, a, up, b, bank.activation)

        return in_precision(bank.dtype, transform)

    parts = zip(
        bank.down.unbind(0), bank.down_bias.unbind(0), bank.up.unbind(0), up_bias, strict=True
    )
    by_site = {name: at_site(*part) for name, part in zip(bank.site_names, parts, strict=True)}
    if bank.projection is not None:
        by_site[VISUAL] = project(bank.projection, routes.weights)
    return by_site


def _one_route(
    h: Tensor,
    routes: Routes,
    down: Tensor,
    a: Tensor,
    up: Tensor,
    b: Tensor,
    activation: Activation,
) -> Tensor:
    """All samples average the same k adapters: a plain bottleneck of width k*r, p folded into U."""
    index, kept = routes.index[0], routes.kept[0]
    scaled_up = up.index_select(0, index) * kept.view(-1, 1, 1)
    own_down, own_a = down.index_select(0, index), a.index_select(0, index)
    return bottleneck(
        h, own_down.flatten(0, 1), own_a.flatten(), scaled_up.flatten(0, 1), b[0], activation
    )


def _own_adapters(
    h: Tensor,
    routes: Routes,
    down: Tensor,
    a: Tensor,
    up: Tensor,
    b: Tensor,
    activation: Activation,
) -> Tensor:
    """Each sample's k adapters, fetched from the bank, are its own bottleneck, of width k*r."""
    (samples, kept), index = routes.index.shape, routes.index.flatten()

    def fetched(side: Tensor) -> Tensor:  # (K, r, d) to (B, k*r, d)
        return side.index_select(0, index).view(samples, kept * side.shape[1], side.shape[2])

    own_a = a.index_select(0, index).view(samples, 1, -1)
    before = torch.baddbmm(own_a, h, fetched(down).transpose(1, 2))
    hidden = _scaled(ACTIVATIONS[activation](before), routes.kept)
    return add_residual(h, torch.baddbmm(b.unsqueeze(1), hidden, fetched(up)))


def _all_adapters(
    h: Tensor,
    routes: Routes,
    down: Tensor,
    a: Tensor,
    up: Tensor,
    b: Tensor,
    activation: Activation,
) -> Tensor:
    """All K adapters are one bottleneck of width K*r: the bank's (K, r, d), seen as (K*r, d)."""
    before = F.linear(h, down.flatten(0, 1), a.flatten())
    hidden = _scaled(ACTIVATIONS[activation](before), routes.weights)
    change = torch.matmul(hidden, up.flatten(0, 1))
    return add_residual(h, change.add_(b.unsqueeze(1).to(change.dtype)))


def _scaled(hidden: Tensor, weights: Tensor) -> Tensor:
    """(B, T, n*r) hidden units of n adapters, each times its adapter's weight, (B, n)."""
    share = weights.to(hidden.dtype).unsqueeze(1).unsqueeze(-1)  # (B, 1, n, 1)
    samples, tokens, _ = hidden.shape
    return (hidden.view(samples, tokens, weights.shape[1], -1) * share).flatten(2)
