"""L2R's gates: invariant 6, and what each gate promises."""

from __future__ import annotations

import pytest
import torch

from cl_core.route.gates import (
    gate_weights,
    gumbel_sigmoid,
    hard_gates,
    logistic_noise,
    normalise,
    straight_through,
)

GATES = ("gumbel-sigmoid", "gumbel-sigmoid-hard", "softmax")


def logits(rows: int = 6, adapters: int = 4, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, adapters, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
def test_without_noise_the_gate_is_the_sigmoid_whatever_the_temperature(temperature: float) -> None:
    z = logits()
    assert torch.equal(gumbel_sigmoid(z, temperature), torch.sigmoid(z))


@pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
def test_a_gate_opens_as_often_as_the_sigmoid_says_whatever_the_temperature(
    temperature: float,
) -> None:
    torch.manual_seed(0)
    z = torch.linspace(-3, 3, 7).double()
    draws = 200_000
    noise = logistic_noise(z.expand(draws, 7))
    opened = (gumbel_sigmoid(z, temperature, noise) > 0.5).double().mean(dim=0)
    error = (torch.sigmoid(z) * torch.sigmoid(-z) / draws).sqrt()
    assert ((opened - torch.sigmoid(z)).abs() < 5 * error).all()


def test_small_temperatures_give_openings_near_0_or_1() -> None:
    torch.manual_seed(0)
    z = torch.zeros(1000).double()
    m = gumbel_sigmoid(z, 0.01, logistic_noise(z))
    assert float(torch.minimum(m, 1 - m).mean()) < 0.02


@pytest.mark.parametrize("gate", GATES)
def test_permuting_adapters_permutes_their_weights(gate: str) -> None:
    z, order = logits(), torch.tensor([2, 0, 3, 1])
    noise = logistic_noise(z)
    for plain, permuted in zip(
        gate_weights(z, gate, noise=noise),  # type: ignore[arg-type]
        gate_weights(z[:, order], gate, noise=noise[:, order]),  # type: ignore[arg-type]
        strict=True,
    ):
        torch.testing.assert_close(plain[:, order], permuted)


@pytest.mark.parametrize("gate", GATES)
def test_weights_are_normalised_alike_by_every_gate(gate: str) -> None:
    z = logits() + 3  # so that no hard gate of a row is shut everywhere
    for weights in gate_weights(z, gate):  # type: ignore[arg-type]
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(6).double())
        assert bool((weights >= 0).all())
    soft = gate_weights(z, "gumbel-sigmoid")[0]
    torch.testing.assert_close(soft, normalise(torch.sigmoid(z)))
    torch.testing.assert_close(gate_weights(z, "softmax")[0], torch.softmax(z, dim=1))


def test_the_hard_gate_has_hard_weights_and_the_gradient_of_the_soft_ones() -> None:
    z, noise = logits().requires_grad_(True), logistic_noise(logits())
    hard, heads = gate_weights(z, "gumbel-sigmoid-hard", 0.7, noise)
    soft = normalise(gumbel_sigmoid(z, 0.7, noise))
    torch.testing.assert_close(hard, normalise(hard_gates(z, noise)))
    torch.testing.assert_close(heads, soft)
    direction = torch.randn(hard.shape, dtype=torch.float64)
    gradient, wanted = (
        torch.autograd.grad((weights * direction).sum(), z, retain_graph=True)[0]
        for weights in (hard, soft)
    )
    torch.testing.assert_close(gradient, wanted)
    assert torch.equal(straight_through(torch.ones(2), torch.zeros(2)), torch.ones(2))


def test_where_every_gate_is_shut_nothing_is_added_and_nothing_explodes() -> None:
    z = torch.full((1, 3), -40.0, requires_grad=True)
    hard, _ = gate_weights(z, "gumbel-sigmoid-hard")
    assert hard.tolist() == [[0.0, 0.0, 0.0]]
    (gradient,) = torch.autograd.grad(hard.sum(), z)
    assert bool(torch.isfinite(gradient).all())
    assert normalise(torch.zeros(1, 3)).tolist() == [[0.0, 0.0, 0.0]]


def test_noise_is_logistic_and_finite_even_at_the_ends() -> None:
    u = torch.tensor([0.0, 0.25, 0.5, 1.0])
    noise = logistic_noise(u, u)
    assert bool(torch.isfinite(noise).all())
    torch.testing.assert_close(noise[1:3], torch.logit(u[1:3]))
