"""Confidence intervals of shares in words, for the hover of figures and the help of tiles."""

from __future__ import annotations

import numpy as np

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
