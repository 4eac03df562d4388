"""Lines of a comparison: the runs that differ in seed or order alone are one, with what each of them came to.

Runs of one recipe that differ in a setting are different lines, and the lines' labels say in which. What is one stream
is told by its tasks' fingerprints, never by its name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cl_core.errors import UserError, did_you_mean
from cl_core.evaluate.statistics import Summary, summarise
from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import unit_of
from cl_core.recipes.settings import flat_name
from cl_core.runs.cautions import TOLD
from cl_core.runs.published_text import backbone_titles
from cl_core.runs.run_config import RunConfig
from cl_core.runs.task_identity import TaskIdentity, identify, order_names, pooled, stream_titles


def headlines() -> list[str]:
    """The numbers that are compared where nobody says which."""
    return [metric.name for metric in METRICS.values() if metric.headline]


@dataclass(frozen=True)
class ComparedRun:
    """A finished run, as it is compared.

    Attributes:
        name: of its folder.
        config: its settings.
        numbers: all that a report has as one number, by name.
        stages: mean score (%) of the tasks seen, after each stage.
    """

    name: str
    config: RunConfig
    numbers: Mapping[str, float]
    stages: tuple[float, ...]


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
        jointly_trained: whether all tasks are learnt at once.
    """

    stream: str
    protocol: str
    recipe: str
    settings: str
    told_the_task: bool
    values: Mapping[str, Mapping[tuple[str, int], float]]
    stages: Mapping[tuple[str, int], tuple[float, ...]]
    runs: Mapping[tuple[str, int], str]
    jointly_trained: bool = False

    @property
    def label(self) -> str:
        """The recipe, and the settings in which it differs: "dam (k=1)"."""
        return f"{self.recipe} ({self.settings})" if self.settings else self.recipe

    @property
    def marked(self) -> str:
        """The label, with a mark where the task is told."""
        return f"{self.label} {TOLD}" if self.told_the_task else self.label

    @property
    def protocol_name(self) -> str:
        """Without the head rule: "cil"."""
        return self.protocol.partition("/")[0]

    @property
    def head_rule(self) -> str:
        """How heads answer together, under CIL; else ""."""
        return self.protocol.partition("/")[2]

    def summary(self, metric: str) -> Summary | None:
        """Over seeds and orders; None where the metric is defined for none of the runs."""
        return self._summaries[metric]

    @cached_property
    def _summaries(self) -> dict[str, Summary | None]:
        return {
            metric: summarise(list(numbers.values()), unit_of(metric).bounds) if numbers else None
            for metric, numbers in self.values.items()
        }


def make_lines(
    runs: Sequence[ComparedRun], metrics: Sequence[str], over_orders: bool
) -> tuple[list[Line], list[str]]:
    """The lines of finished runs, in the order in which these come.

    Args:
        runs: finished.
        metrics: names that a report has.
        over_orders: pool the orders of the same tasks into one line.

    Returns:
        The lines, and the names of runs that repeat the seed and the order of another one of their line.

    Raises:
        UserError: there is no such metric.
    """
    configs = [run.config for run in runs]
    titles = stream_titles(configs, over_orders)
    groups: dict[tuple[Any, ...], list[ComparedRun]] = {}
    for run in runs:
        groups.setdefault(_group(run.config, over_orders), []).append(run)
    settings = _settings([(key[0], members[0].config) for key, members in groups.items()])
    orders = order_names(configs) if over_orders else {}
    repeats: list[str] = []
    lines = [
        _line(members, titles[key[0]], differing, metrics, orders, repeats)
        for (key, members), differing in zip(groups.items(), settings, strict=True)
    ]
    return lines, repeats


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
        given = [str(values[name] or "none") for values in flat]
        for values, title in zip(flat, backbone_titles(given), strict=True):
            values[name] = title
    settings = []
    for (tasks, config), values in zip(lines, flat, strict=True):
        siblings = [
            other
            for (rival_tasks, rival), other in zip(lines, flat, strict=True)
            if rival.recipe.name == config.recipe.name and rival_tasks == tasks
        ]
        differ = [name for name in values if any(other[name] != values[name] for other in siblings)]
        settings.append(", ".join(f"{name}={values[name]}" for name in differ))
    return settings


def _flat(config: RunConfig) -> dict[str, Any]:
    return {
        flat_name(group, field): value
        for group, fields in config.settings.model_dump(exclude={"data"}).items()
        for field, value in fields.items()
    }


def _line(
    runs: Sequence[ComparedRun],
    stream: str,
    settings: str,
    metrics: Sequence[str],
    orders: Mapping[TaskIdentity, str],
    repeats: list[str],
) -> Line:
    """One line of its runs; the names of those that repeat another's seed and order are added to `repeats`."""
    values: dict[str, dict[tuple[str, int], float]] = {metric: {} for metric in metrics}
    stages: dict[tuple[str, int], tuple[float, ...]] = {}
    names: dict[tuple[str, int], str] = {}
    for run in runs:
        pair = orders.get(identify(run.config), ""), run.config.seed
        if (
            pair in names
        ):  # the same seed, the same numbers: counted twice, it would feign certainty
            repeats.append(run.name)
            continue
        names[pair] = run.name
        stages[pair] = run.stages
        for metric in metrics:
            if metric not in run.numbers:
                raise UserError(
                    f"there is no metric '{metric}' in run '{run.name}'; it has {', '.join(run.numbers)}."
                    f"{did_you_mean(metric, run.numbers)}"
                )
            number = run.numbers[metric] * unit_of(metric).factor
            if not math.isnan(number):
                values[metric][pair] = number
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
        first.recipe.trainer.traits.all_at_once,
    )
