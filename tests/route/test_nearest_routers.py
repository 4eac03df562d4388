"""EPI's, S-Prompts' and the corrupted router, each against its formula."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf
from torch import Tensor

from cl_core.route.centroid import CentroidRouter
from cl_core.route.corrupted import CorruptedRouter, chances
from cl_core.route.kmeans import KMeansRouter
from cl_core.route.learned import LearnedRouter
from cl_core.route.mahalanobis import MahalanobisRouter, whitening
from cl_core.route.settings import RouterSettings

SETTINGS = RouterSettings()


def blobs(tasks: int, rows: int, width: int, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """For each task features (rows, width) of three classes with a covariance of their own, and labels."""
    generator = torch.Generator().manual_seed(seed)
    tasks_data = []
    for _ in range(tasks):
        labels = torch.arange(rows) % 3
        centres = 2 * torch.randn(3, width, generator=generator)
        mixing = torch.randn(width, width, generator=generator)
        noise = torch.randn(rows, width, generator=generator) @ mixing
        tasks_data.append((centres[labels] + noise, labels))
    return tasks_data


def test_mahalanobis_is_the_formula() -> None:
    data = blobs(3, 60, 5)
    router = MahalanobisRouter(SETTINGS)
    means, covariances = [], []
    for features, labels in data:
        router.add_task(features, labels)
        by_class = [features[labels == c].double().numpy() for c in range(3)]
        means.append([of_class.mean(axis=0) for of_class in by_class])
        covariances.append(
            np.mean([np.cov(of_class.T, bias=True) for of_class in by_class], axis=0)
        )
    mean, a = np.mean(covariances, axis=0), router.shrinkage
    inverse = np.linalg.inv((1 - a) * mean + a * np.trace(mean) / 5 * np.eye(5))
    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(1))
    wanted = [
        [-min((r - m) @ inverse @ (r - m) for m in means[task]) for task in range(3)]
        for r in x.double().numpy()
    ]
    routing = router.route(x)
    np.testing.assert_allclose(routing.scores.numpy(), wanted, rtol=1e-5)
    assert routing.weights.argmax(dim=1).tolist() == np.argmax(wanted, axis=1).tolist()


def test_with_the_identity_as_covariance_mahalanobis_is_the_nearest_class_mean() -> None:
    """Invariant 11."""
    width = 4
    around = torch.cat([torch.eye(width), -torch.eye(width)])  # covariance I / 4
    centres = torch.randn(3, 2, width, generator=torch.Generator().manual_seed(0))
    router = MahalanobisRouter(SETTINGS)
    for task_centres in centres:
        features = torch.cat([around + centre for centre in task_centres])
        router.add_task(features, torch.arange(2).repeat_interleave(len(around)))
    x = torch.randn(50, width, generator=torch.Generator().manual_seed(1))
    nearest = torch.cdist(x, centres.flatten(0, 1)).argmin(dim=1) // 2
    assert torch.equal(router.route(x).weights.argmax(dim=1), nearest)


def test_one_class_is_shrunk_as_scikit_learn_shrinks_it() -> None:
    features = torch.randn(15, 8, generator=torch.Generator().manual_seed(0)) @ torch.diag(
        torch.linspace(0.2, 3, 8)
    )
    router = MahalanobisRouter(SETTINGS)
    router.add_task(features)
    theirs = LedoitWolf().fit(features.double().numpy())
    assert router.shrinkage == pytest.approx(theirs.shrinkage_, rel=1e-9)
    a = whitening(router.state()["covariance"], router.shrinkage)
    np.testing.assert_allclose((a @ a.T).numpy(), theirs.precision_, rtol=1e-8)


def test_the_shrinkage_of_many_tasks_is_its_definition() -> None:
    router = MahalanobisRouter(SETTINGS)
    covariances, errors = [], []
    for features, labels in blobs(3, 20, 6, seed=3):
        router.add_task(features, labels)
        rows = features.double().numpy().copy()
        for c in range(3):
            members = rows[labels == c]
            rows[labels == c] = (members - members.mean(axis=0)) * np.sqrt(20 / 3 / len(members))
        outer = rows[:, :, None] * rows[:, None, :]
        covariances.append(outer.mean(axis=0))
        errors.append(((outer - covariances[-1]) ** 2).sum() / 20**2)
    mean = np.mean(covariances, axis=0)
    distance = ((mean - np.trace(mean) / 6 * np.eye(6)) ** 2).sum()
    assert router.shrinkage == pytest.approx(sum(errors) / 9 / distance, rel=1e-9)
    assert 0 < router.shrinkage < 1


def right(rows: int, width: int, shrink: Callable[[MahalanobisRouter], float]) -> float:
    """Share of rows that are routed to their own of four tasks, with so many rows a task; a mean over draws."""
    shares = []
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        scales = torch.logspace(0, -1.5, width)
        centres = torch.randn(4, width, generator=generator) * scales
        router = MahalanobisRouter(SETTINGS)

        def draw(task: int, count: int) -> Tensor:
            noise = torch.randn(count, width, generator=generator) * scales  # noqa: B023
            return 0.35 * centres[task] + noise  # noqa: B023

        for task in range(4):
            router.add_task(draw(task, rows))
        router._whitening = whitening(router.state()["covariance"], shrink(router))
        for task in range(4):
            chosen = router.route(draw(task, 100)).weights.argmax(dim=1)
            shares.append(float((chosen == task).double().mean()))
    return float(np.mean(shares))


def test_no_number_of_rows_is_worse_than_fewer() -> None:
    width = 32
    rows = range(6, 30, 3)  # 4 x (9 - 1) = 32
    walk = [right(n, width, lambda router: router.shrinkage) for n in rows]
    assert all(later > before - 0.02 for before, later in pairwise(walk))
    # As it was shrunk before, fully known where rows less classes meet the width: the worst place of all.
    before = [right(n, width, lambda router, n=n: max(0.0, 1 - 4 * (n - 1) / width)) for n in rows]
    assert min(before) == before[1] < before[0] - 0.05


def test_a_router_made_before_routes_as_it_did() -> None:
    router = MahalanobisRouter(SETTINGS)
    for features, labels in blobs(2, 6, 20):
        router.add_task(features, labels)
    before = {**router.state(), "freedom": torch.tensor([6])}
    del before["error"]
    old = MahalanobisRouter(SETTINGS)
    old.load_state(before)
    assert old.shrinkage == pytest.approx(1 - 6 / 20)
    assert "freedom" in old.state()


def test_directions_without_variance_do_not_count() -> None:
    covariance = torch.diag(torch.tensor([4.0, 1.0, 0.0])).double()
    torch.testing.assert_close(
        whitening(covariance, 0) @ whitening(covariance, 0).T,
        torch.diag(torch.tensor([0.25, 1.0, 0.0])).double(),
    )


def test_kmeans_routes_to_the_nearest_centre_in_l1() -> None:
    data = blobs(3, 40, 6)
    router = KMeansRouter(SETTINGS)
    for features, _ in data:
        router.add_task(features)
    state = router.state()
    assert torch.bincount(state["tasks"]).tolist() == [5, 5, 5]
    x = torch.randn(20, 6, generator=torch.Generator().manual_seed(1)).double()
    points = x / x.norm(dim=1, keepdim=True)
    for row, scores in zip(points, router.route(x.float()).scores, strict=True):
        distances = (state["centres"].double() - row).abs().sum(dim=1)
        wanted = [-float(distances[state["tasks"] == task].min()) for task in range(3)]
        np.testing.assert_allclose(scores.numpy(), wanted, rtol=1e-5)


def test_a_task_with_fewer_samples_than_centres_has_as_many_as_it_can() -> None:
    router = KMeansRouter(SETTINGS)
    router.add_task(torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]))  # two directions
    assert len(router.state()["centres"]) == 2


def corrupted(right: float, k: int = 1) -> CorruptedRouter:
    router = CorruptedRouter(RouterSettings(router_accuracy=right, k=k, temperature=0.1))
    for features, _ in blobs(4, 300, 8):
        router.add_task(features)
    return router


@pytest.mark.parametrize("right", [0.0, 0.3, 1.0])
def test_the_corrupted_router_is_as_right_as_it_is_told_to_be(right: float) -> None:
    features = torch.cat([blob for blob, _ in blobs(4, 300, 8)])
    task = torch.arange(4).repeat_interleave(300)
    routing = corrupted(right).route(features, task)
    accuracy = float((routing.weights.argmax(dim=1) == task).double().mean())
    if right in (0.0, 1.0):
        assert accuracy == right
    else:
        assert abs(accuracy - right) < 4 * (right * (1 - right) / 1200) ** 0.5


def test_more_accuracy_only_adds_right_routes_and_exchanges_two_scores_at_most() -> None:
    features = torch.cat([blob for blob, _ in blobs(4, 100, 8)])
    task = torch.arange(4).repeat_interleave(100)
    plain = CentroidRouter(RouterSettings(k=2))
    for blob, _ in blobs(4, 300, 8):
        plain.add_task(blob)
    scores = plain.route(features).scores
    before = torch.zeros(400, dtype=torch.bool)
    for right in (0.2, 0.5, 0.9):
        routing = corrupted(right, k=2).route(features, task)
        assert torch.equal(routing.scores.sort(dim=1).values, scores.sort(dim=1).values)
        assert int((routing.scores != scores).sum(dim=1).max()) <= 2
        now = routing.weights.argmax(dim=1) == task
        assert bool((now | ~before).all())
        before = now


def test_chance_belongs_to_the_sample_and_a_task_without_an_adapter_is_left_alone() -> None:
    features = torch.randn(50, 8, generator=torch.Generator().manual_seed(2))
    assert torch.equal(chances(features)[10:20], chances(features[10:20]))
    router = corrupted(0.0)
    plain = CentroidRouter.route(router, features, None)
    assert torch.equal(router.route(features, torch.full((50,), 9)).scores, plain.scores)
    with pytest.raises(ValueError, match="task ids"):
        router.route(features, None)


def test_learned_routers_have_no_weights_before_the_forward_pass() -> None:
    router = LearnedRouter(SETTINGS)
    router.add_task(None)
    assert router.n_tasks == 1
    with pytest.raises(ValueError, match="inside the forward pass"):
        router.route(torch.zeros(1, 2))
