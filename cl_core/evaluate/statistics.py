"""Several seeds and orders in one number: mean, standard deviation, 95 % interval, paired differences.

Shapes: n runs that differ in seed or order alone. Intervals are Student's t with n - 1 degrees of freedom: runs are
few, and their spread is estimated from themselves. The t distribution does not know what the number can be (no
accuracy is above 1), so its interval is cut there **(ours)**: what is cut off could not be true. Runs that agree to
rounding have no interval: t would give one of no width, which promises what was not measured **(ours)**.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

CONFIDENCE = 0.95
MINUS = "\N{MINUS SIGN}"
"""Before a number that people read; files for programs have a hyphen."""
ANYTHING = (-math.inf, math.inf)
ROUNDING = 1e-8
"""Numbers this close, relative to the largest of them, are equal: sums in another order differ by as much."""
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Summary:
    """What n runs say about one number.

    Attributes:
        n: how many there were.
        mean: of them.
        std: standard deviation, sum of squares over n - 1; None for one run, 0 where all agree to rounding.
        low: lower end of the 95 % interval of the mean; None for one run, and where all agree.
        high: upper end.
        cut: whether an end was moved to the least or the most that the number can be.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None
    cut: bool = False


@dataclass(frozen=True)
class PairedDifference:
    """How much one recipe is ahead of another on the same seeds and orders.

    Attributes:
        n: pairs.
        mean: of the differences.
        low: lower end of the 95 % interval of the mean; None for one pair, and where all differences agree to
            rounding.
        high: upper end.
        p_value: two-sided, of the paired t-test that the mean is 0; None where there is no interval.
        cut: whether an end was moved to the least or the most that a difference can be.
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    p_value: float | None
    cut: bool = False


def summarise(
    values: Sequence[float], bounds: tuple[float, float] = ANYTHING, scale: float = 0.0
) -> Summary:
    """mean +- t_{0.975, n-1} s / sqrt(n), cut at the bounds.

    Args:
        values: n numbers, none NaN.
        bounds: the least and the most that the number can be.
        scale: how large what they were computed from is, where that is more than they are: it sets what rounding is.

    Raises:
        ValueError: there are none.
    """
    if len(values) == 0:
        raise ValueError("there are no values to summarise")
    numbers = np.asarray(values, dtype=np.float64)
    mean = float(numbers.mean())
    rounding = ROUNDING * max(scale, float(np.abs(numbers).max()))
    if abs(mean) <= rounding and scale:
        mean = 0.0
    if len(numbers) == 1:
        return Summary(1, mean, None, None, None)
    if float(np.ptp(numbers)) <= rounding:
        return Summary(len(numbers), mean, 0.0, None, None)
    std = float(numbers.std(ddof=1))
    half = half_width(std, len(numbers))
    low, high = max(mean - half, bounds[0]), min(mean + half, bounds[1])
    return Summary(len(numbers), mean, std, low, high, (low, high) != (mean - half, mean + half))


def paired_difference(
    first: Mapping[Key, float],
    second: Mapping[Key, float],
    bounds: tuple[float, float] = ANYTHING,
) -> PairedDifference:
    """first - second over the keys (seed, order) that both have; what only one has is left out.

    Args:
        first: by key.
        second: by key.
        bounds: the least and the most that each of the numbers can be.

    Raises:
        ValueError: they have no key in common.
    """
    keys = [key for key in first if key in second]
    if not keys:
        raise ValueError("no seed and order is in both; carry both out on the same ones")
    widest = bounds[1] - bounds[0]
    scale = max(abs(value) for key in keys for value in (first[key], second[key]))
    gaps = summarise([first[key] - second[key] for key in keys], (-widest, widest), scale)
    if gaps.std is None or gaps.low is None:
        return PairedDifference(gaps.n, gaps.mean, None, None, None)
    from scipy import stats

    error = gaps.std / math.sqrt(gaps.n)
    p_value = float(2 * stats.t.sf(abs(gaps.mean) / error, gaps.n - 1))
    return PairedDifference(gaps.n, gaps.mean, gaps.low, gaps.high, p_value, gaps.cut)


def half_width(std: float, n: int) -> float:
    """Half of the 95 % interval of the mean of n > 1 numbers with this standard deviation."""
    from scipy import stats

    return float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std / math.sqrt(n)


def decimal(value: float, digits: int = 1, signed: bool = False) -> str:
    """A number for people, with so many digits after the point: with a real minus sign, and never "-0.0".

    Args:
        value: "-" is written for what is no number.
        digits: after the point.
        signed: whether a plus is written; 0 has no sign.

    >>> decimal(-0.04), decimal(1234.5, signed=True), decimal(float("nan"))
    ('0.0', '+1,234.5', '-')
    """
    if not math.isfinite(value):
        return "-"
    rounded = round(value, digits) + 0.0  # + 0.0: no minus before 0
    shown = f"{rounded:+,.{digits}f}" if signed and rounded else f"{rounded:,.{digits}f}"
    return shown.replace("-", MINUS)


def format_summary(summary: Summary, digits: int = 1) -> str:
    """ "72.3 ± 1.1 (69.6 to 75.0, n=3)"; a single run, and seeds that move nothing, are said to be that.

    >>> format_summary(summarise([70.0, 72.0, 74.0]))
    '72.0 ± 2.0 (67.0 to 77.0, n=3)'
    >>> format_summary(summarise([99.0, 100.0], bounds=(0, 100)))
    '99.5 ± 0.7 (93.1 to 100.0, n=2)'
    >>> format_summary(summarise([70.0]))
    '70.0 (one run)'
    """
    mean = decimal(summary.mean, digits)
    if summary.std is None:
        return f"{mean} (one run)"
    if summary.low is None or summary.high is None:
        return f"{mean} (the same in all {summary.n} runs)"
    spread = f"{mean} ± {decimal(summary.std, digits)}"
    low, high = decimal(summary.low, digits), decimal(summary.high, digits)
    ends = "" if low == high else f"{low} to {high}, "
    return f"{spread} ({ends}n={summary.n})"


def format_difference(difference: PairedDifference, digits: int = 1) -> str:
    """ "+2.1 (+0.4 to +3.8, n=3, p=0.03)"; a single pair says that it is one, equal differences have no p.

    >>> format_difference(paired_difference({0: 74.0, 1: 76.5}, {0: 72.0, 1: 74.0, 2: 9.0}))
    '+2.2 (−0.9 to +5.4, n=2, p=0.07)'
    >>> format_difference(paired_difference({0: 74.0, 1: 75.0}, {0: 72.0, 1: 73.0}))
    '+2.0 (the same in all 2 pairs, p=-)'
    """
    mean = decimal(difference.mean, digits, signed=True)
    if difference.n == 1:
        return f"{mean} (one pair)"
    if difference.low is None or difference.high is None:
        return f"{mean} (the same in all {difference.n} pairs, p=-)"
    low, high = (decimal(end, digits, signed=True) for end in (difference.low, difference.high))
    ends = "" if low == high else f"{low} to {high}, "
    return f"{mean} ({ends}n={difference.n}, p={format_p(difference.p_value)})"


def format_p(p_value: float | None) -> str:
    """ "0.03"; "-" where there is none.

    >>> format_p(0.0312), format_p(1e-9), format_p(None)
    ('0.031', '<0.0001', '-')
    """
    if p_value is None:
        return "-"
    return f"{p_value:.2g}" if p_value >= 1e-4 else "<0.0001"
