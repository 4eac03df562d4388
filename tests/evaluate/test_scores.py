"""Scores, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from cl_core.evaluate.scores import accuracy, confusion, macro_f1, weighted_f1

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


@settings(deadline=None)
@given(PAIRS)
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, predictions = zip(*pairs, strict=True)
    assert accuracy(labels, predictions) == pytest.approx(accuracy_score(labels, predictions))
    for average, score in (("macro", macro_f1), ("weighted", weighted_f1)):
        expected = f1_score(labels, predictions, average=average, zero_division=0)
        assert score(labels, predictions) == pytest.approx(expected)
    expected = confusion_matrix(labels, predictions, labels=range(5))
    assert np.array_equal(confusion(labels, predictions, 5), expected)


@settings(deadline=None)
@given(PAIRS, st.sets(st.integers(0, 6), min_size=1).map(sorted))
def test_given_classes_are_averaged_as_scikit_learn_does(
    pairs: list[tuple[int, int]], classes: list[int]
) -> None:
    labels, predictions = zip(*pairs, strict=True)
    expected = f1_score(labels, predictions, labels=classes, average="macro", zero_division=0)
    assert macro_f1(labels, predictions, classes) == pytest.approx(expected)


def test_a_prediction_of_another_tasks_class_lowers_macro_f1_unless_classes_are_given() -> None:
    labels, predictions = [0, 0, 1, 1], [0, 0, 1, 7]
    assert macro_f1(labels, predictions) == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert macro_f1(labels, predictions, classes=[0, 1]) == pytest.approx((1 + 2 / 3) / 2)


def test_no_samples_have_no_score() -> None:
    assert all(math.isnan(score([], [])) for score in (accuracy, macro_f1, weighted_f1))


def test_labels_and_predictions_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels \(2,\) and predictions \(1,\)"):
        accuracy([0, 1], [0])


def test_a_class_outside_the_table_is_refused_not_counted_elsewhere() -> None:
    with pytest.raises(ValueError, match=r"column indices 0\.\.3 do not fit in 3 columns"):
        confusion([0, 1], [0, 3], 3)
