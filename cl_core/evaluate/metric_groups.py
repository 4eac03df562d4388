"""The numbers of the table by what they are functions of, and those of a group computed from what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cl_core.evaluate.metric import Group, Input, Metric
from cl_core.evaluate.table import METRICS


def of_group(group: Group) -> list[Metric]:
    """The rows of a group, in order."""
    return [metric for metric in METRICS.values() if metric.group == group]


def score_names() -> tuple[str, ...]:
    """What a run keeps of every cell of its matrix."""
    return tuple(metric.name for metric in of_group("score"))


def computed(group: Group, given: Mapping[Input, Any]) -> dict[str, float]:
    """The numbers of a group whose inputs are all there; of one that is had for each sample, the mean.

    Args:
        group: of the table.
        given: inputs by name.
    """
    import numpy as np

    return {
        metric.name: float(np.mean(metric.load()(*(given[name] for name in metric.inputs))))
        for metric in of_group(group)
        if metric.inputs and given.keys() >= set(metric.inputs)
    }
