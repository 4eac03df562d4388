"""Recipes side by side: finished runs that differ in seed or order alone are one line.

Runs of one recipe that differ in a setting are different lines, and the lines' labels say in which. What is one stream
is told by its tasks' fingerprints, never by its name. Differences between lines are paired: on the same tasks, order
and seed. Lines that are told the true task of every sample stand last: they are upper bounds, not rivals.
"""

from __future__ import annotations

import math
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
from cl_core.evaluate.units import unit_of
from cl_core.lab.cautions import TOLD
from cl_core.lab.publishing import backbone_titles
from cl_core.lab.report import PHASES, Report
from cl_core.lab.run_settings import flat_name
from cl_core.lab.task_identity import TaskIdentity, identify, order_names, pooled, stream_titles
from cl_core.lab.workspace import RunConfig, RunFolder

DEFAULT_METRICS = ("average_accuracy", "forgetting", "router_accuracy")


@dataclass(frozen=True)
class Line:
    """One recipe on one stream.

    Attributes:
        stream: what its tasks are called; other tasks of that name are called otherwise.
        protocol: with the head rule, "cil/compose".
        recipe: its name.
        settings: in which it differs from other lines of the same recipe, "k=1, limit=60"; "" where there is none.
        told_the_task: whether the router is told the true task of every sample.
        values: metric -> (order, seed) -> number, in the unit that it is shown in.
        stages: (order, seed) -> mean score (%) of the tasks seen, after each stage.
        runs: (order, seed) -> the run's name.
    """

    stream: str
    protocol: str
    recipe: str
    settings: str
    told_the_task: bool
    values: Mapping[str, Mapping[tuple[str, int], float]]
    stages: Mapping[tuple[str, int], tuple[float, ...]]
    runs: Mapping[tuple[str, int], str]

    @property
    def label(self) -> str:
        """The recipe, and the settings in which it differs: "dam (k=1)"."""
        return f"{self.recipe} ({self.settings})" if self.settings else self.recipe

    @property
    def marked(self) -> str:
        """The label, with a mark where the task is told."""
        return f"{self.label} {TOLD}" if self.told_the_task else self.label

    @property
    def head_rule(self) -> str:
        """How heads answer together, under CIL; else ""."""
        return self.protocol.partition("/")[2]

    def summary(self, metric: str) -> Summary | None:
        """Over seeds and orders; None where the metric is defined for none of the runs."""
        known = list(self.values[metric].values())
        return summarise(known, unit_of(metric).bounds) if known else None


@dataclass(frozen=True)
class Difference:
    """How far a line is ahead of the reference, on the same orders and seeds.

    Attributes:
        line: which.
        reference: from which.
        metric: of what.
        difference: in the unit that differences of it are shown in.
    """

    line: Line
    reference: Line
    metric: str
    difference: PairedDifference

    @property
    def stream(self) -> str:
        """Of both."""
        return self.line.stream

    @property
    def label(self) -> str:
        """Of the line that is ahead or behind."""
        return self.line.label


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        metrics: the columns.
        score: which score the matrix metrics are of: "accuracy", "weighted_f1" or "macro_f1".
        lines: by stream, in the order in which the runs came; of each stream those last that are told the task.
        against: the reference, or None.
        differences: of every line from the reference of its stream.
        left_out: names of runs that are not finished, each with what it is and, where it failed, what it said.
        repeats: names of runs that repeat the seed and the order of another one of their line, which counts.
    """

    metrics: tuple[str, ...]
    score: str
    lines: tuple[Line, ...]
    against: str | None
    differences: tuple[Difference, ...]
    left_out: Mapping[str, str]
    repeats: tuple[str, ...] = ()

    @property
    def streams(self) -> list[str]:
        """What the lines' tasks are called, each once."""
        return list(dict.fromkeys(line.stream for line in self.lines))

    @property
    def runs(self) -> int:
        """How many runs the lines rest on."""
        return sum(len(line.runs) for line in self.lines)

    def of(self, stream: str, metrics: Sequence[str] | None = None) -> Comparison:
        """The lines of one stream alone, with these columns.

        Args:
            stream: what its tasks are called.
            metrics: some of the columns; None for all.
        """
        columns = self.metrics if metrics is None else tuple(metrics)
        return Comparison(
            columns,
            self.score,
            tuple(line for line in self.lines if line.stream == stream),
            self.against,
            tuple(
                each
                for each in self.differences
                if each.stream == stream and each.metric in columns
            ),
            self.left_out,
            self.repeats,
        )


def compare(
    runs: Sequence[RunFolder],
    metrics: Sequence[str] = DEFAULT_METRICS,
    against: str | None = None,
    over_orders: bool = False,
    score: str = "accuracy",
) -> Comparison:
    """Puts finished runs side by side; each counts, however many there are.

    Args:
        runs: any; those not finished are left out and named.
        metrics: names that a report has: of the matrix, the router, I2I's phases, the cost.
        against: a recipe's name or a line's label; every other line is compared with it.
        over_orders: pool the orders of the same tasks ("mtl5", "mtl5-order2", ...) into one line.
        score: "accuracy", "weighted_f1" or "macro_f1".

    Raises:
        UserError: nothing is finished, or there is no such metric or reference.
    """
    finished = [run for run in runs if run.status == "finished"]
    left_out = {run.name: _ending(run) for run in runs if run not in finished}
    if not finished:
        whole = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise UserError(
            f"none of the {len(runs)} runs is finished; nothing can be compared ({whole})"
        )
    titles = stream_titles([run.config for run in finished], over_orders)
    groups: dict[tuple[Any, ...], list[RunFolder]] = {}
    for run in finished:
        groups.setdefault(_group(run.config, over_orders), []).append(run)
    settings = _settings([(key[0], members[0].config) for key, members in groups.items()])
    orders = order_names([run.config for run in finished]) if over_orders else {}
    repeats: list[str] = []
    lines = [
        _line(members, titles[key[0]], own, metrics, orders, score, repeats)
        for (key, members), own in zip(groups.items(), settings, strict=True)
    ]
    streams = list(dict.fromkeys(line.stream for line in lines))
    ordered = tuple(
        sorted(lines, key=lambda line: (streams.index(line.stream), line.told_the_task))
    )
    differences = () if against is None else tuple(_differences(ordered, against, metrics))
    return Comparison(
        tuple(metrics), score, ordered, against, differences, left_out, tuple(repeats)
    )


def _ending(run: RunFolder) -> str:
    """ "failed: ValueError: ..." in one line."""
    return ": ".join(filter(None, (run.status, " ".join(run.failure.split()))))


def _group(config: RunConfig, over_orders: bool) -> tuple[Any, ...]:
    """What runs of one line agree in; how the data were limited is in the tasks' fingerprints."""
    slots = config.recipe.model_dump(include={"name", "initialise", "train", "route", "compose"})
    settings = config.settings.model_dump_json(exclude={"data"})
    tasks = pooled(identify(config), over_orders)
    return tasks, config.protocol_with_rule, *slots.values(), settings


def _settings(lines: Sequence[tuple[TaskIdentity, RunConfig]]) -> list[str]:
    """The settings in which lines of one recipe on the same tasks differ, for each line."""
    flat = [_flat(config) for _, config in lines]
    for name in ("backbone", "vision"):  # folders of this machine, which tables are no place for
        given = [str(each[name] or "none") for each in flat]
        for each, title in zip(flat, backbone_titles(given), strict=True):
            each[name] = title
    settings = []
    for (tasks, config), own in zip(lines, flat, strict=True):
        kin = [
            other
            for (theirs, each), other in zip(lines, flat, strict=True)
            if each.recipe.name == config.recipe.name and theirs == tasks
        ]
        differ = [name for name in own if any(other[name] != own[name] for other in kin)]
        settings.append(", ".join(f"{name}={own[name]}" for name in differ))
    return settings


def _flat(config: RunConfig) -> dict[str, Any]:
    return {
        flat_name(group, field): value
        for group, fields in config.settings.model_dump(exclude={"data"}).items()
        for field, value in fields.items()
    }


def _line(
    runs: Sequence[RunFolder],
    stream: str,
    settings: str,
    metrics: Sequence[str],
    orders: Mapping[TaskIdentity, str],
    score: str,
    repeats: list[str],
) -> Line:
    """One line of its runs; the names of those that repeat another's seed and order are added to `repeats`."""
    values: dict[str, dict[tuple[str, int], float]] = {metric: {} for metric in metrics}
    stages: dict[tuple[str, int], tuple[float, ...]] = {}
    names: dict[tuple[str, int], str] = {}
    for run in runs:
        place = orders.get(identify(run.config), ""), run.config.seed
        if (
            place in names
        ):  # the same seed is the same numbers: counted twice, it would feign certainty
            repeats.append(run.name)
            continue
        names[place] = run.name
        report = Report(run, score)
        numbers = _numbers(report)
        stages[place] = tuple(
            100 * float(row[: i + 1].mean()) for i, row in enumerate(report.matrix)
        )
        for metric in metrics:
            if metric not in numbers:
                raise UserError(
                    f"there is no metric '{metric}' in run '{run.name}'; it has {', '.join(numbers)}."
                    f"{did_you_mean(metric, numbers)}"
                )
            number = numbers[metric] * unit_of(metric).factor
            if not math.isnan(number):
                values[metric][place] = number
    first = runs[0].config
    return Line(
        stream,
        first.protocol_with_rule,
        first.recipe.name,
        settings,
        first.recipe.told_the_task,
        values,
        stages,
        names,
    )


def _numbers(report: Report) -> dict[str, float]:
    """Everything that a report has as one number; NaN where it is not defined for the run."""
    missing = dict.fromkeys(
        (
            *DEFAULT_METRICS,
            "top_k_recall",
            "entropy",
            "margin",
            "expected_calibration_error",
            "knowledge_transfer",
            "distillation_decay",
            "phase3_gain",
            *PHASES,
        ),
        math.nan,
    )
    return {**missing, **report.transfer, **report.router, **report.improvised, **report.cost}


def _differences(
    lines: Sequence[Line], against: str, metrics: Sequence[str]
) -> Iterable[Difference]:
    known = [line.label for line in lines]
    names = [line for line in lines if against in (line.label, line.recipe)]
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
                gap = paired_difference(mine, theirs, unit_of(metric).bounds)
                yield Difference(line, rivals[0], metric, gap)
