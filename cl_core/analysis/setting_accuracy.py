"""How accurate a run would be with another k or temperature: what was computed of it, and which settings are asked.

One artifact for each setting at each stage, keyed by all that it depends on, so that what was interrupted goes on where
it was and two grids share what they have in common. Reading needs no torch; `setting_measurement.py` works it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cl_core.errors import UserError, counted
from cl_core.evaluate.intervals import wilson_mean
from cl_core.evaluate.reweighing import TEMPERATURES
from cl_core.route import ROUTERS
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import key

KIND = "varied"
VERSION = 1
"""Raise it when the code that answers changes what comes out."""
MOST = 1000
"""Test samples that are answered under each setting, of all tasks together, unless others are asked for **(ours)**."""
MOST_K = 16
"""Values of k in a grid; of more adapters they are spread evenly in their logarithm **(ours)**."""


@dataclass(frozen=True)
class RoutingSetting:
    """How many adapters a sample gets, and tau."""

    k: int
    temperature: float


@dataclass(frozen=True)
class SettingAccuracy:
    """What comes of one setting after one stage.

    Attributes:
        setting: the setting.
        accuracy: of each task learnt by the stage, 0 to 1.
        samples: of each task that were answered.
        of: samples of each task that there are.
    """

    setting: RoutingSetting
    accuracy: tuple[float, ...]
    samples: tuple[int, ...]
    of: tuple[int, ...]

    @property
    def mean(self) -> float:
        """mean_j R[t, j]: every task counts alike, as in the average accuracy of a run."""
        return float(np.mean(self.accuracy))

    @property
    def interval(self) -> tuple[float, float]:
        """Of the mean, see `wilson_mean`."""
        return wilson_mean(self.accuracy, self.samples)


def setting_of(run: RunFolder, stage: int) -> RoutingSetting:
    """The run's own after a stage, from 1; a k above the number of adapters gives all of them.

    Raises:
        UserError: k and temperature do not weigh the run's adapters.
    """
    config = run.config
    if not config.recipe.ranks:
        ranking = [n for n, row in ROUTERS.items() if row.traits.weights == "soft top-k"]
        raise UserError(
            f"run '{run.name}' (recipe '{config.recipe.name}') does not weigh its adapters by k and temperature; "
            f"recipes whose slot 'route' is {' or '.join(ranking)} do"
        )
    router = config.settings.router
    return RoutingSetting(min(router.k, stage), router.temperature)


def grid(run: RunFolder, stage: int) -> tuple[list[RoutingSetting], list[RoutingSetting]]:
    """Every k at the run's temperature, and temperatures at the run's k; both have the run's own.

    Args:
        run: a run whose router ranks.
        stage: from 1, with as many adapters.
    """
    of_run = setting_of(run, stage)
    ks = set(range(1, stage + 1))
    if stage > MOST_K:
        ks = {round(float(k)) for k in np.geomspace(1, stage, MOST_K)} | {of_run.k}
    taus = sorted({*TEMPERATURES, of_run.temperature})
    return (
        [RoutingSetting(k, of_run.temperature) for k in sorted(ks)],
        [RoutingSetting(of_run.k, tau) for tau in taus],
    )


def shares(counts: Sequence[int], most: int) -> list[int]:
    """How many samples of each task are answered: the same number of all, and all of a task that has fewer.

    Args:
        counts: samples of each task.
        most: in all; every task has one at least.
    """
    taken, left = [0] * len(counts), most
    smallest_first = sorted(range(len(counts)), key=lambda task: counts[task])
    for done, task in enumerate(smallest_first):
        taken[task] = min(counts[task], max(1, left // (len(counts) - done)))
        left -= taken[task]
    return taken


def samples_of(run: RunFolder, stage: int) -> list[int]:
    """Scored samples of each task learnt by a stage."""
    split = run.config.settings.evaluate.split
    return [task.rows[split] for task in run.config.tasks[:stage]]


def inputs_of(run: RunFolder, stage: int, setting: RoutingSetting, most: int) -> dict[str, Any]:
    """Everything that the accuracies under a setting depend on.

    Raises:
        UserError: the run has not come to the stage.
    """
    config, names = run.config, run.artifacts()
    tasks = [task.name for task in config.tasks[:stage]]
    wanted = [f"adapter/{task}" for task in tasks] + [f"router/{stage}"]
    if not 1 <= stage <= len(config.tasks) or any(name not in names for name in wanted):
        raise UserError(
            f"run '{run.name}' has no router of stage {stage}; it has {counted(len(config.tasks), 'task')} and "
            f"is {run.status}"
        )
    settings, at_stage = config.settings, f"states/{stage}/"
    ours = set(tasks)
    states = sorted(
        key
        for name, key in names.items()
        if name.startswith(at_stage) and name.split("/")[2] in ours
    )
    return {
        "version": VERSION,
        "adapters": [names[name] for name in wanted[:-1]],
        "router": names[wanted[-1]],
        # What the run's own answers were read from: backbone, data, batches and composition are part of these keys.
        "states": states,
        "data": [task.fingerprint for task in config.tasks[:stage]],
        "labels": [list(task.labels) for task in config.tasks[:stage]],
        "label_space": len(config.label_space),
        "protocol": config.protocol,
        "rule": config.head_rule,
        "route": config.recipe.route,
        "compose": config.recipe.compose,
        "own": settings.router.model_dump(mode="json"),
        "merging": settings.merging.model_dump(mode="json"),
        "answers": settings.answers.model_dump(mode="json"),
        "evaluate": [settings.evaluate.split, settings.evaluate.eval_batch_size],
        "samples": shares(samples_of(run, stage), most),
        "k": min(setting.k, stage),
        "temperature": setting.temperature,
    }


def read(
    workspaces: Sequence[Workspace],
    run: RunFolder,
    stage: int,
    setting: RoutingSetting,
    most: int = MOST,
) -> SettingAccuracy | None:
    """What was computed before, from the first workspace that has it; None where none has.

    Args:
        workspaces: where to look.
        run: whose.
        stage: from 1.
        setting: k and temperature.
        most: samples, of all tasks together.

    Raises:
        UserError: the run has not come to the stage.
    """
    accuracy_key = key(KIND, inputs_of(run, stage, setting, most))
    for workspace in workspaces:
        artifact = workspace.store.read(KIND, accuracy_key)
        if artifact is not None:
            return accuracy_of(setting, artifact.data)
    return None


def accuracy_of(setting: RoutingSetting, data: Any) -> SettingAccuracy:
    """An artifact's data."""
    return SettingAccuracy(
        setting,
        tuple(float(number) for number in data["accuracy"]),
        tuple(int(number) for number in data["samples"]),
        tuple(int(number) for number in data["of"]),
    )
