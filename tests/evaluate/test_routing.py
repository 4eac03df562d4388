"""What is said about a router, on cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pyarrow.compute as pc
import pytest

from cl_core.evaluate.records import ROUTING_SCHEMA, routing_records, weights_of
from cl_core.evaluate.routing import (
    entropy,
    expected_calibration_error,
    margin,
    router_accuracy,
    task_confusion,
    top_k,
    top_k_recall,
)

WEIGHTS = np.array([[0.7, 0.3, 0.0], [0.2, 0.3, 0.5], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
TRUE = np.array([0, 1, 1, 2])


def test_router_accuracy_counts_the_largest_weight_and_ties_go_left() -> None:
    assert router_accuracy(WEIGHTS, TRUE) == 2 / 4  # the tied third sample counts for task 0


def test_top_k_recall_grows_with_k_to_one() -> None:
    assert [top_k_recall(WEIGHTS, TRUE, k) for k in (1, 2, 3, 9)] == [0.5, 1.0, 1.0, 1.0]


def test_a_task_without_an_adapter_is_never_routed_rightly() -> None:
    assert router_accuracy(WEIGHTS, [7] * 4) == top_k_recall(WEIGHTS, [7] * 4, 3) == 0.0


def test_top_k_lists_the_largest_first() -> None:
    assert top_k(WEIGHTS, 2).tolist() == [[0, 1], [2, 1], [0, 1], [2, 0]]


def test_entropy_is_zero_for_one_adapter_and_ln_k_for_all_alike() -> None:
    values = entropy([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]])
    assert values == pytest.approx([0.0, math.log(3), math.log(2)])
    assert math.copysign(1, values[0]) == 1  # not minus zero, which would be shown as -0.0


def test_margin_is_the_first_minus_the_second() -> None:
    assert margin(WEIGHTS) == pytest.approx([0.4, 0.2, 0.0, 1.0])
    assert margin([[1.0]]) == pytest.approx([1.0])


def test_confusion_has_a_row_for_each_true_task_and_a_column_for_each_adapter() -> None:
    assert task_confusion(WEIGHTS, TRUE, 4).tolist() == [[1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    sure = np.tile([1.0, 0.0], (10, 1))
    assert expected_calibration_error(sure, [0] * 10) == 0.0
    assert expected_calibration_error(sure, [0] * 6 + [1] * 4) == pytest.approx(0.4)
    # Two bins whose gaps do not cancel: (5/10) |1 - 0.6| + (5/10) |0 - 0.9|.
    mixed = np.array([[0.6, 0.4]] * 5 + [[0.9, 0.1]] * 5)
    assert expected_calibration_error(mixed, [0] * 5 + [1] * 5) == pytest.approx(0.65)


def test_no_samples_have_no_accuracy() -> None:
    empty = np.zeros((0, 3))
    values = [
        router_accuracy(empty, []),
        top_k_recall(empty, [], 2),
        expected_calibration_error(empty, []),
    ]
    assert all(math.isnan(value) for value in values)


def test_a_record_says_what_a_sample_got() -> None:
    records = routing_records(
        stage=3,
        sample_ids=[f"books/test/{row}" for row in range(4)],
        true_task=TRUE,
        weights=WEIGHTS,
        scores=WEIGHTS * 2 - 1,
        predictions=[0, 1, 1, 0],
        labels=[0, 1, 0, 0],
    )
    assert records.schema == ROUTING_SCHEMA
    row = records.slice(1, 1).to_pylist()[0]
    assert row["weights"] == pytest.approx([0.2, 0.3, 0.5])
    assert row["scores"] == pytest.approx([-0.6, -0.4, 0.0])
    assert row["top_k"] == [2, 1, 0]
    assert row["per_block"] is None
    assert (row["stage"], row["sample_id"], row["true_task"]) == (3, "books/test/1", 1)
    assert (row["prediction"], row["label"], row["correct"]) == (1, 1, True)
    assert row["entropy"] == pytest.approx(float(entropy(WEIGHTS)[1]))
    assert row["margin"] == pytest.approx(0.2)
    assert records["top_k"].to_pylist() == [[0, 1], [2, 1, 0], [0, 1], [2]]
    assert records["correct"].to_pylist() == [True, True, False, True]
    assert weights_of(records) == pytest.approx(WEIGHTS)


def test_records_of_learned_routers_hold_the_weights_of_each_block() -> None:
    per_block = np.stack([WEIGHTS, WEIGHTS[:, ::-1]], axis=1)
    records = routing_records(
        stage=1,
        sample_ids=list("abcd"),
        true_task=TRUE,
        weights=WEIGHTS,
        predictions=TRUE,
        labels=TRUE,
        per_block=per_block,
    )
    assert np.array(records["per_block"].to_pylist()) == pytest.approx(per_block)
    assert pc.all(records["correct"]).as_py()


def test_records_of_no_samples_are_an_empty_table() -> None:
    records = routing_records(
        stage=1, sample_ids=[], true_task=[], weights=np.zeros((0, 2)), predictions=[], labels=[]
    )
    assert records.num_rows == 0
    assert records.schema == ROUTING_SCHEMA
    assert len(weights_of(records)) == 0


def test_records_of_unequal_lengths_are_refused_with_the_lengths() -> None:
    with pytest.raises(ValueError, match="'sample_ids': 1, 'true_task': 4"):
        routing_records(
            stage=1,
            sample_ids=["a"],
            true_task=TRUE,
            weights=WEIGHTS,
            predictions=TRUE,
            labels=TRUE,
        )
