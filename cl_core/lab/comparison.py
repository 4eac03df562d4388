"""Recipes side by side: finished runs that differ in seed or order alone are one line.

Runs of one recipe that differ in a setting are different lines, and the lines' labels say in which. Differences between
lines are paired: on the same stream, order and seed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cl_core.errors import UserError, did_you_mean
from cl_core.evaluate.statistics import (
    PairedDifference,
    Summary,
    paired_difference,
    summarise,
)
from cl_core.lab.report import Report
from cl_core.lab.run_settings import flat_name
from cl_core.lab.workspace import RunConfig, RunFolder

SHARES = (
    "average_accuracy",
    "average_incremental",
    "backward_transfer",
    "forgetting",
    "forward_transfer",
    "router_accuracy",
    "top_k_recall",
)
"""Metrics that are shares of 1; tables show them in per cent."""

DEFAULT_METRICS = ("average_accuracy", "forgetting", "router_accuracy")
_ORDER = re.compile(r"-(order\d+)$")


@dataclass(frozen=True)
class Line:
    """One recipe on one stream.

    Attributes:
        stream: its name; without the order where orders are pooled.
        protocol: with the head rule, "cil/compose".
        label: the recipe, and the settings in which it differs from other lines of the same recipe.
        values: metric -> (order, seed) -> number, in per cent where it is a share.
        stages: (order, seed) -> mean score (%) of the tasks seen, after each stage.
    """

    stream: str
    protocol: str
    label: str
    values: Mapping[str, Mapping[tuple[str, int], float]]
    stages: Mapping[tuple[str, int], tuple[float, ...]]

    def summary(self, metric: str) -> Summary | None:
        """Over seeds and orders; None where the metric is defined for none of the runs."""
        known = list(self.values[metric].values())
        return summarise(known) if known else None


@dataclass(frozen=True)
class Difference:
    """How far a line is ahead of the reference, on the same orders and seeds."""

    stream: str
    label: str
    metric: str
    difference: PairedDifference


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        metrics: the columns.
        score: which score the matrix metrics are of: "accuracy", "weighted_f1" or "macro_f1".
        lines: by stream, in the order in which the runs came.
        against: the reference, or None.
        differences: of every line from the reference of its stream.
        left_out: names of runs that are not finished.
    """

    metrics: tuple[str, ...]
    score: str
    lines: tuple[Line, ...]
    against: str | None
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]


def compare(
    runs: Sequence[RunFolder],
    metrics: Sequence[str] = DEFAULT_METRICS,
    against: str | None = None,
    over_orders: bool = False,
    score: str = "accuracy",
) -> Comparison:
    """Puts finished runs side by side.

    Args:
        runs: any; those not finished are left out and named.
        metrics: names that a report has: of the matrix, the router, I2I's phases, the cost.
        against: a recipe's name or a line's label; every other line is compared with it.
        over_orders: pool the orders of a stream ("mtl5", "mtl5-order2", ...) into one line.
        score: "accuracy", "weighted_f1" or "macro_f1".

    Raises:
        UserError: nothing is finished, or there is no such metric or reference.
    """
    finished = [run for run in runs if run.status == "finished"]
    left_out = tuple(run.name for run in runs if run not in finished)
    if not finished:
        raise UserError(f"none of the {len(runs)} runs is finished; nothing can be compared")
    groups: dict[tuple[Any, ...], list[RunFolder]] = {}
    for run in finished:
        groups.setdefault(_group(run.config, over_orders), []).append(run)
    labels = _labels([members[0].config for members in groups.values()])
    lines = tuple(
        _line(members, label, metrics, over_orders, score)
        for members, label in zip(groups.values(), labels, strict=True)
    )
    differences = () if against is None else tuple(_differences(lines, against, metrics))
    return Comparison(tuple(metrics), score, lines, against, differences, left_out)


def stream_and_order(config: RunConfig, over_orders: bool) -> tuple[str, str]:
    """("mtl5", "order2") of the stream "mtl5-order2" where orders are pooled; else the stream itself and ""."""
    found = _ORDER.search(config.stream_name)
    if not over_orders:
        return config.stream_name, ""
    if found is None:
        return config.stream_name, "order1"
    return config.stream_name[: found.start()], found.group(1)


def _group(config: RunConfig, over_orders: bool) -> tuple[Any, ...]:
    """What runs of one line agree in."""
    stream, _ = stream_and_order(config, over_orders)
    slots = config.recipe.model_dump(include={"name", "initialise", "train", "route", "compose"})
    settings = config.settings.model_dump_json()
    return stream, config.protocol_with_rule, *slots.values(), settings


def _labels(configs: Sequence[RunConfig]) -> list[str]:
    """Recipe names, with the settings in which lines of one recipe differ."""
    flat = [_flat(config) for config in configs]
    labels = []
    for config, own in zip(configs, flat, strict=True):
        kin = [
            other
            for each, other in zip(configs, flat, strict=True)
            if each.recipe.name == config.recipe.name
        ]
        differ = [name for name in own if any(other[name] != own[name] for other in kin)]
        extra = ", ".join(f"{name}={own[name]}" for name in differ)
        labels.append(f"{config.recipe.name} ({extra})" if extra else config.recipe.name)
    return labels


def _flat(config: RunConfig) -> dict[str, Any]:
    return {
        flat_name(group, field): value
        for group, fields in config.settings.model_dump().items()
        for field, value in fields.items()
    }


def _line(
    runs: Iterable[RunFolder], label: str, metrics: Sequence[str], over_orders: bool, score: str
) -> Line:
    values: dict[str, dict[tuple[str, int], float]] = {metric: {} for metric in metrics}
    stages: dict[tuple[str, int], tuple[float, ...]] = {}
    first: RunConfig | None = None
    for run in runs:
        first = first or run.config
        _, order = stream_and_order(run.config, over_orders)
        report = Report(run, score)
        numbers = _numbers(report)
        seen = [100 * float(row[: i + 1].mean()) for i, row in enumerate(report.matrix)]
        stages.setdefault((order, run.config.seed), tuple(seen))
        for metric in metrics:
            if metric not in numbers:
                raise UserError(
                    f"there is no metric '{metric}' in run '{run.name}'; it has {', '.join(numbers)}."
                    f"{did_you_mean(metric, numbers)}"
                )
            number = numbers[metric] * (100 if metric in SHARES else 1)
            # Two runs of one seed have the same numbers; the first stands.
            if not math.isnan(number):
                values[metric].setdefault((order, run.config.seed), number)
    assert first is not None  # noqa: S101 - a group has a run
    stream, _ = stream_and_order(first, over_orders)
    return Line(stream, first.protocol_with_rule, label, values, stages)


def _numbers(report: Report) -> dict[str, float]:
    """Everything that a report has as one number; NaN where it is not defined for the run."""
    missing = dict.fromkeys(
        (
            *DEFAULT_METRICS,
            "top_k_recall",
            "knowledge_transfer",
            "distillation_decay",
            "phase3_gain",
        ),
        math.nan,
    )
    return {**missing, **report.transfer, **report.router, **report.improvised, **report.cost}


def _differences(
    lines: Sequence[Line], against: str, metrics: Sequence[str]
) -> Iterable[Difference]:
    known = [line.label for line in lines]
    names = [line for line in lines if against in (line.label, line.label.partition(" (")[0])]
    if not names:
        raise UserError(
            f"no line is called '{against}'; there are {', '.join(dict.fromkeys(known))}."
            f"{did_you_mean(against, known)}"
        )
    for line in lines:
        # Recipes may answer by different head rules; the protocol must be the same.
        rivals = [
            each
            for each in names
            if each.stream == line.stream
            and each.protocol.partition("/")[0] == line.protocol.partition("/")[0]
        ]
        if not rivals or line in names:
            continue
        if len(rivals) > 1:
            raise UserError(
                f"'{against}' is {len(rivals)} lines of stream '{line.stream}': "
                f"{'; '.join(each.label for each in rivals)}; give one of these"
            )
        for metric in metrics:
            mine, theirs = line.values[metric], rivals[0].values[metric]
            if mine.keys() & theirs.keys():
                gap = paired_difference(mine, theirs)
                yield Difference(line.stream, line.label, metric, gap)
