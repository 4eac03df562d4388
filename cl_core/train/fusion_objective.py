"""AdapterFusion, trained by a task's loss over frozen adapters.

    loss = cross-entropy + 0.01 * sum over sites ||I - W_v||_F^2

Pfeiffer et al. 2021 (arXiv 2005.00247); I2I (arXiv 2304.02168), phase 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.fusion import FusionWeights, identity_penalty
from cl_core.train.context import TrainingContext, TrainingObjective
from cl_core.train.data import Rows, answer_loss
from cl_core.train.loop import TrainingResult


def fit_fusion(
    context: TrainingContext[Rows], start: FusionWeights, bank: Bank, regulariser: float
) -> TrainingResult[FusionWeights]:
    """Trains a fusion and a head; the adapters of the bank stay as they are.

    Args:
        context: the task's rows, and how to train.
        start: where fusion and head begin; not changed.
        bank: the adapters that are fused, on the device.
        regulariser: what the distance of W_v from the identity is multiplied with (published: 0.01).

    Raises:
        RunStopped: `context.callbacks.stop` said so.
        UserError: a loss or a weight is no longer finite.
    """
    return context.minimise(
        start, lambda weights: FusionObjective(context, weights, bank, regulariser)
    )


@dataclass
class FusionObjective(TrainingObjective[Rows]):
    """Cross-entropy of a fusion and its head, with the identity regulariser; see `fit_fusion` for the fields."""

    weights: FusionWeights
    bank: Bank
    regulariser: float

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean cross-entropy (nats) of a batch, and the regulariser."""
        train = self.context.train
        loss = answer_loss(self._logits(train, rows), train, rows)
        return loss + self.regulariser * identity_penalty(self.weights.fusion)

    def validate(self) -> tuple[float, float]:
        """Mean cross-entropy (nats), without the regulariser, and accuracy on the validation samples."""
        return self.context.judge(self._logits)

    def _logits(self, data: Rows, rows: Sequence[int]) -> Tensor:
        pooled = self.context.states(data, rows, self.weights.transforms(self.bank))
        return self.weights.head.logits(pooled)
