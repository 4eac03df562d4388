"""Means with their spread, and differences on the same seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cl_core.evaluate.statistics import (
    format_difference,
    format_summary,
    paired_difference,
    summarise,
)


def test_mean_deviation_and_interval_of_a_textbook_example() -> None:
    # t_{0.975, 2} = 4.302653, s = 2, n = 3.
    summary = summarise([10.0, 12.0, 14.0])
    assert (summary.n, summary.mean, summary.std) == (3, 12.0, 2.0)
    half = 4.302652729911275 * 2 / math.sqrt(3)
    assert summary.low == pytest.approx(12 - half)
    assert summary.high == pytest.approx(12 + half)


def test_the_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).normal(5.0, 3.0, size=(4000, 4))
    hits = [s.low <= 5.0 <= s.high for s in map(summarise, draws.tolist())]  # type: ignore[operator]
    assert abs(np.mean(hits) - 0.95) < 0.015  # more than four standard errors


def test_a_paired_difference_is_scipys_paired_t_test_on_the_seeds_that_both_have() -> None:
    generator = np.random.default_rng(1)
    first = {seed: float(value) for seed, value in enumerate(generator.normal(size=6))}
    second = {seed: float(value) for seed, value in enumerate(generator.normal(size=8))}
    difference = paired_difference(first, second)
    test = stats.ttest_rel(list(first.values()), [second[seed] for seed in first])
    assert difference.n == 6
    assert difference.p_value == pytest.approx(test.pvalue)
    interval = test.confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))


def test_pairing_removes_what_the_seeds_share() -> None:
    shared = np.random.default_rng(2).normal(0, 10, size=5)
    first = {seed: float(value + 1) for seed, value in enumerate(shared)}
    second = {seed: float(value) for seed, value in enumerate(shared)}
    difference = paired_difference(first, second)
    assert difference.mean == pytest.approx(1)
    assert difference.high - difference.low < 1e-9  # type: ignore[operator]
    assert summarise(list(first.values())).std > 5  # type: ignore[operator]


def test_one_run_is_never_shown_as_a_mean() -> None:
    summary = summarise([3.0])
    assert (summary.std, summary.low, summary.high) == (None, None, None)
    assert format_summary(summary) == "3.0 (one run)"
    assert format_difference(paired_difference({0: 2.0}, {0: 1.0})) == "+1.0 (one pair)"
    assert format_summary(summarise([1.0, 2.0, 3.0])) == "2.0 ± 1.0 (-0.5 to 4.5, n=3)"
    assert format_difference(paired_difference({0: 2.0, 1: 3.0}, {0: 1.0, 1: 2.0})) == (
        "+1.0 (+1.0 to +1.0, n=2, p=-)"
    )


def test_nothing_cannot_be_summarised_nor_paired() -> None:
    with pytest.raises(ValueError, match="no values"):
        summarise([])
    with pytest.raises(ValueError, match="same ones"):
        paired_difference({0: 1.0}, {1: 1.0})
