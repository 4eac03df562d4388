"""What a number is shown in: its unit, what it is multiplied by, its digits, and what it can be.

Files of a run hold shares (0 to 1). People read per cent; differences of shares are points, never per cent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from cl_core.evaluate.table import METRICS

_DIGITS = {"%": 1, "points": 1, "nats": 3, "s": 1, "parameters": 0, "samples": 0, "bytes": 0}


@dataclass(frozen=True)
class Unit:
    """How a metric is shown.

    Attributes:
        name: "%", "points", "nats", "s", "parameters", "samples", "bytes", ...; "" where there is none.
        factor: what the number of a report is multiplied by.
        digits: after the point.
        low: the least that it can be, in this unit.
        high: the most.
    """

    name: str
    factor: float
    digits: int
    low: float
    high: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most."""
        return self.low, self.high


def unit_of(metric: str) -> Unit:
    """The unit of a metric of the table, or of a cost of a report ("seconds_training", "peak_memory_bytes")."""
    row = METRICS.find(metric)
    match row.unit if row is not None else _cost_unit(metric):
        case "share":
            return Unit("%", 100, 1, 0, 100)
        case "points":
            return Unit("points", 100, 1, -100, 100)
        case "%":  # relative changes: a score cannot fall by more than all of it
            least, most = -100.0, math.inf
            if row is not None and row.direction == "lower":
                least, most = -math.inf, 100.0
            return Unit("%", 1, 1, least, most)
        case name:
            return Unit(name, 1, _DIGITS.get(name, 2), 0, math.inf)


def title(metric: str) -> str:
    """What a metric is called, with its unit: "Average accuracy (%)".

    >>> title("average_accuracy"), title("backward_transfer")
    ('Average accuracy (%)', 'Backward transfer (points)')
    """
    unit, name = unit_of(metric).name, bare_title(metric)
    return f"{name} ({unit})" if unit and not name.lower().endswith(unit) else name


def difference_title(metric: str) -> str:
    """What a difference of a metric is of, with its unit: differences of per cent are points.

    >>> difference_title("average_accuracy")
    'Average accuracy (points)'
    """
    unit = unit_of(metric).name
    return f"{bare_title(metric)} (points)" if unit == "%" else title(metric)


def bare_title(metric: str) -> str:
    """What a metric is called."""
    row = METRICS.find(metric)
    if row is not None:
        return row.title.removesuffix(f" ({row.unit})")
    name = metric.removesuffix("_bytes")
    if name.startswith("seconds_"):
        return f"Time: {name.removeprefix('seconds_').replace('_', ' ')}"
    return name.replace("_", " ").capitalize()


def _cost_unit(metric: str) -> str:
    if metric.startswith("seconds_"):
        return "s"
    units = {"bytes": "bytes", "parameters": "parameters", "rows": "samples"}
    return next((unit for ending, unit in units.items() if metric.endswith(ending)), "")
