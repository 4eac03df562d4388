"""The numbers of a figure as a table and a CSV: with its figure's sign, and its unit at the head of every column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from app.base.memoized import memoized
from cl_core.evaluate.intervals import wilson


@memoized
def figure_table(
    values: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    unit: str,
    corner: str,
    digits: int = 2,
) -> pd.DataFrame:
    """A grid of numbers as the figure draws them.

    Args:
        values: (R, C), in the unit and with the sign of the figure; NaN stays empty.
        rows: R names.
        columns: C names.
        unit: of every number: "%", "points", "samples"; "" where there is none.
        corner: what the rows are.
        digits: after the point.
    """
    heads = [f"{name} ({unit})" if unit else name for name in columns]
    table = pd.DataFrame(np.asarray(values), pd.Index(list(rows), name=corner), heads).round(digits)
    return table + 0.0 if digits else table  # no minus before 0


@memoized
def setting_table(
    lines: Mapping[str, Sequence[float] | NDArray[np.float64]],
    settings: Sequence[float] | Sequence[str],
    name: str,
    counted: Collection[str] = (),
    samples: int = 0,
) -> pd.DataFrame:
    """Lines over the values of a setting, all in per cent.

    Args:
        lines: by name, a number (%) for each value.
        settings: the values.
        name: of the setting.
        counted: lines that are shares of samples, which get their 95 % intervals.
        samples: that these are of.
    """
    columns: dict[str, Sequence[float] | NDArray[np.float64]] = {}
    for line, values in lines.items():
        columns[f"{line} (%)"] = values
        if line in counted:
            columns |= _ends(line, np.asarray(values) / 100, np.asarray(samples))
    return pd.DataFrame(columns, pd.Index(list(settings), name=name)).round(2)


@memoized
def share_table(
    counts: NDArray[np.int64],
    rows: Sequence[str],
    columns: Sequence[str],
    corner: str,
    across: str,
) -> pd.DataFrame:
    """A row for each cell of a table of counts: how many, which share of its row that is, and how sure.

    Args:
        counts: (R, C) samples.
        rows: R names.
        columns: C names.
        corner: what the rows are.
        across: what the columns are.
    """
    totals = np.repeat(counts.sum(axis=1), len(columns))
    shares = np.where(totals > 0, counts.ravel() / np.maximum(totals, 1), np.nan)
    index = pd.MultiIndex.from_product([list(rows), list(columns)], names=[corner, across])
    return pd.DataFrame(
        {
            "samples": counts.ravel(),
            "share (%)": 100 * shares,
            **_ends("share", shares, totals),
            "n (samples)": totals,
        },
        index,
    ).round(2)


def _ends(
    name: str, shares: NDArray[np.float64], samples: NDArray[np.int64]
) -> dict[str, Sequence[float]]:
    """Both ends of the shares' 95 % intervals, as columns."""
    low, high = wilson(shares, samples)
    return {
        f"{name}, 95 % from (%)": (100 * low).tolist(),
        f"{name}, 95 % to (%)": (100 * high).tolist(),
    }
