"""The visual projection: one per task, and merged with the adapters by the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.adapterhub import write_adapterhub
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS, ELSEWHERE, compose
from cl_core.adapters.merging import MERGES, merge_adapters
from cl_core.adapters.merging.vectors import adapter_vectors, bank_of_vectors
from cl_core.adapters.projection import VISUAL, Projection
from cl_core.errors import UserError
from tests.adapters.banks import random_bank, random_weights

SIZE, VISUAL_SIZE, SAMPLES, FRAMES = 12, 5, 6, 4


def seeing_bank(adapters: int = 3, seed: int = 0) -> Bank:
    """A bank whose adapters have projections, in float64."""
    generator = torch.Generator().manual_seed(seed)
    bank = random_bank(adapters)
    size = bank.down.shape[-1]
    weight = torch.randn(adapters, size, VISUAL_SIZE, generator=generator, dtype=torch.float64)
    bias = torch.randn(adapters, size, generator=generator, dtype=torch.float64)
    return replace(bank, projection=Projection(weight, bias))


def features() -> Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(SAMPLES, FRAMES, VISUAL_SIZE, generator=generator, dtype=torch.float64)


def slow(bank: Bank, weights: Tensor, seen: Tensor) -> Tensor:
    """Sample by sample, frame by frame: the weighted mean of what each task's projection makes."""
    assert bank.projection is not None
    matrices, biases = bank.projection.parameters()
    projected = torch.zeros(*seen.shape[:2], matrices.shape[1], dtype=torch.float64)
    for sample, frame in torch.cartesian_prod(torch.arange(len(seen)), torch.arange(seen.shape[1])):
        for k in range(len(bank)):
            by_task = matrices[k] @ seen[sample, frame] + biases[k]
            projected[sample, frame] += weights[sample, k] * by_task
    return projected


@pytest.mark.parametrize("how", ["merge", "average"])
def test_projections_are_merged_by_the_weights_of_the_adapters(how: str) -> None:
    bank, seen = seeing_bank(), features()
    weights = random_weights(SAMPLES, 3)
    projected = compose(bank, weights, how)[VISUAL](seen)
    torch.testing.assert_close(projected, slow(bank, weights, seen))


def test_select_takes_the_projection_of_the_adapter_with_the_largest_weight() -> None:
    bank, seen = seeing_bank(), features()
    weights = random_weights(SAMPLES, 3)
    best = torch.nn.functional.one_hot(weights.argmax(dim=1), 3).double()
    torch.testing.assert_close(
        compose(bank, weights, "select")[VISUAL](seen), slow(bank, best, seen)
    )


@pytest.mark.parametrize("how", [name for name in COMPOSITIONS if name not in ELSEWHERE])
def test_every_composition_projects_what_is_seen(how: str) -> None:
    bank = seeing_bank()
    fishers = bank.with_parameters([torch.ones_like(parameter) for parameter in bank.parameters()])
    projected = compose(bank, random_weights(SAMPLES, 3), how, fishers=fishers)[VISUAL](features())
    assert projected.shape == (SAMPLES, FRAMES, bank.down.shape[-1])
    assert projected.abs().sum() > 0


def test_one_adapter_alone_projects_as_the_composition_of_it() -> None:
    bank, seen = seeing_bank(), features()
    projected = transforms(bank.adapter(1))[VISUAL](seen)
    one_hot = torch.tensor([[0.0, 1.0, 0.0]]).double().expand(SAMPLES, -1)
    for how in ("select", "merge", "average"):
        torch.testing.assert_close(compose(bank, one_hot, how)[VISUAL](seen), projected)


def test_weights_get_a_gradient_through_the_projection() -> None:
    bank, seen = seeing_bank(), features()
    weights = random_weights(SAMPLES, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: compose(bank, p, "merge")[VISUAL](seen), weights)


@pytest.mark.parametrize("how", list(MERGES))
def test_static_merges_have_a_projection_too(how: str) -> None:
    bank = seeing_bank()
    fishers = bank.with_parameters([torch.ones_like(parameter) for parameter in bank.parameters()])
    merged = merge_adapters(how, bank, torch.full((3,), 1 / 3).double(), fishers=fishers)
    assert merged.projection is not None
    assert bank.projection is not None
    assert merged.projection.weight.shape == bank.projection.weight.shape[1:]
    if how in ("mean", "fisher", "product"):
        torch.testing.assert_close(merged.projection.weight, bank.projection.weight.mean(dim=0))


def test_tensors_and_vectors_hold_the_projection() -> None:
    bank = seeing_bank()
    adapter = bank.adapter(2)
    again = Adapter.from_tensors(adapter.tensors(), adapter.site_names)
    for mine, theirs in zip(adapter.parameters(), again.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert adapter.parameter_count == sum(parameter.numel() for parameter in adapter.parameters())
    assert adapter_vectors(bank).shape == (3, adapter.parameter_count)
    there = bank_of_vectors(adapter_vectors(bank), bank)
    assert all(map(torch.equal, there.parameters(), bank.parameters()))


def test_banks_grow_and_split_with_their_projections() -> None:
    bank = seeing_bank()
    grown = Bank.stack([bank.adapter(0), bank.adapter(1)]).append(bank.adapter(2))
    assert all(map(torch.equal, grown.parameters(), bank.parameters()))
    blind = replace(bank.adapter(2), projection=None)
    with pytest.raises(ValueError, match="visual projection"):
        Bank.stack([bank.adapter(0), blind])


def test_adapterhub_has_no_place_for_a_projection(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="visual projection"):
        write_adapterhub(seeing_bank().adapter(0), tmp_path, blocks=2)
