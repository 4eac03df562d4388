"""The train slot: what moves while task t is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cl_core.choices import Choice, Table
from cl_core.train.traits import TrainerTraits, one_adapter

if TYPE_CHECKING:
    from cl_core.train.trainers import Trainer

TRAINERS: Table[type[Trainer], TrainerTraits] = Table(
    "trainer",
    [
        Choice(
            "isolated",
            "cl_core.train.trainers:IsolatedTrainer",
            "one adapter per task, trained alone; earlier adapters never move",
            "DAM, L2R and I2I",
            TrainerTraits("one per task", "chain"),
        ),
        Choice(
            "sequential",
            "cl_core.train.trainers:SequentialTrainer",
            "one adapter that all tasks share, trained on one task after the other; it forgets",
            "baseline",
            one_adapter("chain"),
        ),
        Choice(
            "replay",
            "cl_core.train.trainers:ReplayTrainer",
            "one shared adapter that rehearses a memory of earlier tasks with every step",
            "experience replay (Chaudhry et al. 2019)",
            one_adapter(),
            needs=("memory",),
        ),
        Choice(
            "ewc",
            "cl_core.train.trainers:EWCTrainer",
            "one shared adapter whose weights are held where earlier tasks need them",
            "EWC (Kirkpatrick et al. 2017)",
            one_adapter(settings=("ewc_lambda", "fisher_rows")),
            needs=("fishers",),
        ),
        Choice(
            "lwf",
            "cl_core.train.trainers:LwFTrainer",
            "one shared adapter that keeps the answers of its earlier self on the new samples",
            "LwF (Li and Hoiem 2016)",
            one_adapter(settings=("lwf_lambda", "lwf_temperature")),
        ),
        Choice(
            "joint",
            "cl_core.train.trainers:JointTrainer",
            "one shared adapter trained on all tasks at once: not continual, what one adapter can learn",
            "multi-task training",
            one_adapter(start="random", all_at_once=True),
        ),
    ],
    traits=TrainerTraits,
)

__all__ = ["TRAINERS"]
