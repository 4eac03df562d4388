"""One task's adapter and head, trained by cross-entropy on its labels; nothing else moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from cl_core.adapters.adapter import transforms
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.data import Rows, answer_loss, balanced_class_weights
from cl_core.train.loop import Fitted, Watch, optimise
from cl_core.train.passes import mean_cross_entropy, pooled_states
from cl_core.train.settings import TrainSettings


def fit(
    backbone: Backbone,
    start: TaskWeights,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    dropout: float,
    device: Device,
    seed: int,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> Fitted[TaskWeights]:
    """Trains one task's adapter and head; the backbone stays as it is.

    Args:
        backbone: frozen.
        start: where the adapter and the head begin; not changed.
        train: rows to learn from.
        validation: rows that choose the best epoch; at least one.
        settings: optimiser, schedule, stopping.
        dropout: probability of dropping a bottleneck's hidden unit while training.
        device: where, and in which precision.
        seed: of the order of rows and of dropout.
        checkpoints: where mid-task checkpoints go; None keeps none.
        watch: progress out, stop requests in.

    Raises:
        Stopped: `watch.stop` said so.
        UserError: the loss is no longer finite.
        ValueError: there are no training or no validation rows.
    """
    check_rows(train, validation)

    def objective(weights: TaskWeights) -> Classification:
        return Classification(backbone, weights, train, validation, settings, dropout, device)

    return optimise(start, objective, settings, device, seed, checkpoints, watch)


def check_rows(train: Rows, validation: Rows) -> None:
    """Raises `ValueError` unless there are rows of both kinds."""
    if len(train) == 0 or len(validation) == 0:
        raise ValueError(
            f"{len(train)} training and {len(validation)} validation rows; both are needed"
        )


@dataclass
class Classification:
    """Cross-entropy of one adapter and its head; see `fit` for the fields."""

    backbone: Backbone
    weights: TaskWeights
    train: Rows
    validation: Rows
    settings: TrainSettings
    dropout: float
    device: Device

    def __post_init__(self) -> None:
        self._class_weights = None
        if self.settings.class_weights == "balanced":
            classes = self.weights.head.bias.shape[0]
            weights = balanced_class_weights(self.train.labels, classes)
            self._class_weights = weights.to(self.device.torch_device)

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each training row."""
        return self.train.encoding.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean cross-entropy (nats) of a batch."""
        logits = task_logits(
            self.backbone,
            self.weights,
            self.train,
            rows,
            self.settings.head_pooling,
            self.device,
            self.dropout,
        )
        return answer_loss(logits, self.train, rows, self._class_weights)

    def validate(self) -> tuple[float, float]:
        """Mean cross-entropy (nats) and accuracy on the validation rows."""
        return evaluate_one(
            self.backbone, self.weights, self.validation, self.settings, self.device
        )


def task_logits(
    backbone: Backbone,
    weights: TaskWeights,
    data: Rows,
    rows: Sequence[int],
    pooling: str,
    device: Device,
    dropout: float = 0.0,
) -> Tensor:
    """(B, C) logits of some rows under one adapter and its head."""
    here = transforms(weights.adapter, dropout)
    return weights.head.logits(pooled_states(backbone, data, rows, here, pooling, device))


def evaluate_one(
    backbone: Backbone,
    weights: TaskWeights,
    rows: Rows,
    settings: TrainSettings,
    device: Device,
) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy of one adapter on at least one row."""
    return mean_cross_entropy(
        rows,
        2 * settings.batch_size,
        device,
        lambda some: task_logits(backbone, weights, rows, some, settings.head_pooling, device),
    )
