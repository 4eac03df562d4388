"""Maps of features: neighbours, placing newcomers, trustworthiness; checked against plain loops and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as of_sklearn

from cl_core.evaluate.neighbours import CHUNK, cosines, nearest, placed, trustworthiness, unit

RANDOM = np.random.default_rng(0)


def test_neighbours_are_those_of_a_full_sort() -> None:
    points = unit(RANDOM.normal(size=(CHUNK + 40, 8)).astype(np.float32))
    indices, distances = nearest(points, points, 6)
    for row in (0, CHUNK - 1, CHUNK, CHUNK + 39):
        true = np.sqrt(np.maximum(((points - points[row]) ** 2).sum(axis=1), 0))
        assert indices[row].tolist() == np.argsort(true, kind="stable")[:6].tolist()
        assert np.allclose(distances[row], np.sort(true)[:6], atol=1e-3)
    assert (indices[:, 0] == np.arange(len(points))).all()


def test_more_neighbours_than_points_are_refused() -> None:
    with pytest.raises(ValueError, match="between 1 and 3"):
        nearest(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), 4)


def test_trustworthiness_is_that_of_scikit_learn() -> None:
    points = unit(RANDOM.normal(size=(CHUNK + 60, 6)).astype(np.float32))
    for positions in (points[:, :2], RANDOM.normal(size=(len(points), 2)).astype(np.float32)):
        expected = of_sklearn(points, positions, n_neighbors=5)
        assert trustworthiness(points, positions, 5) == pytest.approx(expected, abs=1e-6)


def test_trustworthiness_of_too_few_points_is_not_defined() -> None:
    points = unit(RANDOM.normal(size=(10, 6)).astype(np.float32))
    assert np.isnan(trustworthiness(points, points[:, :2], 5))


def test_a_newcomer_that_is_a_point_lies_on_it_and_others_between_their_neighbours() -> None:
    points = np.eye(4, dtype=np.float32)
    positions = np.array([[0, 0], [2, 0], [9, 9], [-9, 9]], np.float32)
    between = np.array([[1, 1, 0, 0]], np.float32)
    assert np.allclose(placed(3 * points[:1], points, positions), positions[:1], atol=1e-2)
    assert np.allclose(placed(between, points, positions, k=2), [[1, 0]], atol=1e-5)


def test_cosines_do_not_depend_on_length() -> None:
    vectors = np.array([[1, 0], [5, 5], [0, -2]], np.float32)
    half = np.sqrt(0.5)
    assert np.allclose(cosines(vectors), [[1, half, 0], [half, 1, -half], [0, -half, 1]])
