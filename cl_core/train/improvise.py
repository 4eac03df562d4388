"""I2I's first two phases (arXiv 2304.02168): improvise with what is there, then initialise from it.

Task k has k - 1 finished adapters before it.

    phase 1, improvise    k = 2: a head over frozen Phi_1.  k >= 3: a fusion F_k of Phi_1..Phi_{k-1} with a head
                          (`fusing.py`).
    phase 2, initialise   k = 2: Phi_2 is a byte copy of Phi_1.  k >= 3: Phi_k learns to give the hidden states that
                          F_k gives; then F_k is discarded.
    phase 3, train        Phi_k and its head, on the full data by the task loss (`classification.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import Adapter, Transform, transforms
from cl_core.adapters.heads import Head
from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.features import pool
from cl_core.device import Device
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.classification import check_rows
from cl_core.train.data import Rows
from cl_core.train.loop import Fitted, Watch, optimise
from cl_core.train.passes import pooled_states
from cl_core.train.settings import TrainSettings

Teacher = Callable[[], Mapping[str, Transform]]
"""Makes the transforms of the frozen phase-1 model; called once per forward pass."""


@dataclass(frozen=True)
class HeadAlone:
    """A head as the only thing that is trained; the interface of `Weights`."""

    head: Head

    def parameters(self) -> list[Tensor]:
        """The head's two tensors."""
        return self.head.parameters()

    def tensors(self) -> dict[str, Tensor]:
        """Named as beside an adapter."""
        return self.head.tensors()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the head in place."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> HeadAlone:
        """A copy that shares no memory."""
        return HeadAlone(self.head.clone())

    def to(self, device: torch.device) -> HeadAlone:
        """The same head on another device."""
        return HeadAlone(self.head.to(device))


def fit_head(
    backbone: Backbone,
    start: Head,
    adapter: Adapter,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    device: Device,
    seed: int,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> Fitted[HeadAlone]:
    """Phase 1 at k = 2: trains a head over the frozen adapter of task 1.

    Nothing below the head moves and nothing is dropped out, so each row's state is computed once.

    Args:
        backbone: frozen.
        start: where the head begins; not changed.
        adapter: Phi_1, frozen, on the device.
        train: rows to learn from.
        validation: rows that choose the best epoch.
        settings: optimiser, schedule, stopping.
        device: where, and in which precision.
        seed: of the order of rows.
        checkpoints: where mid-task checkpoints go; None keeps none.
        watch: progress out, stop requests in.

    Raises:
        Stopped: `watch.stop` said so.
        ValueError: there are no training or no validation rows.
    """
    check_rows(train, validation)
    states, seen = (
        _states(backbone, rows, adapter, settings, device) for rows in (train, validation)
    )

    def objective(weights: HeadAlone) -> _Probe:
        return _Probe(weights.head, states, seen, train, validation)

    return optimise(HeadAlone(start), objective, settings, device, seed, checkpoints, watch)


@dataclass
class _Probe:
    """Cross-entropy of a head over fixed states, (N, d) and (M, d)."""

    head: Head
    states: Tensor
    seen: Tensor
    train: Rows
    validation: Rows

    @property
    def lengths(self) -> Sequence[int]:
        return self.train.encoding.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        labels = self.train.labels[list(rows)].to(self.states.device)
        return F.cross_entropy(self.head.logits(self.states[list(rows)]), labels)

    def validate(self) -> tuple[float, float]:
        logits, labels = self.head.logits(self.seen), self.validation.labels.to(self.seen.device)
        right = (logits.argmax(dim=1) == labels).double().mean()
        return float(F.cross_entropy(logits, labels)), float(right)


@torch.no_grad()
def _states(
    backbone: Backbone, rows: Rows, adapter: Adapter, settings: TrainSettings, device: Device
) -> Tensor:
    """(N, d) pooled states under one adapter."""
    where = device.torch_device
    states = torch.empty(len(rows), backbone.hidden_size, device=where)
    for indices in length_batches(rows.encoding.lengths, 2 * settings.batch_size):
        here = transforms(adapter)
        pooled = pooled_states(backbone, rows, indices, here, settings.head_pooling, device)
        states[torch.as_tensor(indices, device=where)] = pooled.float()
    return states


@dataclass(frozen=True)
class AdapterAlone:
    """An adapter as the only thing that is trained; the interface of `Weights`."""

    adapter: Adapter

    def parameters(self) -> list[Tensor]:
        """The adapter's four tensors."""
        return self.adapter.parameters()

    def tensors(self) -> dict[str, Tensor]:
        """Named as beside a head."""
        return self.adapter.tensors()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the adapter in place."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> AdapterAlone:
        """A copy that shares no memory."""
        return AdapterAlone(self.adapter.clone())

    def to(self, device: torch.device) -> AdapterAlone:
        """The same adapter on another device."""
        return AdapterAlone(self.adapter.to(device))


def distil(
    backbone: Backbone,
    start: Adapter,
    teacher: Teacher,
    head: Head,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    dropout: float,
    device: Device,
    seed: int,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> Fitted[AdapterAlone]:
    """Phase 2 at k >= 3: an adapter learns the teacher's last hidden states.

    loss = mean over valid positions of the squared difference, mean over the d dimensions as well **(ours)**: the
    paper says MSE. No label is read, and the best epoch is the one with the lowest validation loss.

    Args:
        backbone: frozen; teacher and student share it.
        start: where the new adapter begins; not changed.
        teacher: the frozen phase-1 model's transforms.
        head: the teacher's, frozen; the learning curve's accuracy is measured with it.
        train: rows to distil on.
        validation: rows that choose the best epoch.
        settings: optimiser, schedule, stopping.
        dropout: of the student's hidden units.
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

    def objective(weights: AdapterAlone) -> Distillation:
        return Distillation(
            backbone, weights.adapter, teacher, head, train, validation, settings, dropout, device
        )

    return optimise(
        AdapterAlone(start), objective, settings, device, seed, checkpoints, watch, best_by="loss"
    )


@dataclass
class Distillation:
    """MSE between teacher's and student's last hidden states; see `distil` for the fields."""

    backbone: Backbone
    adapter: Adapter
    teacher: Teacher
    head: Head
    train: Rows
    validation: Rows
    settings: TrainSettings
    dropout: float
    device: Device

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each training row."""
        return self.train.encoding.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean squared difference of a batch."""
        batch = self.backbone.collate(self.train.encoding, rows, self.device.torch_device)
        with self.device.autocast():
            with torch.no_grad():
                wanted = self.backbone(batch, self.teacher()).last_hidden_state
            found = self.backbone(batch, transforms(self.adapter, self.dropout)).last_hidden_state
        return masked_mse(found, wanted, batch.attention_mask)

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """Mean squared difference, and the student's accuracy under the teacher's head, on the validation rows."""
        loss, right, data = 0.0, 0, self.validation
        for rows in length_batches(data.encoding.lengths, 2 * self.settings.batch_size):
            batch = self.backbone.collate(data.encoding, rows, self.device.torch_device)
            with self.device.autocast():
                wanted = self.backbone(batch, self.teacher()).last_hidden_state
                found = self.backbone(batch, transforms(self.adapter)).last_hidden_state
            loss += float(masked_mse(found, wanted, batch.attention_mask)) * len(rows)
            pooled = pool(found, batch.attention_mask, self.settings.head_pooling)
            labels = data.labels[list(rows)].to(pooled.device)
            right += int((self.head.logits(pooled).argmax(dim=1) == labels).sum())
        return loss / len(data), right / len(data)


def masked_mse(found: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference over the positions that are tokens, and over d, in float32.

    Args:
        found: (B, T, d).
        wanted: (B, T, d).
        mask: (B, T), 1 for tokens and 0 for padding.
    """
    squared = (found.float() - wanted.float()).square().mean(dim=-1)
    share = mask.to(squared.dtype)
    return (squared * share).sum() / share.sum()
