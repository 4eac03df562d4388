"""The train slot: what moves while task t is learnt."""

from cl_core.choices import Choice, Table

TRAINERS = Table(
    "trainer",
    [
        Choice(
            "isolated",
            "cl_core.train.trainers:Isolated",
            "one adapter per task, trained alone; earlier adapters never move",
            "DAM, L2R and I2I",
        ),
        Choice(
            "sequential",
            "cl_core.train.trainers:Sequential",
            "one adapter that all tasks share, trained on one task after the other; it forgets",
            "baseline",
        ),
        Choice(
            "replay",
            "cl_core.train.trainers:Replay",
            "one shared adapter that rehearses a memory of earlier tasks with every step",
            "experience replay (Chaudhry et al. 2019)",
            needs=("memory",),
        ),
        Choice(
            "ewc",
            "cl_core.train.trainers:EWC",
            "one shared adapter whose weights are held where earlier tasks need them",
            "EWC (Kirkpatrick et al. 2017)",
            needs=("fishers",),
        ),
        Choice(
            "lwf",
            "cl_core.train.trainers:LwF",
            "one shared adapter that keeps the answers of its earlier self on the new rows",
            "LwF (Li and Hoiem 2016)",
        ),
        Choice(
            "joint",
            "cl_core.train.trainers:Joint",
            "one shared adapter trained on all tasks at once: not continual, an upper bound",
            "multi-task upper bound",
        ),
    ],
)
