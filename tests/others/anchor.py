"""L2-SP: the shared adapter is pulled back to where the last task left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from cl_core.train.shared_objective import SharedWeights
from cl_core.train.trainers import Earlier


@dataclass(frozen=True)
class Pull:
    """strength / 2 sum_i (theta_i - theta'_i)^2 over the adapter."""

    before: SharedWeights
    strength: float

    def value(self, weights: SharedWeights, rows: Sequence[int], pooled: Tensor) -> Tensor:
        """A number, differentiable in the weights."""
        pairs = zip(
            weights.adapter.parameters(),
            self.before.adapter.to(pooled.device).parameters(),
            strict=True,
        )
        total = sum(((now - then) ** 2).sum() for now, then in pairs)
        assert isinstance(total, Tensor)
        return self.strength / 2 * total


class Anchor:
    """Sequential training under a pull back."""

    def penalty(self, earlier: Earlier) -> Pull:
        """The pull towards the weights of the stage before."""
        return Pull(earlier.weights.clone(), earlier.baselines.ewc_lambda)
