"""The numbers of a figure as a table and a CSV: with its figure's sign, and its unit at the head of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from numpy.typing import ArrayLike


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
    table = pd.DataFrame(values, pd.Index(list(rows), name=corner), heads).round(digits)
    return table + 0.0 if digits else table  # no minus before 0


def setting_table(
    lines: Mapping[str, Sequence[float]], settings: Sequence[float], name: str
) -> pd.DataFrame:
    """Lines over the values of a setting, all in per cent.

    Args:
        lines: by name, a number (%) for each value.
        settings: the values.
        name: of the setting.
    """
    heads = {f"{line} (%)": values for line, values in lines.items()}
    return pd.DataFrame(heads, pd.Index(list(settings), name=name)).round(2)
