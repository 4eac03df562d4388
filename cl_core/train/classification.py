"""One task's adapter and head, trained by cross-entropy on its labels; nothing else moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from cl_core.adapters.adapter import transforms
from cl_core.adapters.task_weights import TaskWeights
from cl_core.train.context import TrainingContext, TrainingObjective
from cl_core.train.data import Rows, answer_loss, balanced_class_weights
from cl_core.train.loop import TrainingResult


def fit(
    context: TrainingContext[Rows], start: TaskWeights, dropout: float
) -> TrainingResult[TaskWeights]:
    """Trains one task's adapter and head.

    Args:
        context: the task's rows, and how to train.
        start: where the adapter and the head begin; not changed.
        dropout: probability of dropping a bottleneck's hidden unit while training.

    Raises:
        RunStopped: `context.callbacks.stop` said so.
        UserError: a loss or a weight is no longer finite.
    """
    return context.minimise(start, lambda weights: Classification(context, weights, dropout))


@dataclass
class Classification(TrainingObjective[Rows]):
    """Cross-entropy of one adapter and its head; see `fit` for the fields."""

    weights: TaskWeights
    dropout: float

    def __post_init__(self) -> None:
        self._class_weights = None
        context = self.context
        if context.settings.class_weights == "balanced":
            classes = self.weights.head.bias.shape[0]
            weights = balanced_class_weights(context.train.labels, classes)
            self._class_weights = weights.to(context.device.torch_device)

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean cross-entropy (nats) of a batch."""
        logits = self._logits(self.context.train, rows, self.dropout)
        return answer_loss(logits, self.context.train, rows, self._class_weights)

    def validate(self) -> tuple[float, float]:
        """Mean cross-entropy (nats) and accuracy on the validation samples."""
        return self.context.judge(self._logits)

    def _logits(self, data: Rows, rows: Sequence[int], dropout: float = 0.0) -> Tensor:
        here = transforms(self.weights.adapter, dropout)
        return self.weights.head.logits(self.context.states(data, rows, here))
