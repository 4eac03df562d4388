"""Which of the equivalent ways computes a composition, chosen from shapes.

B samples of T tokens, K adapters in the bank, k the most that any sample of the batch uses (weights
other than zero), G distinct rows of weights. `benchmarks/speed/compositions.py` measured the thresholds
on two CPU cores; they move the time, never the result.
"""

from __future__ import annotations

from collections.abc import Sequence

SELECT_PATHS = ("shared", "gather")
MERGE_PATHS = ("shared", "gather", "distinct", "gemm", "preactivation")
AVERAGE_PATHS = ("shared", "gather", "concatenated")


FEW = 2
"""Up to so many adapters a sample, gathering them wins however the batch is routed."""


def choose_merge_path(samples: int, tokens: int, adapters: int, kept: int, distinct: int) -> str:
    """The path of `merge`.

    shared: one route for the whole batch; it is merged once and is then a plain adapter.
    preactivation: short sequences; 4 N K d r FLOP for N = B T rows, but no weights are formed.
    gather: each sample sums the k rows of the bank that it uses, 4 B k d r FLOP.
    distinct: few distinct routes; one product forms the G merged adapters, samples share them.
    gemm: one product forms all B merged adapters, 4 B K d r FLOP, and faster ones than gather's.

    >>> choose_merge_path(samples=32, tokens=64, adapters=5, kept=2, distinct=32)
    'gather'
    >>> choose_merge_path(samples=32, tokens=64, adapters=5, kept=5, distinct=1)
    'shared'
    """
    if distinct == 1:
        return "shared"
    if tokens * adapters <= 8:
        return "preactivation"
    if kept > FEW and 4 * distinct <= samples:
        return "distinct"
    return "gather" if gathering_pays(adapters, kept) else "gemm"


def choose_average_path(samples: int, tokens: int, adapters: int, kept: int, distinct: int) -> str:
    """The path of `average`.

    shared: one route for the whole batch; its k adapters are one plain bottleneck of width k r.
    gather: each sample's k adapters are one bottleneck of its own, of width k r; fetching them costs
        as much as computing with them for about five tokens.
    concatenated: all K are one bottleneck of width K r, 4 N K d r FLOP.
    """
    if distinct == 1:
        return "shared"
    fetched_is_less = kept * (tokens + 5) < adapters * tokens
    return "gather" if fetched_is_less and gathering_pays(adapters, kept) else "concatenated"


def gathering_pays(adapters: int, kept: int) -> bool:
    """Whether samples use so few adapters that fetching these beats a product with all."""
    return kept <= max(8, adapters // 4)


def check_path(path: str | None, paths: Sequence[str], shared: bool) -> None:
    """Raises `ValueError` for a path that there is not, or that does not fit the weights."""
    if path is not None and path not in paths:
        raise ValueError(f"there is no path '{path}'; choose one of {', '.join(paths)}, or None")
    if path == "shared" and not shared:
        raise ValueError("path 'shared' needs the same route for every sample of the batch")
