"""Which numbers and moments a run's events can hold: no loss or count is below 0, and a moment is one.

A loss that is not defined (NaN), as where training diverged, is none of these faults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from cl_core.runs.events import AnyEvent
from cl_core.runs.reading.possible_numbers import COUNT, MOST, SHARE, Bounds, number_fault

WHOLE = (0.0, MOST)
"""Of what is counted, or takes time."""
BOUNDS_OF_EVENTS: Mapping[str, Mapping[str, Bounds]] = {
    "started": {"process": COUNT, "steps": WHOLE},
    "phase": {"step": WHOLE, "stage": WHOLE},
    "epoch": {
        "epoch": WHOLE,
        "epochs": WHOLE,
        "train_loss": COUNT,
        "validation_loss": COUNT,
        "validation_accuracy": SHARE,
    },
    "made": {"stage": WHOLE, "seconds": WHOLE, "rows": WHOLE, "parameters": COUNT},
    "parameters": {
        "stage": WHOLE,
        "trainable_parameters": COUNT,
        "stored_parameters": COUNT,
        "active_parameters": COUNT,
        "backbone_parameters": COUNT,
        "memory_rows": WHOLE,
    },
    "evaluated": {"stage": WHOLE, "accuracy": SHARE, "rows": WHOLE, "recomputed": WHOLE},
    "finished": {"seconds": WHOLE, "peak_memory_bytes": COUNT, "peak_gpu_memory_bytes": COUNT},
}
"""By type of event and field, the least and the most."""
MEASURED = ("seconds", "accuracy")
"""Fields that are a number wherever there is such an event."""


def of_events(events: Sequence[AnyEvent]) -> str:
    """The first number or moment of a run's events that cannot be, said so; "" where there is none."""
    for event in events:
        for name, bounds in BOUNDS_OF_EVENTS.get(event.type, {}).items():
            value = getattr(event, name)
            if fault := number_fault(name, [value], bounds):
                return fault
            if name in MEASURED and math.isnan(value):
                return f"holds the {name} nan, which is a number wherever it is one"
        if not _is_moment(event.time):
            return f"holds the time '{event.time[:40]}', which is no moment (such as 2026-01-31T12:00:00+00:00)"
    return ""


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
