"""Routewise: merges that are not linear in the weights, done once per distinct route of a batch.

Each sample gets one adapter, as with `merge`; what it is made of is a method of `merging.MERGES`.
There is no gradient in the weights or the bank, only in the states.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import Adapter, Transform
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose.composition import Composition
from cl_core.adapters.compose.routes import Routes
from cl_core.adapters.compose.select import select
from cl_core.adapters.merging import merge_adapters
from cl_core.adapters.merging.dare import drop
from cl_core.adapters.merging.ties import trim
from cl_core.adapters.settings import MergeSettings


def routewise(how: str) -> Composition:
    """The composition of the merge `how`, a name in `MERGES`; it has one path.

    A batch of G distinct routes costs G merges, each of the adapters that the route uses; one route
    is merged once and is then a plain adapter.
    """

    def composition(
        bank: Bank,
        weights: Tensor,
        path: str | None = None,
        *,
        settings: MergeSettings | None = None,
        fishers: Bank | None = None,
    ) -> dict[str, Transform]:
        if path is not None:
            raise ValueError(f"there is no path '{path}' of '{how}'; leave the path out (None)")
        with torch.no_grad():
            rows, group = Routes.of(weights.detach(), bank).distinct
            merged = merge_routes(how, bank, rows, settings or MergeSettings(), fishers)
            # Samples now select among the G merged adapters.
            return select(merged, F.one_hot(group, len(rows)))

    return composition


def merge_routes(
    how: str, bank: Bank, rows: Tensor, settings: MergeSettings, fishers: Bank | None = None
) -> Bank:
    """One merged adapter for each row of weights (G, K), equal to `merge_adapters` up to rounding."""
    if how in PREPARE:
        bank, settings = PREPARE[how](bank, settings)
    return Bank.stack([_merge_used(how, bank, row, settings, fishers) for row in rows])


def _prepare_ties(bank: Bank, settings: MergeSettings) -> tuple[Bank, MergeSettings]:
    return trim(bank, settings.ties_keep), settings.model_copy(update={"ties_keep": 1.0})


def _prepare_dare(bank: Bank, settings: MergeSettings) -> tuple[Bank, MergeSettings]:
    dropped = drop(bank, settings.dare_drop, settings.merge_seed)
    return dropped, settings.model_copy(update={"dare_drop": 0.0})


PREPARE: dict[str, Callable[[Bank, MergeSettings], tuple[Bank, MergeSettings]]] = {
    "ties": _prepare_ties,
    "dare": _prepare_dare,
}
"""The part of a merge that no weight enters, done once for all routes, and the settings that leave it undone after."""


def _merge_used(
    how: str, bank: Bank, row: Tensor, settings: MergeSettings, fishers: Bank | None
) -> Adapter:
    used = row.nonzero().flatten()
    if len(used) == 0:
        used = torch.zeros(1, dtype=torch.int64, device=row.device)
    kept = None if fishers is None else _subset(fishers, used)
    return merge_adapters(how, _subset(bank, used), row[used], settings, kept)


def _subset(bank: Bank, index: Tensor) -> Bank:
    return bank.with_parameters([tensor.index_select(1, index) for tensor in bank.parameters()])


task_arithmetic = routewise("task-arithmetic")
ties = routewise("ties")
dare = routewise("dare")
fisher = routewise("fisher")
slerp = routewise("slerp")
product = routewise("product")
