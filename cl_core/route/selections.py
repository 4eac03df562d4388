"""Which selections of a memory there are; `memory.py` has them. Listing them imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from cl_core.choices import Choice, Table

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Selection: TypeAlias = (
    "Callable[[Tensor, int, Tensor | None, Tensor | None, torch.Generator], list[int]]"
)
"""(labels, n, features, uncertainty, generator) -> rows."""

MEMORIES: Table[Selection, None] = Table(
    slot="memory selection",
    choices=[
        Choice(
            "random",
            "cl_core.route.memory:random_rows",
            "samples drawn uniformly, without replacement",
            "L2R (arXiv 2408.09053)",
            None,
        ),
        Choice(
            "balanced",
            "cl_core.route.memory:balanced_rows",
            "as many samples of every class, drawn at random within it",
            "GDumb (Prabhu et al. 2020)",
            None,
        ),
        Choice(
            "herding",
            "cl_core.route.memory:herded_rows",
            "class by class, the samples whose running mean stays nearest to the class mean",
            "iCaRL (arXiv 1611.07725), algorithm 4",
            None,
            needs=("features",),
        ),
        Choice(
            "k-centre",
            "cl_core.route.memory:k_centre_rows",
            "each next sample is the one farthest from all samples kept so far",
            "Sener and Savarese 2018 (arXiv 1708.00489), algorithm 1",
            None,
            needs=("features",),
        ),
        Choice(
            "uncertainty",
            "cl_core.route.memory:uncertain_rows",
            "class by class, the samples that the task's own model is least sure of",
            "uncertainty sampling (Lewis and Gale 1994)",
            None,
            needs=("training",),
        ),
    ],
    traits=type(None),
)
"""How rows are chosen; what needs "training" asks the task's own model how sure it is."""
