"""What each router gives, and what all of them promise."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from cl_core.errors import UserError
from cl_core.route import ROUTERS
from cl_core.route.centroid import CentroidRouter
from cl_core.route.fixed import FixedRouter
from cl_core.route.oracle import OracleRouter
from cl_core.route.router import Router
from cl_core.route.settings import RouterSettings
from cl_core.route.uniform import UniformRouter

SETTINGS = RouterSettings(weights=(0.5, 0.3, 0.2))


ROUTABLE = [name for name, row in ROUTERS.items() if row.traits.weights != "inside the pass"]
"""Those that know their weights before the forward pass."""


def three_tasks(seed: int = 0) -> list[Tensor]:
    """Features of three tasks around three directions, (40, 8) each."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(40, 8, generator=generator) * 0.3 + 3 * torch.eye(8)[task] for task in range(3)
    ]


def learnt(name: str, settings: RouterSettings = SETTINGS) -> Router:
    router = ROUTERS.load(name)(settings)
    for features in three_tasks():
        router.add_task(features)
    return router


def test_the_defaults_are_the_published_ones() -> None:
    settings = RouterSettings()
    assert (settings.k, settings.temperature, settings.layer, settings.pooling) == (
        2,
        0.01,
        -4,
        "mean",
    )


@pytest.mark.parametrize("name", ROUTABLE)
def test_weights_are_shares_on_the_features_device(name: str, device: torch.device) -> None:
    features, task = torch.cat(three_tasks(1)).to(device), torch.arange(3, device=device).repeat(40)
    routing = learnt(name).route(features, task)
    assert routing.weights.shape == routing.scores.shape == (120, 3)
    assert routing.weights.dtype == routing.scores.dtype == torch.float32
    assert routing.weights.device == routing.scores.device == features.device
    assert bool((routing.weights >= 0).all())
    torch.testing.assert_close(routing.weights.sum(dim=1).cpu(), torch.ones(120))


@pytest.mark.parametrize("name", ROUTABLE)
def test_a_router_is_its_state(name: str) -> None:
    router = learnt(name)
    restored = ROUTERS.load(name)(SETTINGS)
    restored.load_state(router.state())
    features, task = torch.cat(three_tasks(2)), torch.arange(3).repeat(40)
    assert torch.equal(router.route(features, task).weights, restored.route(features, task).weights)
    router.add_task(three_tasks()[0])  # the copy does not follow
    assert restored.route(features, task).weights.shape == (120, 3)


@pytest.mark.parametrize(
    "name", [name for name in ROUTABLE if "task id" not in ROUTERS[name].needs]
)
def test_a_router_that_does_not_know_the_task_gives_the_same_whatever_it_is(name: str) -> None:
    router, features = learnt(name), torch.cat(three_tasks(3))
    one = router.route(features, torch.zeros(120, dtype=torch.int64)).weights
    assert torch.equal(one, router.route(features, torch.full((120,), 2)).weights)
    assert torch.equal(one, router.route(features, None).weights)


def test_a_centroid_is_the_mean_of_unnormalised_embeddings() -> None:
    router = CentroidRouter(RouterSettings())
    router.add_task(torch.tensor([[10.0, 0.0], [0.0, 2.0]]))
    # Normalised before the mean it would be (0.5, 0.5); the longer embedding counts for more.
    assert torch.equal(router.centroids, torch.tensor([[5.0, 1.0]]))


def test_a_centroid_does_not_depend_on_the_order_of_samples() -> None:
    features = torch.randn(1000, 16, generator=torch.Generator().manual_seed(0)) * 100
    one, other = CentroidRouter(RouterSettings()), CentroidRouter(RouterSettings())
    one.add_task(features)
    other.add_task(features.flip(0))
    assert torch.equal(one.centroids, other.centroids)


def test_no_sample_is_kept() -> None:
    router = learnt("centroid")
    assert {name: tuple(tensor.shape) for name, tensor in router.state().items()} == {
        "centroids": (3, 8)
    }


def test_scores_are_cosines_and_weights_their_softmax_over_the_two_nearest() -> None:
    router = CentroidRouter(RouterSettings(temperature=0.1))
    for centroid in ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]):
        router.add_task(torch.tensor([centroid]))
    routing = router.route(torch.tensor([[0.6, 0.8]]))
    torch.testing.assert_close(routing.scores, torch.tensor([[0.6, 0.8, -0.6]]))
    first = 1 / (1 + math.exp((0.8 - 0.6) / 0.1))
    torch.testing.assert_close(routing.weights, torch.tensor([[first, 1 - first, 0.0]]))


def test_each_sample_goes_to_its_own_task_where_tasks_lie_apart() -> None:
    routing = learnt("centroid").route(torch.cat(three_tasks(4)), None)
    assert torch.equal(routing.weights.argmax(dim=1), torch.arange(3).repeat_interleave(40))


def test_all_adapters_at_infinite_temperature_are_the_uniform_router() -> None:
    features = torch.cat(three_tasks(5))
    routing = learnt("centroid", RouterSettings(k=3, temperature=1e12)).route(features, None)
    uniform = learnt("uniform").route(features, None)
    torch.testing.assert_close(routing.weights, uniform.weights)


@pytest.mark.parametrize("settings", [RouterSettings(k=1), RouterSettings(k=3, temperature=1e-12)])
def test_one_adapter_or_vanishing_temperature_is_selection(settings: RouterSettings) -> None:
    routing = learnt("centroid", settings).route(torch.cat(three_tasks(6)), None)
    assert torch.equal(routing.weights, torch.eye(3)[routing.scores.argmax(dim=1)])


def test_k_above_the_number_of_tasks_keeps_them_all() -> None:
    features = torch.cat(three_tasks(7))
    three = learnt("centroid", RouterSettings(k=3, temperature=1.0)).route(features, None)
    nine = learnt("centroid", RouterSettings(k=9, temperature=1.0)).route(features, None)
    assert torch.equal(three.weights, nine.weights)
    assert bool((nine.weights > 0).all())


def test_a_new_task_leaves_the_scores_of_earlier_ones_unchanged() -> None:
    router, features = learnt("centroid"), torch.cat(three_tasks(8))
    before = router.route(features, None).scores
    router.add_task(torch.ones(5, 8))
    torch.testing.assert_close(
        router.route(features, None).scores[:, :3], before, rtol=0, atol=1e-7
    )


def test_the_oracle_gives_each_sample_its_own_adapter() -> None:
    weights = learnt("oracle").route(None, torch.tensor([2, 0, 1])).weights
    assert weights.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_the_oracle_refuses_a_task_without_an_adapter() -> None:
    with pytest.raises(UserError, match="adapter of task 4, but only 3 have been learnt"):
        learnt("oracle").route(None, torch.tensor([0, 3]))


def test_fixed_weights_are_divided_by_their_sum_at_every_stage() -> None:
    router = FixedRouter(RouterSettings(weights=(0.0, 3.0, 1.0)))
    rows = []
    for _ in range(3):
        router.add_task(None)
        rows.append(router.route(None, torch.zeros(1)).weights[0].tolist())
    assert rows == [[1.0], [0.0, 1.0], [0.0, 0.75, 0.25]]


def test_fixed_weights_must_be_given_and_enough() -> None:
    with pytest.raises(UserError, match="needs one weight per task"):
        FixedRouter(RouterSettings())
    router = FixedRouter(RouterSettings(weights=(1.0,)))
    router.add_task(None)
    router.add_task(None)
    with pytest.raises(UserError, match="has 1 weights for 2 tasks"):
        router.route(None, torch.zeros(1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 0},
        {"temperature": 0},
        {"temperature": math.inf},
        {"weights": (0.0, 0.0)},
        {"weights": (1.0, -0.5)},
        {"weights": (math.nan,)},
        {"pooling": "median"},
        {"tau": 0.1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RouterSettings.model_validate(wrong)


@pytest.mark.parametrize("router", [CentroidRouter, UniformRouter, OracleRouter])
def test_routing_before_the_first_task_is_refused(router: type[Router]) -> None:
    with pytest.raises(
        (ValueError, UserError), match=r"no task has been added|only 0 have been learnt"
    ):
        router(RouterSettings()).route(torch.zeros(1, 8), torch.zeros(1))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (None, "found None"),
        (torch.zeros(0, 8), r"found shape \(0, 8\)"),
        (torch.zeros(3, 7), "7 dimensions"),
    ],
)
def test_features_that_make_no_centroid_are_refused(features: Tensor | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        learnt("centroid").add_task(features)


def test_an_unknown_router_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UserError, match=r"there is no router 'centroids'.*Did you mean 'centroid'"):
        ROUTERS.load("centroids")
