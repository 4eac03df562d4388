"""Means with their spread, and differences on the same seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cl_core.evaluate.statistics import (
    MINUS,
    decimal,
    format_difference,
    format_p,
    format_summary,
    paired_difference,
    summarise,
)
from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import difference_title, title, unit_of


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
    assert difference.low is None, "no seed moves it: an interval of no width promises too much"
    assert difference.p_value is None
    assert summarise(list(first.values())).std > 5  # type: ignore[operator]


def test_one_run_is_never_shown_as_a_mean() -> None:
    summary = summarise([3.0])
    assert (summary.std, summary.low, summary.high) == (None, None, None)
    assert format_summary(summary) == "3.0 (one run)"
    assert format_difference(paired_difference({0: 2.0}, {0: 1.0})) == "+1.0 (one pair)"
    assert format_summary(summarise([1.0, 2.0, 3.0])) == f"2.0 ± 1.0 ({MINUS}0.5 to 4.5, n=3)"
    assert format_difference(paired_difference({0: 2.0, 1: 3.0}, {0: 1.0, 1: 2.0})) == (
        "+1.0 (the same in all 2 pairs, p=-)"
    )


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e7])
def test_differences_that_are_equal_to_rounding_have_no_p_and_no_interval(scale: float) -> None:
    first = {seed: scale * value for seed, value in enumerate((0.1 + 0.2, 0.7, 1 / 3))}
    second = {0: scale * 0.3, 1: scale * 0.7, 2: scale * (1 - 2 / 3)}
    difference = paired_difference(first, second)
    assert (difference.mean, difference.low, difference.p_value) == (0.0, None, None)
    assert format_difference(difference) == "0.0 (the same in all 3 pairs, p=-)"


def test_an_interval_that_no_seed_moves_is_not_printed_as_one() -> None:
    assert format_summary(summarise([100.0, 100.0, 100.0])) == "100.0 (the same in all 3 runs)"
    rounded = summarise([0.1 + 0.2, 0.3, 0.3])
    assert (rounded.std, rounded.low, rounded.high) == (0.0, None, None)
    assert format_summary(summarise([72.3, 72.3001, 72.3])) == "72.3 ± 0.0 (n=3)"


def test_an_interval_stays_within_what_the_number_can_be() -> None:
    summary = summarise([99.0, 100.0, 98.0], (0, 100))
    assert summary.high == 100
    assert summary.low == pytest.approx(99 - 4.302652729911275 / math.sqrt(3))
    assert summary.cut
    assert not summarise([50.0, 51.0, 52.0], (0, 100)).cut
    gap = paired_difference({0: 99.0, 1: 100.0}, {0: 1.0, 1: 0.0}, (0, 100))
    assert (gap.high, gap.cut) == (100, True)


def test_what_people_read_has_a_real_minus_sign() -> None:
    assert decimal(-33.3) == decimal(-33.3, signed=True) == f"{MINUS}33.3"
    said = format_difference(paired_difference({0: 1.0, 1: 2.0}, {0: 3.0, 1: 5.0}))
    assert said.startswith(f"{MINUS}2.5 ({MINUS}8.9 to ")
    assert "-" not in said


def test_nothing_is_shown_as_minus_0() -> None:
    assert decimal(-0.04) == "0.0"
    assert decimal(-0.04, signed=True) == "0.0"
    assert decimal(0.06, signed=True) == "+0.1"
    assert decimal(math.nan) == decimal(math.inf) == "-"
    assert format_summary(summarise([-0.01, -0.02])) == f"0.0 ± 0.0 ({MINUS}0.1 to 0.0, n=2)"
    assert format_p(3e-9) == "<0.0001"


def test_every_number_has_a_unit_and_what_it_can_be() -> None:
    assert unit_of("average_accuracy").bounds == (0, 100)
    assert unit_of("backward_transfer").bounds == (-100, 100)
    assert unit_of("distillation_decay").high == 100
    assert unit_of("seconds_training").name == "s"
    assert title("forgetting").endswith("(points)"), "a difference of per cent is points"
    assert title("stored_parameters") == "Stored parameters"
    assert difference_title("average_accuracy") == "Average accuracy (points)"
    for name, metric in METRICS.items():
        if metric.unit in ("share", "points", "%"):
            assert unit_of(name).factor == (1 if metric.unit == "%" else 100)


def test_nothing_cannot_be_summarised_nor_paired() -> None:
    with pytest.raises(ValueError, match="no values"):
        summarise([])
    with pytest.raises(ValueError, match="same ones"):
        paired_difference({0: 1.0}, {1: 1.0})
