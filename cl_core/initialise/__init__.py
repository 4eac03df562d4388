"""The slot *initialise*: where adapter t starts.

Listing the choices imports no torch; `INITIALISERS.load(name)` imports the class of that row only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cl_core.choices import Choice, Table
from cl_core.initialise.traits import InitialiserTraits

if TYPE_CHECKING:
    from cl_core.initialise.initialiser import Initialiser

INITIALISERS: Table[type[Initialiser], InitialiserTraits] = Table(
    slot="initialiser",
    choices=[
        Choice(
            "random",
            "cl_core.initialise.random:RandomInitialiser",
            "every adapter starts afresh from small random weights",
            "L2R (arXiv 2408.09053), I2I's vanilla adapters (arXiv 2304.02168)",
            InitialiserTraits(),
        ),
        Choice(
            "previous",
            "cl_core.initialise.previous:PreviousInitialiser",
            "a copy of the previous task's best adapter: continual initialisation",
            "DAM (arXiv 2403.08755)",
            InitialiserTraits(),
        ),
        Choice(
            "closest",
            "cl_core.initialise.closest:ClosestInitialiser",
            "a copy of the adapter of the most similar earlier task",
            "ClosestTaskInit, a baseline of I2I (arXiv 2304.02168)",
            InitialiserTraits(settings=("layer", "pooling", "parts")),
            needs=("features",),
        ),
        Choice(
            "improvised",
            "cl_core.initialise.improvised:ImprovisedInitialiser",
            "distilled from an AdapterFusion of the earlier adapters",
            "I2I (arXiv 2304.02168)",
            InitialiserTraits(improvises=True, settings=("improvise", "fusion")),
            needs=("training",),
        ),
    ],
    traits=InitialiserTraits,
)

__all__ = ["INITIALISERS"]
