"""Which rows are remembered."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from cl_core.route.memory import equal_quotas, memory_size, select_memory
from cl_core.route.selections import MEMORIES


def draw(how: str, labels: Tensor, fraction: float, seed: int = 0) -> list[int]:
    generator = torch.Generator().manual_seed(5)
    features = torch.randn(len(labels), 4, generator=generator)
    uncertainty = torch.rand(len(labels), generator=generator)
    return select_memory(
        how, labels, fraction, features, uncertainty, torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("how", list(MEMORIES))
@pytest.mark.parametrize("fraction", [0.001, 0.05, 0.5])
def test_every_selection_keeps_its_share_and_every_class(how: str, fraction: float) -> None:
    labels = torch.tensor([0] * 150 + [1] * 45 + [2] * 5)
    rows = draw(how, labels, fraction)
    assert rows == sorted(set(rows))
    assert len(rows) == memory_size(labels, fraction) == max(3, round(200 * fraction))
    assert set(labels[rows].tolist()) == {0, 1, 2}
    assert rows == draw(how, labels, fraction)


def test_the_memory_is_never_larger_than_the_task_and_may_be_empty() -> None:
    labels = torch.tensor([0, 1, 2])
    assert memory_size(labels, 0.001) == 3
    assert memory_size(labels, 0) == 0
    assert draw("random", labels, 0) == []


def test_another_seed_remembers_other_rows_only_where_chance_decides() -> None:
    labels = torch.arange(200) % 4
    for how in MEMORIES:
        same = draw(how, labels, 0.1, seed=0) == draw(how, labels, 0.1, seed=1)
        assert same == (how not in ("random", "balanced"))


def test_random_is_uniform() -> None:
    labels = torch.zeros(20, dtype=torch.int64)
    counts = torch.zeros(20)
    for seed in range(2000):
        counts[draw("random", labels, 0.25, seed)] += 1
    assert (counts / 2000 - 0.25).abs().max() < 0.05  # five standard errors


def test_quotas_differ_by_at_most_one_unless_a_class_is_too_small() -> None:
    assert equal_quotas({0: 100, 1: 100, 2: 100}, 10) == {0: 4, 1: 3, 2: 3}
    assert equal_quotas({0: 100, 1: 2, 2: 100}, 10) == {0: 4, 1: 2, 2: 4}
    assert equal_quotas({0: 1, 1: 2}, 10) == {0: 1, 1: 2}


def test_herding_is_the_greedy_that_icarl_says() -> None:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(12, 3, generator=generator)
    labels = torch.zeros(12, dtype=torch.int64)
    points = (features.double() / features.double().norm(dim=1, keepdim=True)).tolist()
    mean = [sum(column) / 12 for column in zip(*points, strict=True)]
    kept: list[int] = []
    for _ in range(4):

        def distance(row: int, kept: list[int] = kept) -> float:
            chosen = [points[index] for index in [*kept, row]]
            mean_of_chosen = [sum(column) / len(chosen) for column in zip(*chosen, strict=True)]
            return sum((a - b) ** 2 for a, b in zip(mean, mean_of_chosen, strict=True))

        kept.append(min((row for row in range(12) if row not in kept), key=distance))
    assert select_memory("herding", labels, 4 / 12, features, None, generator) == sorted(kept)


def test_k_centre_is_within_twice_of_the_best_radius() -> None:
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(10, 2, generator=generator)
    labels = torch.zeros(10, dtype=torch.int64)
    distances = torch.cdist(features.double(), features.double())

    def radius(centres: tuple[int, ...]) -> float:
        return float(distances[:, list(centres)].min(dim=1).values.max())

    best = min(radius(three) for three in itertools.combinations(range(10), 3))
    rows = select_memory("k-centre", labels, 0.3, features, None, generator)
    assert radius(tuple(rows)) <= 2 * best


def test_uncertainty_keeps_the_least_sure_of_each_class() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    uncertainty = torch.tensor([0.1, 0.9, 0.5, 0.2, 0.3, 0.25])
    rows = select_memory("uncertainty", labels, 4 / 6, None, uncertainty, torch.Generator())
    assert rows == [1, 2, 4, 5]


def test_what_a_selection_needs_must_be_given() -> None:
    labels = torch.tensor([0, 1])
    with pytest.raises(ValueError, match="features"):
        select_memory("herding", labels, 0.5, None, None, torch.Generator())
    with pytest.raises(ValueError, match="uncertainty"):
        select_memory("uncertainty", labels, 0.5, None, torch.zeros(3), torch.Generator())
