"""Confidence intervals of shares in words, for the hover of figures and the help of tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cl_core.evaluate.intervals import wilson


def interval(share: float, n: int) -> str:
    """Wilson's 95 % interval of a share of n samples, such as "95 % interval 71.2 to 80.1, n = 120".

    Args:
        share: 0 to 1.
        n: samples; 0 gives "".
    """
    if not n or np.isnan(share):
        return ""
    low, high = wilson(share, n)
    return f"95 % interval {100 * float(low):.1f} to {100 * float(high):.1f}, n = {n}"


def intervals(shares: NDArray[np.float64], counts: NDArray[np.int64]) -> list[list[str]]:
    """`interval` of each cell of a table.

    Args:
        shares: (m, n), 0 to 1.
        counts: (m, n) samples behind each, or what broadcasts to that.
    """
    counts = np.broadcast_to(counts, shares.shape)
    low, high = (100 * ends for ends in wilson(shares, counts))
    return [
        [
            f"95 % interval {low[i, j]:.1f} to {high[i, j]:.1f}, n = {counts[i, j]}"
            if counts[i, j] and not np.isnan(shares[i, j])
            else ""
            for j in range(shares.shape[1])
        ]
        for i in range(shares.shape[0])
    ]
