"""Several seeds and orders in one number: mean, standard deviation, 95 % interval, paired differences.

Shapes: n runs that differ in seed or order alone. Intervals are Student's t with n - 1 degrees of freedom: runs are
few, and their spread is estimated from themselves.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

CONFIDENCE = 0.95
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Summary:
    """What n runs say about one number.

    Attributes:
        n: how many there were.
        mean: of them.
        std: standard deviation, sum of squares over n - 1; None for one run.
        low: lower end of the 95 % interval of the mean; None for one run.
        high: upper end.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class PairedDifference:
    """How much one recipe is ahead of another on the same seeds and orders.

    Attributes:
        n: pairs.
        mean: of the differences.
        low: lower end of the 95 % interval of the mean; None for one pair.
        high: upper end.
        p_value: two-sided, of the paired t-test that the mean is 0; None for one pair, NaN where all differences are
            equal.
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    p_value: float | None


def summarise(values: Sequence[float]) -> Summary:
    """mean +- t_{0.975, n-1} s / sqrt(n).

    Args:
        values: n numbers, none NaN.

    Raises:
        ValueError: there are none.
    """
    if len(values) == 0:
        raise ValueError("there are no values to summarise")
    numbers = np.asarray(values, dtype=np.float64)
    mean = float(numbers.mean())
    if len(numbers) == 1:
        return Summary(1, mean, None, None, None)
    std = float(numbers.std(ddof=1))
    half = half_width(std, len(numbers))
    return Summary(len(numbers), mean, std, mean - half, mean + half)


def paired_difference(first: Mapping[Key, float], second: Mapping[Key, float]) -> PairedDifference:
    """first - second over the keys (seed, order) that both have; what only one has is left out.

    Raises:
        ValueError: they have no key in common.
    """
    keys = [key for key in first if key in second]
    if not keys:
        raise ValueError("no seed and order is in both; carry both out on the same ones")
    gaps = summarise([first[key] - second[key] for key in keys])
    if gaps.std is None:
        return PairedDifference(1, gaps.mean, None, None, None)
    from scipy import stats

    error = gaps.std / math.sqrt(gaps.n)
    p_value = float(2 * stats.t.sf(abs(gaps.mean) / error, gaps.n - 1)) if error > 0 else math.nan
    return PairedDifference(gaps.n, gaps.mean, gaps.low, gaps.high, p_value)


def half_width(std: float, n: int) -> float:
    """Half of the 95 % interval of the mean of n > 1 numbers with this standard deviation."""
    from scipy import stats

    return float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std / math.sqrt(n)


def format_summary(summary: Summary, digits: int = 1) -> str:
    """ "72.3 ± 1.1 (69.6 to 75.0, n=3)"; a single run says that it is one."""
    mean = f"{summary.mean:.{digits}f}"
    if summary.std is None:
        return f"{mean} (one run)"
    return (
        f"{mean} ± {summary.std:.{digits}f} "
        f"({summary.low:.{digits}f} to {summary.high:.{digits}f}, n={summary.n})"
    )


def format_difference(difference: PairedDifference, digits: int = 1) -> str:
    """ "+2.1 (+0.4 to +3.8, n=3, p=0.03)"; a single pair says that it is one."""
    mean = f"{difference.mean:+.{digits}f}"
    if difference.p_value is None:
        return f"{mean} (one pair)"
    p = "-" if math.isnan(difference.p_value) else f"{difference.p_value:.2g}"
    return (
        f"{mean} ({difference.low:+.{digits}f} to {difference.high:+.{digits}f}, "
        f"n={difference.n}, p={p})"
    )
