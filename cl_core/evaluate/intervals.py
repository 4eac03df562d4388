"""How sure an accuracy is, and a difference of two: of n test samples, nothing of seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z = 1.959964
"""Of a normal distribution, between -Z and Z lie 95 %."""


def wilson(share: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns low and high of Wilson's 95 % interval of a share of n samples, 0 to 1; NaN where n is 0.

    Wilson (1927): (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n); never outside 0 to 1. Where answers are
    right in part (VQA accuracy) it is wider than it must be, as such credit varies less than right and wrong do.

    Args:
        share: p, any shape.
        n: samples, of a shape that fits.

    >>> low, high = wilson([0.5, 1.0], n=10)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.24, 0.72], [0.76, 1.0])
    """
    p, count = np.broadcast_arrays(
        np.asarray(share, dtype=np.float64), np.asarray(n, dtype=np.float64)
    )
    count = np.where(count > 0, count, np.nan)
    ratio = Z**2 / count
    middle = (p + ratio / 2) / (1 + ratio)
    half = np.sqrt(np.maximum(p * (1 - p), 0) * ratio + ratio**2 / 4) / (1 + ratio)
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def wilson_mean(shares: ArrayLike, n: ArrayLike) -> tuple[float, float]:
    """Returns low and high of a 95 % interval of the mean of T shares of samples of their own; NaN where one has none.

    The distances to the ends of the shares' own Wilson intervals are added as standard errors are (Zou and Donner 2008,
    "MOVER"): p - sqrt(sum_j (p_j - low_j)^2) / T, and so upwards. For one share it is `wilson`. The shares count alike,
    however many samples each is of.

    Args:
        shares: (T,), 0 to 1.
        n: (T,) samples.
    """
    p = np.asarray(shares, dtype=np.float64)
    low, high = wilson(p, n)
    reach = [float(np.sqrt(((p - end) ** 2).sum()) / len(p)) for end in (low, high)]
    return float(p.mean()) - reach[0], float(p.mean()) + reach[1]


def paired_error(first: ArrayLike, second: ArrayLike) -> float:
    """Returns the standard error of mean(first - second) over the same n samples; NaN for fewer than two.

    The spread of the samples' own differences, over sqrt(n): samples that stay as they were add nothing to it.

    Args:
        first, second: (n,) how right each sample is, 0 to 1.

    Raises:
        ValueError: they differ in length.

    >>> round(paired_error([1, 1, 1, 0], [1, 1, 0, 0]), 3)
    0.25
    >>> round(binomial_error(0.75, 0.5, n=4), 3)  # not known to be the same four
    0.331
    """
    gaps = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    return float(gaps.std(ddof=1) / np.sqrt(len(gaps))) if len(gaps) > 1 else float("nan")


def binomial_error(first: float, second: float, n: int) -> float:
    """Returns the standard error of the difference of two shares of n samples each, as if these were not the same ones.

    sqrt((p(1-p) + q(1-q)) / n): for where it is not known which samples were right. Mostly wider than the paired one.
    """
    if n < 1:
        return float("nan")
    return float(np.sqrt((first * (1 - first) + second * (1 - second)) / n))


def within_one_error(values: ArrayLike, errors: ArrayLike) -> NDArray[np.bool_]:
    """Returns which differences are no further from 0 than their standard error; False where either is NaN.

    One sample of n that turns wrong is exactly that far, whatever n is: rounding must not lift it above.

    >>> within_one_error([0.1, -0.3, 0.2], [0.2, 0.2, 0.2]).tolist()
    [True, False, True]
    """
    reach = np.asarray(errors, dtype=np.float64) * (1 + 1e-6) + 1e-12
    return np.asarray(np.abs(np.asarray(values, dtype=np.float64)) <= reach)
