"""Merges beyond the mean, each against its formula, and sample by sample."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS, ELSEWHERE, compose
from cl_core.adapters.heads import Head
from cl_core.adapters.merging import MERGES, merge_adapters
from cl_core.adapters.merging.dare import drop
from cl_core.adapters.merging.merged_heads import merge_heads
from cl_core.adapters.merging.slerp import along_the_arc
from cl_core.adapters.merging.ties import trim
from cl_core.adapters.settings import MergeSettings
from cl_core.errors import UserError
from tests.adapters.banks import random_bank, random_weights

KEEPS_ONE_HOT = ("mean", "fisher", "slerp")
"""Merges that give adapter i for the weight 1 on i; the others trim, drop, scale or balance."""

SAMPLEWISE = tuple(name for name in MERGES if name != "mean")


def fishers_of(bank: Bank, seed: int = 9) -> Bank:
    generator = torch.Generator().manual_seed(seed)
    drawn = [
        torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
        for parameter in bank.parameters()
    ]
    return Bank(*drawn, site_names=bank.site_names)


def flat(bank: Bank, k: int) -> Tensor:
    return torch.cat([parameter.flatten() for parameter in bank.adapter(k).parameters()])


def merged(how: str, bank: Bank, weights: Tensor, **settings: float) -> Tensor:
    result = merge_adapters(how, bank, weights, MergeSettings(**settings), fishers_of(bank))
    return torch.cat([parameter.flatten() for parameter in result.parameters()])


@pytest.mark.parametrize("how", KEEPS_ONE_HOT)
def test_all_weight_on_one_adapter_gives_that_adapter(how: str) -> None:
    bank = random_bank(3)
    for k in range(3):
        torch.testing.assert_close(merged(how, bank, torch.eye(3).double()[k]), flat(bank, k))


def test_task_arithmetic_is_lambda_times_the_sum() -> None:
    bank = random_bank(3)
    equal = merged("task-arithmetic", bank, torch.full((3,), 1 / 3).double(), merge_scale=0.4)
    torch.testing.assert_close(equal, 0.4 * sum(flat(bank, k) for k in range(3)))
    unequal = merged("task-arithmetic", bank, torch.tensor([0.5, 0.25, 0.0]).double())
    torch.testing.assert_close(unequal, 0.4 * (flat(bank, 0) + 0.5 * flat(bank, 1)))


def test_ties_trims_elects_and_averages_those_that_agree() -> None:
    """Algorithm 1 of TIES, entry by entry."""
    bank, keep = random_bank(3), 0.4
    entries = torch.stack([flat(bank, k) for k in range(3)])
    count = round(keep * entries.shape[1])
    wanted = []
    trimmed = torch.zeros_like(entries)
    for k in range(3):
        largest = entries[k].abs().argsort(descending=True)[:count]
        trimmed[k, largest] = entries[k, largest]
    for column in trimmed.T:
        sign = torch.sign(column.sum())
        agreeing = [float(x) for x in column if x != 0 and torch.sign(x) == sign]
        wanted.append(sum(agreeing) / len(agreeing) if agreeing else 0.0)
    result = merged("ties", bank, torch.full((3,), 1 / 3).double(), ties_keep=keep)
    torch.testing.assert_close(result, torch.tensor(wanted).double())


def test_trimming_keeps_exactly_the_share_even_where_entries_are_equal() -> None:
    bank = random_bank(2)
    ones = Bank(
        *(torch.ones_like(parameter) for parameter in bank.parameters()), site_names=bank.site_names
    )
    for k in range(2):
        entries = flat(trim(ones, 0.25), k)
        assert int((entries != 0).sum()) == round(0.25 * len(entries))


def test_dare_is_the_mean_in_expectation_and_the_same_for_the_same_seed() -> None:
    bank, weights = random_bank(3), torch.tensor([0.5, 0.3, 0.2]).double()
    draws = torch.stack([merged("dare", bank, weights, merge_seed=seed) for seed in range(800)])
    error = draws.std(dim=0) / 800**0.5
    plain = merged("mean", bank, weights)
    assert ((draws.mean(dim=0) - plain).abs() <= 5 * error + 1e-12).all()
    assert torch.equal(draws[3], merged("dare", bank, weights, merge_seed=3))
    assert not torch.equal(draws[3], draws[4])
    torch.testing.assert_close(merged("dare", bank, weights, dare_drop=0.0), plain)


def test_dropping_rescales_and_leaves_other_adapters_out_of_it() -> None:
    bank = random_bank(3)
    dropped = drop(bank, 0.5, seed=1)
    for k in range(3):
        kept = flat(dropped, k) != 0
        torch.testing.assert_close(flat(dropped, k)[kept], 2 * flat(bank, k)[kept])
    first = replace(
        bank, **{n: getattr(bank, n)[:, :1] for n in ("down", "down_bias", "up", "up_bias")}
    )
    assert torch.equal(flat(drop(first, 0.5, seed=1), 0), flat(dropped, 0))


def test_fisher_merging_weighs_each_entry_by_its_information() -> None:
    bank, weights = random_bank(3), torch.tensor([0.5, 0.3, 0.2]).double()
    fishers = fishers_of(bank)
    parts = [(float(weights[k]) * flat(fishers, k), flat(bank, k)) for k in range(3)]
    wanted = sum(f * x for f, x in parts) / sum(f for f, _ in parts)
    torch.testing.assert_close(merged("fisher", bank, weights), wanted)
    for value in (0.0, 3.0):
        equal = Bank(
            *(torch.full_like(parameter, value) for parameter in bank.parameters()),
            site_names=bank.site_names,
        )
        result = merge_adapters("fisher", bank, weights, fishers=equal)
        torch.testing.assert_close(result.down, merge_adapters("mean", bank, weights).down)
    with pytest.raises(UserError, match="needs the diagonal Fisher information"):
        merge_adapters("fisher", bank, weights)


def test_slerp_goes_along_the_arc() -> None:
    a, b = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 1.0]).double()
    for t in (0.0, 0.25, 0.5, 1.0):
        point = along_the_arc(a, b, t)
        assert float(point.norm()) == pytest.approx(1.0)
        angle = torch.tensor(t * torch.pi / 2).double()
        torch.testing.assert_close(point, torch.stack([angle.cos(), angle.sin()]))
    torch.testing.assert_close(along_the_arc(a, 2 * a, 0.5), 1.5 * a)  # no arc: the chord
    torch.testing.assert_close(along_the_arc(a, -a, 0.25), 0.5 * a)


def test_the_product_merge_is_the_average_of_the_outputs_where_phi_is_linear() -> None:
    """With K r <= d nothing is cut off only if the sum has rank r; two adapters that share U do."""
    bank = random_bank(2, width=2, hidden_size=6)
    bank = replace(bank, up=bank.up[:, :1].expand(-1, 2, -1, -1).contiguous())
    weights = torch.tensor([0.7, 0.3]).double()
    result = merge_adapters("product", bank, weights)
    h = torch.randn(5, 6, dtype=torch.float64)
    for site in range(2):
        wanted = sum(
            float(weights[k])
            * (
                (h @ bank.down[site, k].T + bank.down_bias[site, k]) @ bank.up[site, k]
                + bank.up_bias[site, k]
            )
            for k in range(2)
        )
        product = (h @ result.down[site].T + result.down_bias[site]) @ result.up[site]
        torch.testing.assert_close(product + result.up_bias[site], wanted)


def test_the_product_merge_is_the_best_approximation_of_its_rank() -> None:
    bank, weights = random_bank(3, width=2, hidden_size=7), torch.tensor([0.5, 0.3, 0.2]).double()
    result = merge_adapters("product", bank, weights)
    for site in range(2):
        whole = sum(float(weights[k]) * bank.up[site, k].T @ bank.down[site, k] for k in range(3))
        left, strength, right = torch.linalg.svd(whole)
        best = left[:, :2] * strength[:2] @ right[:2]
        torch.testing.assert_close(result.up[site].T @ result.down[site], best)


@pytest.mark.parametrize("how", SAMPLEWISE)
def test_sample_by_sample_each_gets_the_merge_of_its_own_weights(how: str) -> None:
    bank, weights = random_bank(4), random_weights(6, 4, kept=3)
    weights = torch.cat([weights, weights[:2]])  # two routes are shared
    h = torch.randn(8, 3, 5, dtype=torch.float64)
    settings, fishers = MergeSettings(ties_keep=0.6), fishers_of(bank)
    composed = compose(bank, weights, how, settings=settings, fishers=fishers)
    for i in range(8):
        adapter = merge_adapters(how, bank, weights[i], settings, fishers)
        for site, name in enumerate(bank.site_names):
            hidden = torch.relu(h[i] @ adapter.down[site].T + adapter.down_bias[site])
            wanted = h[i] + hidden @ adapter.up[site] + adapter.up_bias[site]
            torch.testing.assert_close(composed[name](h)[i], wanted)
    alone = compose(bank, weights[2:3], how, settings=settings, fishers=fishers)
    name = bank.site_names[0]
    torch.testing.assert_close(alone[name](h[2:3]), composed[name](h)[2:3])


def test_every_merge_stands_among_the_compositions() -> None:
    assert set(SAMPLEWISE) <= set(COMPOSITIONS)
    for how in ELSEWHERE:
        with pytest.raises(ValueError, match="is not composed by weights"):
            compose(random_bank(2), random_weights(1, 2), how)
    with pytest.raises(ValueError, match="there is no path"):
        compose(random_bank(2), random_weights(1, 2), "ties", path="gemm")


def test_weights_that_no_merge_can_take_are_refused() -> None:
    bank = random_bank(2)
    with pytest.raises(ValueError, match=r"must be \(2,\)"):
        merge_adapters("mean", bank, torch.ones(3))
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="0 or more"):
            merge_adapters("mean", bank, torch.tensor([wrong, 1.0]))
    with pytest.raises(ValueError, match="the bank's is"):
        merge_adapters("fisher", bank, torch.ones(2), fishers=random_bank(3))
    with pytest.raises(UserError, match="ties"):
        merge_adapters("tie", bank, torch.ones(2))


def test_merged_heads_answer_with_the_weighted_sum_of_logits() -> None:
    generator = torch.Generator().manual_seed(0)
    heads = [
        Head(torch.randn(3, 5, generator=generator), torch.randn(3, generator=generator))
        for _ in range(2)
    ]
    weights, states = torch.tensor([0.3, 0.7]), torch.randn(4, 5, generator=generator)
    wanted = sum(float(w) * head.logits(states) for w, head in zip(weights, heads, strict=True))
    torch.testing.assert_close(merge_heads(heads, weights).logits(states), wanted)
    with pytest.raises(ValueError, match="one shape"):
        merge_heads([heads[0], Head(torch.zeros(2, 5), torch.zeros(2))], weights)
