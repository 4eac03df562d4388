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
    ],
)
