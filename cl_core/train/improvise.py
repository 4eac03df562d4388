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
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, Transform, transforms
from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.classification import Classification, check_rows
from cl_core.train.data import Rows, among, answer_credit, answer_loss
from cl_core.train.loop import Fitted, Watch, optimise
from cl_core.train.passes import pooled_states
from cl_core.train.settings import TrainSettings

Teacher = Callable[[], Mapping[str, Transform]]
"""Makes the transforms of the frozen phase-1 model; called once per forward pass."""


@dataclass(frozen=True)
class Ends:
    """Both ends of a task's model, without its adapter: the head and, where there is something to see, Psi.

    They are what is trained above frozen adapters; the interface of `Weights`.
    """

    head: Head
    projection: Projection | None = None

    def parameters(self) -> list[Tensor]:
        """What moves in training."""
        seen = [] if self.projection is None else self.projection.parameters()
        return [*self.head.parameters(), *seen]

    def tensors(self) -> dict[str, Tensor]:
        """Named as beside an adapter."""
        seen = {} if self.projection is None else self.projection.tensors()
        return {**self.head.tensors(), **seen}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites them in place."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> Ends:
        """A copy that shares no memory."""
        return Ends(self.head.clone(), self.projection and self.projection.clone())

    def to(self, device: torch.device) -> Ends:
        """The same on another device."""
        return Ends(self.head.to(device), self.projection and self.projection.to(device))


def fit_head(
    backbone: Backbone,
    start: Ends,
    adapter: Adapter,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    device: Device,
    seed: int,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> Fitted[Ends]:
    """Phase 1 at k = 2: trains a head, and Psi_2 where there is something to see, over the frozen adapter of task 1.

    Nothing is dropped out. Where nothing below the head moves, each row's state is computed once.

    Args:
        backbone: frozen.
        start: where head and projection begin; not changed.
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
    if not start.parameters():  # a frozen head, and nothing to see
        return Fitted(start.clone(), ())
    if start.projection is not None:

        def looking(weights: Ends) -> Classification:
            both = TaskWeights(replace(adapter, projection=weights.projection), weights.head)
            return Classification(backbone, both, train, validation, settings, 0.0, device)

        return optimise(start, looking, settings, device, seed, checkpoints, watch)
    states, seen = (
        _states(backbone, rows, adapter, settings, device) for rows in (train, validation)
    )

    def objective(weights: Ends) -> _Probe:
        return _Probe(weights.head, states, seen, train, validation)

    return optimise(start, objective, settings, device, seed, checkpoints, watch)


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
        return answer_loss(self.head.logits(self.states[list(rows)]), self.train, rows)

    def validate(self) -> tuple[float, float]:
        data = self.validation
        logits = among(self.head.logits(self.seen), data)
        right = answer_credit(logits.argmax(dim=1).cpu(), data.labels, data.votes)
        loss = answer_loss(logits, data, range(len(data)))
        return float(loss), float(right.double().mean())


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
    projection: Projection | None = None,
) -> Fitted[AdapterAlone]:
    """Phase 2 at k >= 3: an adapter learns the teacher's last hidden states.

    loss = mean over valid positions of the squared difference, mean over the d dimensions as well **(ours)**: the
    paper says MSE. No label is read, and the best epoch is the one with the lowest validation loss.

    Args:
        backbone: frozen; teacher and student share it.
        start: where the new adapter begins, without a projection; not changed.
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
        projection: the teacher's Psi_k, frozen, which the student sees with as well; None where nothing is seen.

    Raises:
        Stopped: `watch.stop` said so.
        UserError: the loss is no longer finite.
        ValueError: there are no training or no validation rows.
    """
    check_rows(train, validation)

    def objective(weights: AdapterAlone) -> Distillation:
        student = replace(weights.adapter, projection=projection)
        return Distillation(
            backbone, student, teacher, head, train, validation, settings, dropout, device
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
        loss, data = 0.0, self.validation
        predictions = torch.empty_like(data.labels)
        for rows in length_batches(data.encoding.lengths, 2 * self.settings.batch_size):
            batch = self.backbone.collate(data.encoding, rows, self.device.torch_device)
            with self.device.autocast():
                wanted = self.backbone(batch, self.teacher()).last_hidden_state
                output = self.backbone(batch, transforms(self.adapter))
            found = output.last_hidden_state
            loss += float(masked_mse(found, wanted, batch.attention_mask)) * len(rows)
            pooled = self.backbone.read(output, self.settings.head_pooling)
            predictions[rows] = among(self.head.logits(pooled), data).argmax(dim=1).cpu()
        right = answer_credit(predictions, data.labels, data.votes)
        return loss / len(data), float(right.double().mean())


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
