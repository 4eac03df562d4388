"""The learning rate as a pure function of the step: nothing to store, nothing to restore."""

from __future__ import annotations


def learning_rate(step: int, steps: int, peak: float, warmup: float) -> float:
    """Linear warm-up, then linear decay to 0 (DAM, implementation details).

    Args:
        step: 0-based step about to be taken.
        steps: number of steps in all.
        peak: the largest rate, reached at the end of the warm-up.
        warmup: share of the steps that warm up.

    >>> [learning_rate(step, steps=8, peak=1.0, warmup=0.5) for step in range(8)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    rising = max(1, round(warmup * steps)) if warmup > 0 else 0
    if step < rising:
        return peak * (step + 1) / rising
    return peak * (steps - step) / max(1, steps - rising)
