"""Which numbers a run's files can hold: shares lie between 0 and 1, weights add up to 1, no loss is below 0.

A number that is not defined (NaN) is a fault only where every run has one. What rows may be there is in
`possible_rows.py`, what events may say in `possible_events.py`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import unit_of
from cl_core.runs.reading.possible_rows import of_lists

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

SLACK = 1e-3
"""How far rounding may take a number beyond what it can be."""
WEIGHTS_SLACK = 0.02
"""The same of the sum of a sample's routing weights, which may come from bfloat16."""
MOST = 1e12
"""Of samples, stages, epochs: no run has as many."""
SHARE, COUNT = (0.0, 1.0), (0.0, math.inf)
Bounds = tuple[float, float]
DEFINED = {
    *("accuracy", "macro_f1", "weighted_f1"),
    *("phase1_accuracy", "phase2_accuracy", "vanilla_accuracy"),
}
"""Scores that are a number of any samples; a metric that is registered may be none of some."""
NUMBERS = {
    "routing": ("weights", "scores", "entropy", "margin"),
    "lost": ("own", "first", "run"),
}
"""By table, columns that are a number in every row, where they are there."""
BOUNDS: Mapping[str, Mapping[str, Bounds]] = {
    "scores": {"stage": COUNT, "samples": (1.0, MOST), "value": SHARE},
    "routing": {
        "stage": COUNT,
        "true_task": COUNT,
        "weights": SHARE,
        "prediction": (-1.0, math.inf),
        "label": (-1.0, math.inf),
        "entropy": COUNT,
        "margin": SHARE,
    },
    "lost": {"stage": COUNT, "true_task": COUNT, "own": SHARE, "first": SHARE, "run": SHARE},
}
"""By table and column, the least and the most; of scores, `value` as most metrics have it: see `bounds_of`."""


@cache
def bounds_of(metric: str) -> Bounds:
    """The least and the most that a score of this metric can be; of one that is not known here, anything finite."""
    if METRICS.find(metric) is None:
        return -math.inf, math.inf
    unit = unit_of(metric)
    return unit.low / unit.factor, unit.high / unit.factor


def of_table(name: str, table: pyarrow.Table) -> str:
    """The first number of a table that cannot be, said so; "" where there is none.

    Args:
        name: "scores", "routing" or "lost".
        table: its rows.
    """
    import pyarrow.compute as pc

    for column, bounds in BOUNDS[name].items():
        if column not in table.column_names or (name, column) == ("scores", "value"):
            continue
        values = table[column]
        if column == "weights":
            values = pc.list_flatten(values)
        extremes = pc.min_max(values).as_py()
        if fault := number_fault(column, [extremes["min"], extremes["max"]], bounds):
            return fault
    for column in NUMBERS.get(name, ()):
        if column in table.column_names and _has_undefined(table[column]):
            return f"holds a {column} that is not a number (nan)"
    if name == "scores":
        pairs = zip(table["metric"].to_pylist(), table["value"].to_pylist(), strict=True)
        return next((said for metric, value in pairs if (said := _score(metric, value))), "")
    return of_lists(table) or _sums(table) or _contradiction(table) if name == "routing" else ""


def in_extremes(name: str, metadata: pyarrow.parquet.FileMetaData) -> bool:
    """Whether all numbers of a table can be, by the extremes that its end lists; those it does not list may be any."""
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            bounds = BOUNDS[name].get(column.path_in_schema.partition(".")[0])
            listed = column.statistics
            if bounds is None or listed is None or not listed.has_min_max:
                continue
            if number_fault("", [listed.min, listed.max], bounds):
                return False
    return True


def _score(metric: str, value: float | None) -> str:
    if metric in DEFINED and (value is None or math.isnan(value)):
        return f"holds the {metric} nan, which every score of it has a number for"
    return number_fault(metric, [value], bounds_of(metric))


def _has_undefined(column: pyarrow.ChunkedArray) -> bool:
    import pyarrow
    import pyarrow.compute as pc

    if pyarrow.types.is_list(column.type):
        column = pc.list_flatten(column)
    return bool(pc.any(pc.is_nan(column)).as_py())


def _contradiction(table: pyarrow.Table) -> str:
    """Of a sample's route and answer with what is beside them."""
    import numpy as np
    import pyarrow.compute as pc

    if "correct" in table.column_names:
        right = pc.equal(table["prediction"], table["label"])
        if pc.any(odd := pc.not_equal(table["correct"], right)).as_py():
            sample = table["sample_id"].filter(odd)[0].as_py()
            return f"calls the answer to sample '{sample}' {'wrong' if pc.filter(right, odd)[0].as_py() else 'correct'}"
    if "entropy" in table.column_names:
        adapters = pc.list_value_length(table["weights"]).to_numpy()
        entropy = table["entropy"].to_numpy()
        above = np.flatnonzero(entropy > np.log(adapters) + SLACK)
        if len(above):
            most, row = np.log(adapters[above[0]]), int(above[0])
            return f"holds the entropy {entropy[row]:g} of {adapters[row]} weights, which have at most {most:.3g}"
    return ""


def _sums(table: pyarrow.Table) -> str:
    """Of each sample's routing weights."""
    import numpy as np
    import pyarrow.compute as pc

    lists = table["weights"].combine_chunks()
    weights, rows = pc.list_flatten(lists), pc.list_parent_indices(lists)
    sums = np.bincount(rows.to_numpy(), weights.to_numpy(), minlength=table.num_rows)
    odd = np.flatnonzero(np.abs(sums - 1) > WEIGHTS_SLACK)
    if len(odd) == 0:
        return ""
    sample = table["sample_id"][int(odd[0])].as_py()
    return f"holds routing weights of sample '{sample}' that add up to {sums[odd[0]]:.3g}, not to 1"


def number_fault(name: str, values: Sequence[float | None], bounds: Bounds) -> str:
    """The first of some values that lies outside its bounds, said so; "" where none does."""
    least, most = bounds
    for value in values:
        # NaN compares false with anything
        if isinstance(value, int | float) and (value < least - SLACK or value > most + SLACK):
            said = f"{value:g}" if abs(value) <= sys.float_info.max else f"{str(value)[:20]}..."
            lies = (
                f"between {least:g} and {most:g}"
                if math.isfinite(most)
                else f"at {least:g} or above"
            )
            return f"holds the {name} {said}, which lies {lies} wherever it is one"
    return ""
