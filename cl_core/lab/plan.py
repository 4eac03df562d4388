"""The plan: what a recipe does on a stream, step by step, known before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Attributes:
        phase: compute router features, train an adapter, or fill a row of the score matrix.
        stage: 0-based stage to which it belongs: stage i is after learning task i.
        task: 0-based task; of an `evaluate` step, the task just learnt.
    """

    phase: Literal["features", "train", "evaluate"]
    stage: int
    task: int


def make_plan(tasks: int, needs_features: bool, unseen: bool = False) -> list[Step]:
    """Returns the steps in order: per task its features (where the recipe reads them), its training, its row of R.

    Args:
        tasks: number of tasks of the stream.
        needs_features: whether the router or the initialiser looks at backbone features.
        unseen: whether tasks not yet learnt are scored too; their features are then needed from the start.
    """
    plan = []
    if needs_features and unseen:
        plan += [Step("features", 0, task) for task in range(tasks)]
    for task in range(tasks):
        if needs_features and not unseen:
            plan.append(Step("features", task, task))
        plan += [Step("train", task, task), Step("evaluate", task, task)]
    return plan
