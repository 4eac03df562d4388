"""What every objective is given: a frozen backbone, rows to learn from, rows that judge, and how to train."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from torch import Tensor

from cl_core.adapters.adapter import Transform
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.data import MixedRows, Rows
from cl_core.train.divergence import UNNAMED, DivergenceReport
from cl_core.train.loop import Objective, TrainingCallbacks, TrainingResult, optimise
from cl_core.train.passes import mean_cross_entropy, pooled_states
from cl_core.train.settings import TrainSettings
from cl_core.train.weights import Weights

R = TypeVar("R", Rows, MixedRows)
W = TypeVar("W", bound=Weights)


@dataclass(frozen=True)
class TrainingContext(Generic[R]):
    """What is learnt from, and how.

    Attributes:
        backbone: frozen; nothing moves in it.
        train: rows to learn from.
        validation: rows that choose the best epoch.
        settings: optimiser, schedule, stopping, and what heads read of the last layer.
        device: where, and in which precision.
        seed: of the order of rows, and of whatever else is drawn.
        checkpoints: where mid-task checkpoints go; None keeps none.
        callbacks: progress out, stop requests in; None is told nothing and never stops.
        divergence: what an error calls this training and its settings.

    Raises:
        ValueError: there are no training or no validation samples.
    """

    backbone: Backbone
    train: R
    validation: R
    settings: TrainSettings
    device: Device
    seed: int
    checkpoints: Checkpoints | None = None
    callbacks: TrainingCallbacks | None = None
    divergence: DivergenceReport = UNNAMED

    def __post_init__(self) -> None:
        if len(self.train) == 0 or len(self.validation) == 0:
            raise ValueError(
                f"{len(self.train)} training and {len(self.validation)} validation samples; both are needed"
            )

    def minimise(
        self,
        start: W,
        objective: Callable[[W], Objective],
        best_by: Literal["accuracy", "loss"] = "accuracy",
    ) -> TrainingResult[W]:
        """Trains a copy of the weights on an objective made from it; see `optimise`.

        Raises:
            RunStopped: `callbacks.stop` said so.
            UserError: a loss or a weight is no longer finite.
        """
        return optimise(
            start,
            objective,
            self.settings,
            self.device,
            self.seed,
            self.checkpoints,
            self.callbacks,
            best_by,
            self.divergence,
        )

    def states(self, data: R, rows: Sequence[int], transforms: Mapping[str, Transform]) -> Tensor:
        """(B, d) what heads read of some rows under the transforms."""
        pooling = self.settings.head_pooling
        return pooled_states(self.backbone, data, rows, transforms, pooling, self.device)

    def judge(self, logits: Callable[[R, Sequence[int]], Tensor]) -> tuple[float, float]:
        """Mean cross-entropy (nats) and accuracy on the validation samples.

        Args:
            logits: (data, rows) -> (B, C) logits.
        """
        data = self.validation
        size = 2 * self.settings.batch_size
        return mean_cross_entropy(data, size, self.device, lambda rows: logits(data, rows))


@dataclass
class TrainingObjective(Generic[R]):
    """An objective over the training samples of a context.

    Attributes:
        context: what it is given.
    """

    context: TrainingContext[R]

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each training sample."""
        return self.context.train.encoding.lengths
