"""The compositions: every path equals the slow formula, and the methods' invariants hold."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_core.adapters.adapter import transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose, plain_compositions
from cl_core.adapters.compose.paths import (
    AVERAGE_PATHS,
    MERGE_PATHS,
    choose_average_path,
    choose_merge_path,
)
from cl_core.errors import UserError
from tests.adapters.banks import random_bank, random_states, random_weights
from tests.adapters.slow import slow_compose

HOWS = plain_compositions()
PATHS = [
    *(("merge", path) for path in MERGE_PATHS),
    *(("average", path) for path in AVERAGE_PATHS),
    ("select", "shared"),
    ("select", "gather"),
]
ANY_ROUTE_PATHS = [(how, path) for how, path in PATHS if path != "shared"]


def weights_for(path: str, samples: int, adapters: int, kept: int) -> torch.Tensor:
    """Routes as the path needs them."""
    weights = random_weights(samples, adapters, kept)
    if path == "shared":
        return weights[:1].expand(samples, adapters)
    if path == "distinct":  # every other sample has the first one's route
        weights[::2] = weights[0].clone()
    return weights


@pytest.mark.parametrize(("how", "path"), PATHS)
@given(
    samples=st.integers(1, 5),
    tokens=st.integers(1, 4),
    adapters=st.integers(1, 6),
    kept=st.integers(1, 6),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 6)),
    activation=st.sampled_from(["relu", "gelu", "silu", "tanh"]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=20, deadline=None)
def test_every_path_is_the_formula(
    how, path, samples, tokens, adapters, kept, sizes, activation, seed
):
    width, hidden_size = sizes
    bank = random_bank(adapters, 2, width, hidden_size, activation, seed)
    weights = weights_for(path, samples, adapters, min(kept, adapters))
    h = random_states(samples, tokens, hidden_size)
    composed = compose(bank, weights, how, path)
    for site, name in enumerate(bank.site_names):
        expected = slow_compose(how, bank, weights, site, h)
        torch.testing.assert_close(composed[name](h), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kept", [1, 2, 9])
@pytest.mark.parametrize("tokens", [1, 7])
def test_the_chosen_path_is_the_formula_on_every_device(how, kept, tokens, device):
    bank = random_bank(9)
    weights = random_weights(6, 9, kept)
    h = random_states(6, tokens)
    out = compose(bank.to(device), weights.to(device), how)["block1.ffn"](h.to(device))
    torch.testing.assert_close(out.cpu(), slow_compose(how, bank, weights, 1, h))


@pytest.mark.parametrize(("how", "path"), [("merge", None), ("average", None), *ANY_ROUTE_PATHS])
def test_weights_that_do_not_sum_to_one_or_are_negative_count_as_they_are(how, path):
    bank, h = random_bank(4), random_states(3, 2)
    weights = torch.tensor([[2.0, 0, 0, -1], [0, 0, 0, 0], [0.3, 0.3, 0, 0]], dtype=h.dtype)
    expected = slow_compose(how, bank, weights, 0, h)
    torch.testing.assert_close(compose(bank, weights, how, path)["block0.ffn"](h), expected)


@pytest.mark.parametrize("how", HOWS)
def test_one_hot_weights_select_that_adapter(how, device):
    """Invariant 1: one-hot p: select = merge = average = that adapter alone."""
    bank = random_bank(4).to(device)
    h = random_states(5, 3).to(device)
    choice = torch.tensor([2, 0, 3, 2, 1], device=device)
    weights = torch.nn.functional.one_hot(choice, 4).to(h.dtype)
    out = compose(bank, weights, how)["block0.ffn"](h)
    alone = [transforms(bank.adapter(k))["block0.ffn"](h[i : i + 1]) for i, k in enumerate(choice)]
    torch.testing.assert_close(out, torch.cat(alone))


@pytest.mark.parametrize("how", HOWS)
def test_a_bank_of_one_adapter_is_that_adapter(how):
    """Invariant 1: one adapter; the very same computation, so the same bytes."""
    bank, h = random_bank(1, dtype=torch.float32), random_states(5, 3).float()
    out = compose(bank, torch.ones(5, 1), how)["block1.ffn"](h)
    assert torch.equal(out, transforms(bank.adapter(0))["block1.ffn"](h))


def test_uniform_weights_merge_into_one_static_adapter():
    """Invariant 2, the part of merge: uniform p is the static mean of the parameters."""
    bank, h = random_bank(4), random_states(5, 3)
    mean = [tensor.mean(dim=1, keepdim=True) for tensor in bank.parameters()]
    merged = Bank(*mean, bank.site_names).adapter(0)
    for path in MERGE_PATHS:
        out = compose(bank, torch.full((5, 4), 0.25), "merge", path)["block0.ffn"](h)
        torch.testing.assert_close(out, transforms(merged)["block0.ffn"](h))


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh"])
def test_average_equals_merge_where_down_projections_are_shared(activation):
    """Invariant 4: shared D and a, for any phi."""
    bank = random_bank(4, activation=activation)
    down, down_bias = bank.down[:, :1].expand_as(bank.down), bank.down_bias[:, :1]
    down_bias = down_bias.expand_as(bank.down_bias)
    shared = Bank(down, down_bias, bank.up, bank.up_bias, bank.site_names, activation)
    weights, h = random_weights(5, 4), random_states(5, 3)
    merged, averaged = (compose(shared, weights, how) for how in ("merge", "average"))
    torch.testing.assert_close(merged["block0.ffn"](h), averaged["block0.ffn"](h))


def test_average_and_merge_differ_otherwise():
    bank, weights, h = random_bank(4), random_weights(5, 4), random_states(5, 3)
    merged, averaged = (
        compose(bank, weights, how)["block0.ffn"](h) for how in ("merge", "average")
    )
    assert (merged - averaged).abs().max() > 0.1


@pytest.mark.parametrize("how", HOWS)
def test_zero_up_projections_and_biases_are_the_identity(how):
    """Invariant 5: U = 0 and b = 0."""
    bank = random_bank(3)
    bank.up.zero_()
    bank.up_bias.zero_()
    h = random_states(4, 2)
    assert torch.equal(compose(bank, random_weights(4, 3), how)["block0.ffn"](h), h)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kept", [1, 2, 8])
def test_a_sample_does_not_depend_on_the_rest_of_its_batch_nor_on_padding(how, kept, device):
    """Invariant 7, whatever path the rest of the batch makes the composition take."""
    bank = random_bank(8).to(device)
    weights, h = random_weights(6, 8, kept).to(device), random_states(6, 9).to(device)
    whole = compose(bank, weights, how)["block0.ffn"](h)
    for i in range(6):
        alone = compose(bank, weights[i : i + 1], how)["block0.ffn"](h[i : i + 1, :4])
        torch.testing.assert_close(alone, whole[i : i + 1, :4])


@pytest.mark.parametrize(("how", "path"), [("merge", None), ("average", None), *ANY_ROUTE_PATHS])
def test_gradients_in_weights_bank_and_states_are_exact(how, path):
    activation = "tanh"  # smooth: finite differences need it
    bank = random_bank(4, sites=1, width=2, hidden_size=3, activation=activation)
    inputs = [random_weights(3, 4, kept=2), random_states(3, 2, 3), *bank.parameters()]
    inputs[0][2] = inputs[0][0].clone()  # equal routes and zero weights have gradients of their own
    inputs = [tensor.clone().requires_grad_(True) for tensor in inputs]
    if how == "select":
        inputs[0].requires_grad_(False)

    def composed(weights, h, *tensors):
        return compose(Bank(*tensors, bank.site_names, activation), weights, how, path)[
            "block0.ffn"
        ](h)

    assert torch.autograd.gradcheck(composed, inputs)


@pytest.mark.parametrize(("how", "path"), PATHS)
def test_gradients_in_the_bank_are_exact_for_fixed_weights(how, path):
    bank = random_bank(4, sites=1, width=2, hidden_size=3, activation="tanh")
    weights, h = weights_for(path, 3, 4, kept=2), random_states(3, 2, 3)
    inputs = [tensor.clone().requires_grad_(True) for tensor in bank.parameters()]

    def composed(*tensors):
        return compose(Bank(*tensors, bank.site_names, "tanh"), weights, how, path)["block0.ffn"](h)

    assert torch.autograd.gradcheck(composed, inputs)


def test_select_takes_the_lowest_of_equal_weights():
    bank, h = random_bank(3), random_states(2, 2)
    weights = torch.tensor([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])
    out = compose(bank, weights, "select")["block0.ffn"](h)
    for i in (0, 1):
        expected = transforms(bank.adapter(i))["block0.ffn"](h[i : i + 1])
        torch.testing.assert_close(out[i : i + 1], expected)


@pytest.mark.parametrize(("how", "path"), [("merge", None), ("average", None), *ANY_ROUTE_PATHS])
def test_autocast_agrees_to_its_own_precision(how, path, device):
    bank = random_bank(6, width=4, hidden_size=8, dtype=torch.float32).to(device)
    weights, h = random_weights(4, 6, 2).float().to(device), random_states(4, 3, 8).to(device)
    exact = compose(bank, weights, how, path)["block0.ffn"](h.float())
    with torch.autocast(device.type, torch.bfloat16):
        for dtype in (torch.float32, torch.bfloat16):
            out = compose(bank, weights, how, path)["block0.ffn"](h.to(dtype))
            assert out.dtype == dtype
            torch.testing.assert_close(out.float(), exact, rtol=0.05, atol=0.3)


def test_the_path_follows_the_shapes():
    assert choose_merge_path(32, 64, 20, kept=2, distinct=32) == "gather"
    assert choose_merge_path(32, 64, 20, kept=20, distinct=32) == "gemm"
    assert choose_merge_path(32, 64, 20, kept=20, distinct=4) == "distinct"
    assert choose_merge_path(32, 64, 20, kept=20, distinct=1) == "shared"
    assert choose_merge_path(32, 1, 6, kept=6, distinct=32) == "preactivation"
    assert choose_average_path(32, 64, 20, kept=2, distinct=32) == "gather"
    assert choose_average_path(32, 64, 20, kept=20, distinct=32) == "concatenated"
    assert choose_average_path(32, 64, 20, kept=20, distinct=1) == "shared"
    assert choose_average_path(32, 1, 6, kept=2, distinct=32) == "concatenated"


def test_mistaken_shapes_and_names_are_refused():
    bank, h = random_bank(3), random_states(2, 2)
    for how in HOWS:
        with pytest.raises(ValueError, match=r"weights must be \(B, 3\).*found \(2, 4\)"):
            compose(bank, torch.ones(2, 4), how)
        with pytest.raises(ValueError, match=r"with B = 5.*found \(2, 2, 5\)"):
            compose(bank, random_weights(5, 3), how)["block0.ffn"](h)
        with pytest.raises(ValueError, match="there is no path 'fast'; choose one of shared"):
            compose(bank, random_weights(2, 3), how, "fast")
        with pytest.raises(ValueError, match="'shared' needs the same route"):
            compose(bank, torch.eye(3)[:2], how, "shared")
    with pytest.raises(UserError, match="Did you mean 'merge'"):
        compose(bank, torch.ones(2, 3), "merg")


def test_listing_the_compositions_needs_no_torch():
    program = (
        "import sys, cl_core.adapters.compose as c, cl_core.adapters.settings;"
        "print(list(c.plain_compositions()), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['select', 'merge', 'average'] False"
