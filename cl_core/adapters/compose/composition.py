"""What a composition is: it makes one function per site of the weights and the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from cl_core.adapters.adapter import Transform
    from cl_core.adapters.bank import Bank
    from cl_core.adapters.settings import MergeSettings


class Composition(Protocol):
    """One choice of the slot *compose* that weights carry out; what it is beside, its row says (`traits.py`)."""

    def __call__(
        self,
        bank: Bank,
        weights: Tensor,
        path: str | None = None,
        *,
        settings: MergeSettings | None = None,
        fishers: Bank | None = None,
    ) -> dict[str, Transform]:
        """For each site name, a function (B, T, d) -> (B, T, d).

        Args:
            bank: K adapters.
            weights: (B, K).
            path: which of several exact ways to compute it; None chooses, or there is one way.
            settings: of the merges; None for the defaults. Compositions without settings do not read it.
            fishers: in the bank's shape, for merges that need them; others do not read it.

        Raises:
            UserError: it needs Fishers and there are none.
            ValueError: weights or fishers of another shape, or no such path.
        """
        ...
