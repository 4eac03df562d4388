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
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.classification import check_rows
from cl_core.train.data import Rows, answer_loss
from cl_core.train.loop import Fitted, Watch, optimise
from cl_core.train.passes import mean_cross_entropy, pooled_states
from cl_core.train.settings import TrainSettings


def fit_fusion(
    backbone: Backbone,
    start: FusionWeights,
    bank: Bank,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    regulariser: float,
    device: Device,
    seed: int,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> Fitted[FusionWeights]:
    """Trains a fusion and a head; the adapters of the bank and the backbone stay as they are.

    Args:
        backbone: frozen.
        start: where fusion and head begin; not changed.
        bank: the adapters that are fused, on the device.
        train: rows to learn from.
        validation: rows that choose the best epoch.
        settings: optimiser, schedule, stopping.
        regulariser: what the distance of W_v from the identity is multiplied with (published: 0.01).
        device: where, and in which precision.
        seed: of the order of rows.
        checkpoints: where mid-task checkpoints go; None keeps none.
        watch: progress out, stop requests in.

    Raises:
        Stopped: `watch.stop` said so.
        UserError: the loss is no longer finite.
        ValueError: there are no training or no validation rows.
    """
    check_rows(train, validation)

    def objective(weights: FusionWeights) -> Fusing:
        return Fusing(backbone, weights, bank, train, validation, settings, regulariser, device)

    return optimise(start, objective, settings, device, seed, checkpoints, watch)


@dataclass
class Fusing:
    """Cross-entropy of a fusion and its head, with the identity regulariser; see `fit_fusion` for the fields."""

    backbone: Backbone
    weights: FusionWeights
    bank: Bank
    train: Rows
    validation: Rows
    settings: TrainSettings
    regulariser: float
    device: Device

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each training row."""
        return self.train.encoding.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean cross-entropy (nats) of a batch, and the regulariser."""
        loss = answer_loss(self._logits(self.train, rows), self.train, rows)
        return loss + self.regulariser * identity_penalty(self.weights.fusion)

    def validate(self) -> tuple[float, float]:
        """Mean cross-entropy (nats), without the regulariser, and accuracy on the validation rows."""
        data, size = self.validation, 2 * self.settings.batch_size
        return mean_cross_entropy(data, size, self.device, lambda rows: self._logits(data, rows))

    def _logits(self, data: Rows, rows: Sequence[int]) -> Tensor:
        here = self.weights.transforms(self.bank)
        pooling = self.settings.head_pooling
        pooled = pooled_states(self.backbone, data, rows, here, pooling, self.device)
        return self.weights.head.logits(pooled)
