"""Routing weights, against slow twins that follow the formulas word by word."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cl_core.route.algebra import cosine_scores, top_k_softmax

ROWS = st.lists(
    st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=4, max_size=4),
    min_size=1,
    max_size=5,
)


def slow_top_k_softmax(row: list[float], k: int, temperature: float) -> list[float]:
    kept = sorted(range(len(row)), key=lambda t: (-row[t], t))[:k]
    largest = max(row)
    shares = {t: math.exp((row[t] - largest) / temperature) for t in kept}
    return [shares.get(t, 0.0) / sum(shares.values()) for t in range(len(row))]


@settings(deadline=None)
@given(ROWS, st.integers(1, 6), st.sampled_from([0.01, 0.3, 5.0]))
def test_top_k_softmax_is_its_formula(rows: list[list[float]], k: int, temperature: float) -> None:
    fast = top_k_softmax(torch.tensor(rows, dtype=torch.float64), k, temperature)
    slow = torch.tensor(
        [slow_top_k_softmax(row, k, temperature) for row in rows], dtype=torch.float64
    )
    torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(ROWS, st.integers(1, 4), st.sampled_from([0.1, 1.0]))
def test_top_k_then_softmax_is_softmax_then_keep_top_k_and_renormalise(
    rows: list[list[float]], k: int, temperature: float
) -> None:
    scores = torch.tensor(rows, dtype=torch.float64)
    whole = torch.softmax(scores / temperature, dim=1)
    order = torch.sort(scores, dim=1, descending=True, stable=True).indices[:, :k]
    kept = torch.zeros_like(whole).scatter(1, order, whole.gather(1, order))
    torch.testing.assert_close(
        top_k_softmax(scores, k, temperature),
        kept / kept.sum(dim=1, keepdim=True),
        rtol=1e-9,
        atol=1e-12,
    )


def test_equal_scores_are_kept_from_the_left(device: torch.device) -> None:
    scores = torch.tensor([[0.5, 0.7, 0.5, 0.5], [0.2, 0.2, 0.2, 0.2]], device=device)
    expected = torch.tensor([[True, True, False, False], [True, True, False, False]])
    assert torch.equal((top_k_softmax(scores, 2, 1.0) > 0).cpu(), expected)


@pytest.mark.parametrize("temperature", [1e-6, 1e-38, 1e-300, 5e-324])
def test_a_vanishing_temperature_selects_and_never_overflows(
    temperature: float, device: torch.device
) -> None:
    scores = torch.tensor([[0.1, 0.9, 0.8], [1e30, -1e30, 0.0], [0.4, 0.4, 0.1]], device=device)
    weights = top_k_softmax(scores, 2, temperature)
    assert torch.equal(weights.cpu(), torch.tensor([[0.0, 1, 0], [1, 0, 0], [0.5, 0.5, 0]]))


def test_an_infinite_temperature_is_the_plain_mean_of_those_kept(device: torch.device) -> None:
    scores = torch.tensor([[0.1, 0.9, 0.8]], device=device)
    assert top_k_softmax(scores, 2, math.inf).tolist() == [[0.0, 0.5, 0.5]]


def test_a_samples_weights_do_not_depend_on_the_rest_of_its_batch(device: torch.device) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(33, 384, generator=generator).to(device)
    centroids = torch.randn(20, 384, generator=generator).to(device)

    def route(batch: Tensor) -> Tensor:
        return top_k_softmax(cosine_scores(batch, centroids), 2, 0.01).float()

    alone = torch.cat([route(features[i : i + 1]) for i in range(33)])
    torch.testing.assert_close(route(features), alone, rtol=1e-6, atol=1e-9)


def test_cosines_are_those_of_the_definition_and_zero_for_a_zero_vector(
    device: torch.device,
) -> None:
    features = torch.tensor([[3.0, 4.0], [0.0, 0.0], [-2.0, 0.0]], device=device)
    centroids = torch.tensor([[1.0, 0.0], [6.0, 8.0]], device=device)
    expected = torch.tensor([[0.6, 1.0], [0.0, 0.0], [-1.0, -0.6]], dtype=torch.float64)
    torch.testing.assert_close(cosine_scores(features, centroids).cpu(), expected)


@pytest.mark.parametrize(
    ("scores", "k", "temperature", "says"),
    [
        (torch.zeros(1, 2), 0, 1.0, "at least one adapter"),
        (torch.zeros(1, 2), 1, 0.0, "must be above 0"),
        (torch.zeros(1, 2), 1, math.nan, "must be above 0"),
        (torch.zeros(1, 0), 1, 1.0, "no task has been added"),
    ],
)
def test_impossible_arguments_are_refused(
    scores: Tensor, k: int, temperature: float, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        top_k_softmax(scores, k, temperature)
