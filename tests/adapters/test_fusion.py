"""AdapterFusion: the factored form against the textbook, and what the papers say of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.bottleneck import ACTIVATIONS
from cl_core.adapters.fusion import (
    Fusion,
    FusionWeights,
    fuse,
    fusion_parameter_count,
    identity_penalty,
)
from cl_core.adapters.heads import Head
from tests.adapters.banks import random_bank


def random_fusion(bank: Bank, seed: int = 3) -> Fusion:
    generator = torch.Generator().manual_seed(seed)
    size = bank.down.shape[-1]
    fusion = Fusion.initialise(bank.site_names, size, generator)
    drawn = [
        torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        for parameter in fusion.parameters()
    ]
    return Fusion(*drawn, site_names=fusion.site_names)


def textbook(h: Tensor, bank: Bank, fusion: Fusion, site: int) -> Tensor:
    """AdapterFusion as published: keys and values of every adapter, (B, T, K, d)."""
    hidden = ACTIVATIONS[bank.activation](
        torch.einsum("btd,krd->btkr", h, bank.down[site]) + bank.down_bias[site]
    )
    u = torch.einsum("btkr,krd->btkd", hidden, bank.up[site]) + bank.up_bias[site]
    centred = h - h.mean(dim=-1, keepdim=True)
    normalised = centred / (centred.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
    query = normalised @ fusion.query[site].T + fusion.query_bias[site]
    keys = u @ fusion.key[site].T + fusion.key_bias[site]
    beta = torch.softmax((query.unsqueeze(2) * keys).sum(dim=-1), dim=-1)
    return h + (beta.unsqueeze(-1) * (u @ fusion.value[site].T)).sum(dim=2)


@pytest.mark.parametrize("adapters", [1, 2, 6])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_factored_form_is_the_textbook_s_in_value_and_in_gradient(
    adapters: int, activation: str
) -> None:
    bank = random_bank(adapters, activation=activation)
    fusion = random_fusion(bank)
    for site, name in enumerate(bank.site_names):
        results, gradients = [], []
        for form in (
            lambda h, site=site: textbook(h, bank, fusion, site),
            lambda h, name=name: fuse(bank, fusion)[name](h),
        ):
            h = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(7)).double()
            moving = [h, *fusion.parameters()]
            for tensor in moving:
                tensor.requires_grad_(True)
            result = form(h)
            grads = torch.autograd.grad(result.square().sum(), moving, allow_unused=True)
            results.append(result)
            gradients.append(grads)
        torch.testing.assert_close(*results, rtol=1e-11, atol=1e-11)
        for which, (slow, fast) in enumerate(zip(*gradients, strict=True)):
            # The key's bias moves all logits alike: no gradient, in either form.
            slow, fast = (torch.zeros_like(moving[which]) if g is None else g for g in (slow, fast))
            torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-9)


def test_without_a_query_every_adapter_counts_the_same() -> None:
    """Invariant 10: W_q = 0 and W_v = I give the mean of the adapters' outputs."""
    bank = random_bank(4)
    size = bank.down.shape[-1]
    fresh = random_fusion(bank)
    fusion = Fusion(
        torch.zeros_like(fresh.query),
        torch.zeros_like(fresh.query_bias),
        fresh.key,
        fresh.key_bias,
        torch.eye(size, dtype=torch.float64).repeat(len(bank.site_names), 1, 1),
        bank.site_names,
    )
    h = torch.randn(2, 3, size, dtype=torch.float64)
    for site, name in enumerate(bank.site_names):
        alone = []
        for k in range(len(bank)):
            down, a, up, b = (tensor[site, k] for tensor in bank.parameters())
            alone.append(torch.relu(h @ down.T + a) @ up + b)
        torch.testing.assert_close(fuse(bank, fusion)[name](h), h + torch.stack(alone).mean(dim=0))


def test_one_adapter_alone_passes_through_the_value_matrix_unchanged_at_the_start() -> None:
    bank = random_bank(1, dtype=torch.float32)
    fusion = Fusion.initialise(bank.site_names, 5, torch.Generator().manual_seed(0))
    h = torch.randn(2, 3, 5)
    down, a, up, b = (tensor[0, 0] for tensor in bank.parameters())
    alone = h + torch.relu(h @ down.T + a) @ up + b
    torch.testing.assert_close(fuse(bank, fusion)[bank.site_names[0]](h), alone)


def test_a_sample_does_not_see_the_rest_of_its_batch_nor_padding() -> None:
    bank = random_bank(3)
    transform = fuse(bank, random_fusion(bank))[bank.site_names[0]]
    h = torch.randn(4, 6, 5, dtype=torch.float64)
    torch.testing.assert_close(transform(h)[1:2, :4], transform(h[1:2, :4]))


def test_the_penalty_is_zero_at_the_start_and_the_squared_distance_from_the_identity() -> None:
    bank = random_bank(2)
    start = Fusion.initialise(bank.site_names, 5, torch.Generator().manual_seed(0))
    assert float(identity_penalty(start)) == 0.0
    moved = random_fusion(bank)
    wanted = sum(
        float((torch.eye(5, dtype=torch.float64) - value).norm() ** 2) for value in moved.value
    )
    assert float(identity_penalty(moved)) == pytest.approx(wanted)


def test_the_published_parameter_counts() -> None:
    assert fusion_parameter_count(768) == 1_771_008
    assert fusion_parameter_count(768, 12) == 21_252_096
    fusion = Fusion.initialise(("a", "b"), 5, torch.Generator().manual_seed(0))
    assert sum(parameter.numel() for parameter in fusion.parameters()) == fusion_parameter_count(
        5, 2
    )


def test_weights_survive_being_named_and_read_back() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = FusionWeights(
        Fusion.initialise(("a", "b"), 4, generator), Head.initialise(3, 4, generator)
    )
    back = FusionWeights.from_tensors(weights.tensors(), ("a", "b"))
    other = FusionWeights(Fusion.initialise(("a", "b"), 4, generator), back.head).clone()
    other.load(weights.tensors())
    for mine, theirs, loaded in zip(
        weights.parameters(), back.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(mine, theirs)
        assert torch.equal(mine, loaded)


def test_a_fusion_of_other_sites_is_refused() -> None:
    bank = random_bank(2)
    fusion = Fusion.initialise(("elsewhere",), 5, torch.Generator())
    with pytest.raises(ValueError, match="elsewhere"):
        fuse(bank, fusion)
