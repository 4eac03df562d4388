"""The metrics on matrices that were worked out by hand."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cl_core.evaluate import METRICS
from cl_core.evaluate.metrics import (
    average_accuracy,
    average_incremental,
    backward_transfer,
    forgetting,
    forward_transfer,
    knowledge_transfer,
    transfer,
)

R = np.array(
    [
        [0.90, 0.50, 0.30],
        [0.95, 0.80, 0.40],
        [0.70, 0.85, 0.60],
    ]
)
B = np.array([0.5, 0.45, 0.25])


def test_average_accuracy_is_the_mean_of_the_last_row() -> None:
    assert average_accuracy(R) == pytest.approx((0.70 + 0.85 + 0.60) / 3)


def test_average_incremental_is_the_mean_over_stages_of_the_mean_over_tasks_seen() -> None:
    stages = [0.90, (0.95 + 0.80) / 2, (0.70 + 0.85 + 0.60) / 3]
    assert average_incremental(R) == pytest.approx(sum(stages) / 3)


def test_backward_transfer_is_last_minus_first_without_the_last_task() -> None:
    assert backward_transfer(R) == pytest.approx(((0.70 - 0.90) + (0.85 - 0.80)) / 2)


def test_forgetting_is_best_minus_last() -> None:
    # Task 1 was best after stage 2 (0.95); task 2 has gained, which counts as negative forgetting.
    assert forgetting(R) == pytest.approx(((0.95 - 0.70) + (0.80 - 0.85)) / 2)


def test_the_best_before_a_task_was_learnt_does_not_count_as_its_best() -> None:
    matrix = np.array([[0.9, 0.99, 0.1], [0.9, 0.5, 0.1], [0.9, 0.5, 0.9]])
    assert forgetting(matrix) == pytest.approx(0.0)


def test_forward_transfer_is_the_score_one_stage_early_above_the_untrained_model() -> None:
    assert forward_transfer(R, B) == pytest.approx(((0.50 - 0.45) + (0.40 - 0.25)) / 2)


def test_knowledge_transfer_is_relative_to_vanilla_and_leaves_the_first_task_out() -> None:
    scores, vanilla = [0.9, 0.66, 0.45], [0.1, 0.60, 0.50]
    assert transfer(scores, vanilla)[1:] == pytest.approx([10.0, -10.0])
    assert knowledge_transfer(scores, vanilla) == pytest.approx(0.0)
    assert math.isnan(knowledge_transfer([0.9, 0.5], [0.9, 0.0]))


def test_one_task_has_an_average_and_nothing_else() -> None:
    one = [[0.8]]
    assert average_accuracy(one) == average_incremental(one) == 0.8
    undefined = [backward_transfer(one), forgetting(one), forward_transfer(one, [0.5])]
    assert all(math.isnan(value) for value in [*undefined, knowledge_transfer([0.8], [0.7])])


def test_what_was_not_evaluated_makes_only_the_metrics_that_need_it_undefined() -> None:
    seen_only = np.where(np.tri(3, dtype=bool), R, np.nan)
    assert math.isnan(forward_transfer(seen_only, B))
    for metric in (average_accuracy, average_incremental, backward_transfer, forgetting):
        assert metric(seen_only) == metric(R)
    holed = R.copy()
    holed[2, 0] = np.nan
    assert all(math.isnan(m(holed)) for m in (average_accuracy, backward_transfer, forgetting))


def test_metrics_leave_their_input_unchanged() -> None:
    matrix = R.copy()
    for metric in (average_accuracy, average_incremental, backward_transfer, forgetting):
        metric(matrix)
    forward_transfer(matrix, B)
    assert np.array_equal(matrix, R)


MATRICES = (
    st.integers(2, 5)
    .flatmap(
        lambda n: st.lists(
            st.lists(st.floats(0, 1), min_size=n, max_size=n), min_size=n, max_size=n
        )
    )
    .map(np.array)
)


@settings(deadline=None)
@given(MATRICES)
def test_metrics_are_their_formulas(matrix: NDArray[np.float64]) -> None:
    T = len(matrix)
    r = {(i, j): matrix[i - 1, j - 1] for i in range(1, T + 1) for j in range(1, T + 1)}
    assert average_incremental(matrix) == pytest.approx(
        sum(sum(r[i, j] for j in range(1, i + 1)) / i for i in range(1, T + 1)) / T
    )
    assert backward_transfer(matrix) == pytest.approx(
        sum(r[T, j] - r[j, j] for j in range(1, T)) / (T - 1)
    )
    assert forgetting(matrix) == pytest.approx(
        sum(max(r[i, j] for i in range(j, T)) - r[T, j] for j in range(1, T)) / (T - 1)
    )
    assert forward_transfer(matrix, np.zeros(T)) == pytest.approx(
        sum(r[j - 1, j] for j in range(2, T + 1)) / (T - 1)
    )


@settings(deadline=None)
@given(MATRICES)
def test_forgetting_is_at_least_the_negative_of_backward_transfer(
    matrix: NDArray[np.float64],
) -> None:
    assert forgetting(matrix) >= -backward_transfer(matrix) - 1e-12


@pytest.mark.parametrize("wrong", [[], [0.5], [[0.5, 0.5]], [[[0.5]]]])
def test_a_matrix_that_is_not_square_is_refused_with_its_shape(wrong: list[object]) -> None:
    with pytest.raises(ValueError, match=r"must be \(T, T\)"):
        average_accuracy(wrong)  # type: ignore[arg-type]


def test_every_computed_number_has_a_function_whose_docstring_states_its_formula() -> None:
    for metric in METRICS.values():
        assert metric.formula
        assert metric.note
        if metric.target and metric.group == "matrix" and metric.name != "knowledge_transfer":
            assert metric.formula in " ".join((inspect.getdoc(metric.load()) or "").split())
        elif metric.target:
            assert callable(metric.load())
