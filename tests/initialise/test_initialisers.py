"""Where an adapter starts."""

from __future__ import annotations

import pytest
import torch

from cl_core.initialise import INITIALISERS
from cl_core.initialise.initialiser import Initialiser

CENTROIDS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 4.0], [90.0, 10.0]])


def initialiser(name: str) -> Initialiser:
    chosen: Initialiser = INITIALISERS.load(name)()
    return chosen


@pytest.mark.parametrize("name", list(INITIALISERS))
def test_the_first_adapter_starts_at_random(name: str) -> None:
    assert initialiser(name).parent(0, CENTROIDS[:1]) is None


def test_random_never_copies() -> None:
    assert [initialiser("random").parent(task, None) for task in range(4)] == [None] * 4


def test_previous_copies_the_task_before() -> None:
    assert [initialiser("previous").parent(task, None) for task in range(4)] == [None, 0, 1, 2]


def test_closest_copies_the_earlier_task_with_the_largest_cosine() -> None:
    # (3, 4) is nearer in angle to (0, 1) than to (1, 0); (90, 10) to (1, 0), however long it is.
    parents = [initialiser("closest").parent(task, CENTROIDS[: task + 1]) for task in range(4)]
    assert parents == [None, 0, 1, 0]


def test_closest_never_looks_at_the_task_itself_nor_at_later_ones() -> None:
    assert initialiser("closest").parent(1, CENTROIDS) == 0


def test_of_equally_close_tasks_the_earliest_is_copied() -> None:
    centroids = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    assert initialiser("closest").parent(3, centroids) == 1


@pytest.mark.parametrize("centroids", [None, CENTROIDS[:2]])
def test_closest_without_the_new_tasks_centroid_says_what_is_missing(
    centroids: torch.Tensor | None,
) -> None:
    with pytest.raises(ValueError, match="needs the centroids of all 3 tasks"):
        initialiser("closest").parent(2, centroids)
