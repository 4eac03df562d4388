"""The bottleneck, its sizes and where it starts."""

from __future__ import annotations

import math

import pytest
import torch

from cl_core.adapters.adapter import Adapter, select_sites, transforms
from cl_core.adapters.bottleneck import bottleneck, draw, parameter_count
from cl_core.adapters.settings import AdapterSettings
from cl_core.errors import UserError
from tests.adapters.banks import fake_sites, random_bank, random_states
from tests.adapters.slow import slow_bottleneck


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh"])
def test_the_bottleneck_is_its_formula(activation, device):
    adapter = random_bank(1, activation=activation).adapter(0).to(device)
    h = random_states(2, 4).to(device)
    for site, name in enumerate(adapter.site_names):
        parts = [tensor[site] for tensor in adapter.parameters()]
        expected = torch.stack([slow_bottleneck(sample, *parts, activation) for sample in h])
        torch.testing.assert_close(transforms(adapter)[name](h), expected)


def test_zero_up_projection_and_bias_are_the_identity():
    """Invariant 5: U = 0 and b = 0."""
    bank = random_bank(1)
    down, a, up, b = (tensor[0, 0] for tensor in bank.parameters())
    h = random_states(2, 4)
    assert torch.equal(bottleneck(h, down, a, torch.zeros_like(up), torch.zeros_like(b)), h)


def test_the_state_that_came_in_is_left_as_it_was():
    h = random_states(2, 4)
    before = h.clone()
    for transform in transforms(random_bank(1).adapter(0)).values():
        transform(h)
    assert torch.equal(h, before)


def test_gradients_of_the_bottleneck_are_exact():
    inputs = [random_states(1, 2), *(tensor[0, 0] for tensor in random_bank(1).parameters())]
    inputs = [tensor.clone().requires_grad_(True) for tensor in inputs]
    assert torch.autograd.gradcheck(lambda *x: bottleneck(*x, activation="tanh"), inputs)


def test_published_parameter_counts():
    """DAM: 24 blocks x 2 sites, d=1536, r=192 (arXiv 2403.08755). I2I: 12 sites, d=768, r=48."""
    assert parameter_count(1536, 192) == 591_552
    assert parameter_count(1536, 192, sites=48) == 28_394_496
    assert parameter_count(768, 48) == 74_544
    assert parameter_count(768, 48, sites=12) == 894_528


def test_the_settings_of_the_papers_give_their_parameter_counts():
    dam = AdapterSettings()
    i2i = AdapterSettings(reduction=16, sites="pfeiffer", init="i2i")
    adapter = Adapter.initialise(i2i, fake_sites(12), 768, seeded())
    assert dam.width(1536) == 192
    assert adapter.parameter_count == 894_528
    assert sum(tensor.numel() for tensor in adapter.parameters()) == 894_528
    assert len(select_sites(fake_sites(24), dam)) == 48


def test_dam_draws_weights_and_biases_alike_and_clamps_them():
    for bias in (False, True):
        drawn = draw("dam", (400, 100), bias=bias, generator=seeded())
        assert float(drawn.abs().max()) == pytest.approx(2e-3)
        # A normal clamped at two standard deviations: 4.55 % of it lies at the limits.
        assert float((drawn.abs() >= 2e-3).float().mean()) == pytest.approx(0.0455, abs=0.005)
        assert float(drawn.mean()) == pytest.approx(0.0, abs=3e-5)


def test_i2i_draws_weights_of_deviation_two_hundredths_and_zero_biases():
    weights = draw("i2i", (400, 100), bias=False, generator=seeded())
    assert float(weights.std()) == pytest.approx(0.02, rel=0.02)
    assert float(weights.abs().max()) > 0.06  # not clamped
    assert not draw("i2i", (5,), bias=True, generator=seeded()).any()


def test_the_same_seed_gives_the_same_bytes():
    settings = AdapterSettings(bottleneck=4)
    one, two, other = (
        Adapter.initialise(settings, fake_sites(2), 8, seeded(seed)) for seed in (0, 0, 1)
    )
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    assert not torch.equal(one.down, other.down)


def test_dropout_drops_hidden_units_and_keeps_their_mean():
    torch.manual_seed(0)
    width, hidden = 4000, 1
    ones = torch.ones(width, hidden, dtype=torch.float64)
    h = torch.ones(1, 1, hidden, dtype=torch.float64)
    out = bottleneck(h, ones, 0 * ones[:, 0], ones, 0 * ones[0], dropout=0.25)
    kept = (float(out) - 1.0) * 0.75  # each kept unit counts 1 / (1 - 0.25)
    assert kept == pytest.approx(round(kept), abs=1e-6)
    assert kept / width == pytest.approx(0.75, abs=4 * math.sqrt(0.75 * 0.25 / width))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (AdapterSettings(), ["0a", "0f", "1a", "1f", "2a", "2f"]),
        (AdapterSettings(sites="pfeiffer"), ["0f", "1f", "2f"]),
        (AdapterSettings(blocks=1), ["2a", "2f"]),
        (AdapterSettings(blocks=2, sites="pfeiffer"), ["1f", "2f"]),
        (AdapterSettings(blocks=3), ["0a", "0f", "1a", "1f", "2a", "2f"]),
    ],
)
def test_sites_are_chosen_by_sublayer_and_from_the_top(settings, expected):
    chosen = select_sites(fake_sites(3), settings)
    assert [f"{site.block}{site.sublayer[0]}" for site in chosen] == expected
    assert select_sites(chosen, settings) == chosen


def test_settings_that_do_not_fit_the_backbone_are_refused():
    with pytest.raises(UserError, match=r"upper 4 blocks.*the backbone has 3"):
        select_sites(fake_sites(3), AdapterSettings(blocks=4))
    with pytest.raises(UserError, match="reduction 16 leaves no unit of hidden size 8"):
        AdapterSettings(reduction=16).width(8)
    assert AdapterSettings(reduction=16, bottleneck=5).width(8) == 5


def test_an_adapter_survives_the_way_through_named_tensors():
    adapter = random_bank(1, activation="gelu").adapter(0)
    named = {"head.weight": torch.zeros(1), **adapter.tensors()}
    again = Adapter.from_tensors(named, adapter.site_names, "gelu")
    assert again.site_names == adapter.site_names
    assert again.activation == "gelu"
    assert all(map(torch.equal, again.parameters(), adapter.parameters()))


def test_a_clone_has_the_same_bytes_and_shares_none():
    adapter = random_bank(1).adapter(0)
    copy = adapter.clone()
    assert all(map(torch.equal, copy.parameters(), adapter.parameters()))
    copy.down.zero_()
    assert adapter.down.abs().min() > 0


def test_an_adapter_of_mismatched_tensors_is_refused():
    down, a, up, b = random_bank(1).adapter(0).parameters()
    with pytest.raises(ValueError, match="up_bias is"):
        Adapter(down, a, up, b[:, 1:], ("x", "y"))
    with pytest.raises(ValueError, match="2 bottlenecks, but 1 site names"):
        Adapter(down, a, up, b, ("x",))


def test_states_of_another_precision_keep_it(device):
    adapter = random_bank(1, dtype=torch.float32).adapter(0).to(device)
    h = random_states(2, 3).to(device)
    exact = transforms(adapter)["block0.ffn"](h.float())
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.bfloat16, 0.1), (torch.float16, 0.02)):
        out = transforms(adapter)["block0.ffn"](h.to(dtype))
        assert out.dtype == dtype
        torch.testing.assert_close(out.float(), exact, rtol=tolerance, atol=tolerance)


def test_autocast_trains_float32_weights(device):
    adapter = random_bank(1, dtype=torch.float32).adapter(0).to(device)
    for tensor in adapter.parameters():
        tensor.requires_grad_(True)
    h = random_states(2, 3).to(device, torch.float32)
    with torch.autocast(device.type, torch.bfloat16):
        for dtype in (torch.float32, torch.bfloat16):
            out = transforms(adapter, 0.1)["block0.ffn"](h.to(dtype))
            assert out.dtype == dtype
    out.float().sum().backward()
    assert adapter.down.grad.dtype == torch.float32
    assert adapter.down.grad[0].abs().sum() > 0
