"""Which numbers a run's files can hold: shares lie between 0 and 1, weights add up to 1, no loss is below 0.

A number that is not defined (NaN) is none of these faults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import unit_of
from cl_core.runs.events import AnyEvent, EpochEvent, EvaluationEvent, FinishEvent

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

SLACK = 1e-3
"""How far rounding may take a number beyond what it can be."""
WEIGHTS_SLACK = 0.02
"""The same of the sum of a sample's routing weights, which may come from bfloat16."""
SHARE, COUNT = (0.0, 1.0), (0.0, math.inf)
Bounds = tuple[float, float]
BOUNDS: Mapping[str, Mapping[str, Bounds]] = {
    "scores": {"stage": COUNT, "samples": COUNT, "value": SHARE},
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
        if fault := _fault(column, [extremes["min"], extremes["max"]], bounds):
            return fault
    if name == "scores":
        pairs = zip(table["metric"].to_pylist(), table["value"].to_pylist(), strict=True)
        return next((said for metric, value in pairs if (said := _score(metric, value))), "")
    return _sums(table) if name == "routing" else ""


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
            if _fault("", [listed.min, listed.max], bounds):
                return False
    return True


def of_events(events: Sequence[AnyEvent]) -> str:
    """The first number of a run's events that cannot be, said so; "" where there is none."""
    for event in events:
        match event:
            case EpochEvent():
                numbers = {
                    "train_loss": (event.train_loss, COUNT),
                    "validation_loss": (event.validation_loss, COUNT),
                    "validation_accuracy": (event.validation_accuracy, SHARE),
                }
            case EvaluationEvent():
                numbers = {"accuracy": (event.accuracy, SHARE), "rows": (event.rows, COUNT)}
            case FinishEvent():
                numbers = {"seconds": (event.seconds, COUNT)}
            case _:
                continue
        for name, (value, bounds) in numbers.items():
            if fault := _fault(name, [value], bounds):
                return fault
    return ""


def _score(metric: str, value: float | None) -> str:
    return _fault(metric, [value], bounds_of(metric))


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


def _fault(name: str, values: Sequence[float | None], bounds: Bounds) -> str:
    least, most = bounds
    for value in values:
        # NaN compares false with anything
        if isinstance(value, int | float) and (value < least - SLACK or value > most + SLACK):
            lies = (
                f"between {least:g} and {most:g}"
                if math.isfinite(most)
                else f"at {least:g} or above"
            )
            return f"holds the {name} {value:g}, which lies {lies} wherever it is one"
    return ""
