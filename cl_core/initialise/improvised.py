"""I2I's initialisation: improvise with the old adapters, distil what comes of it into the new one."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import ClassVar

import torch
from torch import Tensor


class ImprovisedInitialiser:
    """Adapter k starts where the distilled AdapterFusion of adapters 1..k-1 ends (I2I, arXiv 2304.02168).

    k = 1: at random.  k = 2: a byte copy of adapter 1, whose head alone was trained on task 2.
    k >= 3: distilled from a fusion, which is then discarded. The phases are in `cl_core.train.i2i_objectives`.
    """

    version: ClassVar[int] = 1

    def parent(self, task: int, centroids: Tensor | None = None) -> int | None:
        """Returns the only earlier adapter for the second task, else None: there is none, or there are several."""
        return 0 if task == 1 else None


def draw_share(labels: Sequence[int], share: float, generator: torch.Generator) -> list[int]:
    """Row numbers, ascending: floor(share * n) of them, uniformly without replacement, and one a class at least.

    "At least one sample per class" is **(ours)**: classes that the draw missed get their first row in the
    draw's order, beyond the share.

    Args:
        labels: n class labels.
        share: 0 < share <= 1.
        generator: on the CPU.
    """
    order = torch.randperm(len(labels), generator=generator).tolist()
    # 0.05 * 100 is 5.000000000000001 less or more, by the machine's arithmetic.
    wanted = floor(round(share * len(labels), 9))
    drawn = order[:wanted]
    seen = {labels[row] for row in drawn}
    for row in order[wanted:]:
        if labels[row] not in seen:
            seen.add(labels[row])
            drawn.append(row)
    return sorted(drawn)
