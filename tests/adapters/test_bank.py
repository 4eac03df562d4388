"""The bank of K adapters in one tensor per kind of weight."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cl_core.adapters.bank import Bank
from tests.adapters.banks import random_bank


def test_stacking_and_taking_apart_are_inverse():
    adapters = [random_bank(1, seed=seed).adapter(0) for seed in range(3)]
    bank = Bank.stack(adapters)
    assert len(bank) == 3
    for k, adapter in enumerate(adapters):
        assert all(map(torch.equal, bank.adapter(k).parameters(), adapter.parameters()))


def test_the_first_adapters_are_a_bank_and_none_is_an_empty_one():
    bank = random_bank(3)
    first = bank.first(2)
    assert len(first) == 2
    assert len(Bank.empty()) == 0
    for k in range(2):
        pairs = zip(first.adapter(k).parameters(), bank.adapter(k).parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)


def test_the_adapters_of_a_site_lie_in_one_piece():
    bank = Bank.stack([random_bank(1, seed=seed).adapter(0) for seed in range(3)])
    for tensor in bank.parameters():
        assert all(site.is_contiguous() for site in tensor)


def test_an_adapter_of_the_bank_is_a_view_of_it():
    bank = random_bank(3)
    bank.adapter(1).down.zero_()
    assert not bank.down[:, 1].any()
    assert bank.down[:, 0].all()


def test_appending_leaves_the_old_bank_as_it_was():
    bank, new = random_bank(2), random_bank(1, seed=7).adapter(0)
    longer = bank.append(new)
    assert (len(bank), len(longer)) == (2, 3)
    assert torch.equal(longer.adapter(2).up, new.up)
    assert torch.equal(longer.down[:, :2], bank.down)


def test_gradients_reach_the_adapters_that_were_stacked():
    adapters = [random_bank(1, seed=seed).adapter(0).clone() for seed in range(2)]
    for adapter in adapters:
        adapter.down.requires_grad_(True)
    Bank.stack(adapters).down[:, 1].sum().backward()
    assert not adapters[0].down.grad.any()
    assert adapters[1].down.grad.all()


def test_adapters_of_different_form_are_named_and_refused():
    adapter = random_bank(1).adapter(0)
    with pytest.raises(ValueError, match="adapter 1 does not fit the bank: its activation is gelu"):
        Bank.stack([adapter, replace(adapter, activation="gelu")])
    with pytest.raises(ValueError, match=r"its shape \(S, r, d\) is \(2, 4, 5\), not \(2, 3, 5\)"):
        random_bank(2).append(random_bank(1, width=4).adapter(0))
    with pytest.raises(ValueError, match="adapter 1 does not fit the bank: its sites"):
        Bank.stack([adapter, replace(adapter, site_names=("a", "b"))])
    with pytest.raises(ValueError, match="at least one"):
        Bank.stack([])
