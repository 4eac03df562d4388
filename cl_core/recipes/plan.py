"""The plan: what a recipe does on a stream, step by step, known before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PhaseName = Literal["features", "improvise", "initialise", "train", "fuse", "routers", "evaluate"]

LONG = 5
"""Streams of more tasks train L2R's routers once, after the last task, unless told otherwise **(ours)**."""


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Attributes:
        phase: compute router features; I2I's phases 1 and 2; train an adapter; train its AdapterFusion; train L2R's
            routers; fill a row of the score matrix.
        stage: 0-based stage to which it belongs: stage i is after learning task i.
        task: 0-based task; of a step about all tasks so far, the one just learnt.
    """

    phase: PhaseName
    stage: int
    task: int


@dataclass(frozen=True)
class Needs:
    """What a recipe asks of a plan.

    Attributes:
        features: the router or the initialiser looks at backbone features.
        unseen: tasks not yet learnt are scored too; their features are then needed from the start.
        improvises: adapters from the second task on start from I2I's phases 1 and 2.
        fuses: every task from the second on trains an AdapterFusion.
        routers: routers are trained on the memory before a stage is scored.
        at_once: all tasks are learnt together, after the last one has come.
        every_stage: whether every stage is scored, or the last alone.
    """

    features: bool = False
    unseen: bool = False
    improvises: bool = False
    fuses: bool = False
    routers: bool = False
    at_once: bool = False
    every_stage: bool = True


def make_plan(tasks: int, needs: Needs) -> list[Step]:
    """Returns the steps in order: per task its features, its training, and its row of R where that is scored.

    Args:
        tasks: number of tasks of the stream.
        needs: of the recipe.
    """
    plan = []
    last = tasks - 1
    if needs.features and needs.unseen:
        plan += [Step("features", 0, task) for task in range(tasks)]
    for task in range(tasks):
        if needs.features and not needs.unseen:
            plan.append(Step("features", task, task))
        if needs.improvises and task > 0:
            plan += [Step("improvise", task, task), Step("initialise", task, task)]
        if task == last or not needs.at_once:
            plan.append(Step("train", task, task))
        if needs.fuses and task > 0:
            plan.append(Step("fuse", task, task))
        if task == last or (needs.every_stage and not needs.at_once):
            if needs.routers:
                plan.append(Step("routers", task, task))
            plan.append(Step("evaluate", task, task))
    return plan
