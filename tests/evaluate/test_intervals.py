"""How sure an accuracy is, and a difference of two, against slow twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cl_core.evaluate.intervals import (
    binomial_error,
    paired_error,
    wilson,
    wilson_mean,
    within_one_error,
)


@pytest.mark.parametrize(("right", "n"), [(0, 10), (5, 10), (10, 10), (37, 40), (812, 1000)])
def test_wilsons_interval_is_scipys(right: int, n: int) -> None:
    low, high = wilson(right / n, n)
    twin = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert (float(low), float(high)) == pytest.approx((twin.low, twin.high), abs=1e-6)


def test_without_samples_there_is_no_interval() -> None:
    low, high = wilson([0.5, 0.5], [0, 4])
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()


def test_a_paired_error_is_that_of_the_samples_own_differences() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    gaps = [float(a) - float(b) for a, b in zip(first, second, strict=True)]
    mean = sum(gaps) / 50
    twin = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / 49) / math.sqrt(50)
    assert paired_error(first, second) == pytest.approx(twin)
    assert paired_error(first, first) == 0.0


@pytest.mark.parametrize("n", [2, 12, 40, 1000])
def test_one_sample_that_turns_wrong_is_nothing_and_six_are_something(n: int) -> None:
    before = np.ones(n)
    after = before.copy()
    after[0] = 0
    assert within_one_error(np.mean(after - before), paired_error(after, before))
    if n > 10:
        after[:6] = 0
        assert not within_one_error(np.mean(after - before), paired_error(after, before))


def test_a_binomial_error_is_that_of_two_independent_shares() -> None:
    assert binomial_error(0.5, 0.5, 100) == pytest.approx(math.sqrt(0.005))
    assert math.isnan(binomial_error(0.5, 0.5, 0))


def test_the_mean_of_one_share_is_as_sure_as_the_share() -> None:
    assert wilson_mean([0.7], [40]) == pytest.approx([float(end) for end in wilson(0.7, 40)])
    assert np.isnan(wilson_mean([0.7, 0.7], [40, 0])).all()


def test_the_mean_of_shares_is_covered_as_often_as_is_said() -> None:
    shares, counts = np.array([0.95, 0.6, 0.8]), np.array([60, 30, 120])
    drawn = np.random.default_rng(0).binomial(counts, shares, (2000, 3)) / counts
    ends = np.array([wilson_mean(measured, counts) for measured in drawn])
    covered = ((ends[:, 0] <= shares.mean()) & (shares.mean() <= ends[:, 1])).mean()
    assert 0.93 < covered < 0.97
