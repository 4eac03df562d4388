"""I2I's first two phases (arXiv 2304.02168): improvise with what is there, then initialise from it.

Task k has k - 1 finished adapters before it.

    phase 1, improvise    k = 2: a head over frozen Phi_1.  k >= 3: a fusion F_k of Phi_1..Phi_{k-1} with a head
                          (`fusion_objective.py`).
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
from cl_core.backbones.encoder import MaskedBatch, Output
from cl_core.train.classification import Classification
from cl_core.train.context import TrainingContext, TrainingObjective
from cl_core.train.data import Rows, among, answer_credit, answer_loss
from cl_core.train.loop import TrainingResult

Teacher = Callable[[], Mapping[str, Transform]]
"""Makes the transforms of the frozen phase-1 model; called once per forward pass."""


@dataclass(frozen=True)
class HeadAndProjection:
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

    def clone(self) -> HeadAndProjection:
        """A copy that shares no memory."""
        return HeadAndProjection(self.head.clone(), self.projection and self.projection.clone())

    def to(self, device: torch.device) -> HeadAndProjection:
        """The same on another device."""
        return HeadAndProjection(
            self.head.to(device), self.projection and self.projection.to(device)
        )


def fit_head(
    context: TrainingContext[Rows], start: HeadAndProjection, adapter: Adapter
) -> TrainingResult[HeadAndProjection]:
    """Phase 1 at k = 2: trains a head, and Psi_2 where there is something to see, over the frozen adapter of task 1.

    Nothing is dropped out. Where nothing below the head moves, each row's state is computed once.

    Args:
        context: the task's rows, and how to train.
        start: where head and projection begin; not changed.
        adapter: Phi_1, frozen, on the device.

    Raises:
        RunStopped: `context.callbacks.stop` said so.
        UserError: a loss or a weight is no longer finite.
    """
    if not start.parameters():  # a frozen head, and nothing to see
        return TrainingResult(start.clone(), ())
    if start.projection is not None:

        def looking(weights: HeadAndProjection) -> Classification:
            both = TaskWeights(replace(adapter, projection=weights.projection), weights.head)
            return Classification(context, both, 0.0)

        return context.minimise(start, looking)
    states, seen = (_states(context, rows, adapter) for rows in (context.train, context.validation))
    return context.minimise(start, lambda weights: _Probe(context, weights.head, states, seen))


@dataclass
class _Probe(TrainingObjective[Rows]):
    """Cross-entropy of a head over fixed states, (N, d) and (M, d)."""

    head: Head
    states: Tensor
    seen: Tensor

    def loss(self, rows: Sequence[int]) -> Tensor:
        return answer_loss(self.head.logits(self.states[list(rows)]), self.context.train, rows)

    def validate(self) -> tuple[float, float]:
        data = self.context.validation
        logits = among(self.head.logits(self.seen), data)
        right = answer_credit(logits.argmax(dim=1).cpu(), data.labels, data.votes)
        loss = answer_loss(logits, data, range(len(data)))
        return float(loss), float(right.double().mean())


@torch.no_grad()
def _states(context: TrainingContext[Rows], rows: Rows, adapter: Adapter) -> Tensor:
    """(N, d) pooled states under one adapter."""
    where = context.device.torch_device
    states = torch.empty(len(rows), context.backbone.read_size, device=where)
    for indices in length_batches(rows.encoding.lengths, 2 * context.settings.batch_size):
        pooled = context.states(rows, indices, transforms(adapter))
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
    context: TrainingContext[Rows],
    start: Adapter,
    teacher: Teacher,
    head: Head,
    dropout: float,
    projection: Projection | None = None,
) -> TrainingResult[AdapterAlone]:
    """Phase 2 at k >= 3: an adapter learns the teacher's last hidden states.

    loss = mean over valid positions of the squared difference, mean over the d dimensions as well **(ours)**: the
    paper says MSE. No label is read, and the best epoch is the one with the lowest validation loss.

    Args:
        context: rows to distil on, and how to train; teacher and student share its backbone.
        start: where the new adapter begins, without a projection; not changed.
        teacher: the frozen phase-1 model's transforms.
        head: the teacher's, frozen; the learning curve's accuracy is measured with it.
        dropout: of the student's hidden units.
        projection: the teacher's Psi_k, frozen, which the student sees with as well; None where nothing is seen.

    Raises:
        RunStopped: `context.callbacks.stop` said so.
        UserError: a loss or a weight is no longer finite.
    """

    def objective(weights: AdapterAlone) -> Distillation:
        student = replace(weights.adapter, projection=projection)
        return Distillation(context, student, teacher, head, dropout)

    return context.minimise(AdapterAlone(start), objective, best_by="loss")


@dataclass
class Distillation(TrainingObjective[Rows]):
    """MSE between teacher's and student's last hidden states; see `distil` for the fields."""

    adapter: Adapter
    teacher: Teacher
    head: Head
    dropout: float

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean squared difference of a batch."""
        batch, wanted = self._wanted(self.context.train, rows)
        with self.context.device.autocast():
            student = self.context.backbone(batch, transforms(self.adapter, self.dropout))
        return hidden_state_loss(student, wanted, batch.attention_mask)

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """Mean squared difference, and the student's accuracy under the teacher's head, on the validation samples."""
        context, data, loss = self.context, self.context.validation, 0.0
        predictions = torch.empty_like(data.labels)
        for rows in length_batches(data.encoding.lengths, 2 * context.settings.batch_size):
            batch, wanted = self._wanted(data, rows)
            with context.device.autocast():
                student = context.backbone(batch, transforms(self.adapter))
            error = hidden_state_loss(student, wanted, batch.attention_mask)
            loss += float(error) * len(rows)
            pooled = context.backbone.read(student, context.settings.head_pooling)
            predictions[rows] = among(self.head.logits(pooled), data).argmax(dim=1).cpu()
        right = answer_credit(predictions, data.labels, data.votes)
        return loss / len(data), float(right.double().mean())

    @torch.no_grad()
    def _wanted(self, data: Rows, rows: Sequence[int]) -> tuple[MaskedBatch, Output]:
        """Some rows as a batch, and the teacher's pass over it."""
        context = self.context
        batch: MaskedBatch = context.backbone.collate(
            data.encoding, rows, context.device.torch_device
        )
        with context.device.autocast():
            return batch, context.backbone(batch, self.teacher())


def hidden_state_loss(student: Output, wanted: Output, mask: Tensor) -> Tensor:
    """MSE of the last hidden states; of an encoder-decoder the encoder's plus the decoder's (I2I).

    Args:
        student: the student's pass.
        wanted: the teacher's.
        mask: (B, T) of the batch, the encoder's.
    """
    loss = masked_mse(student.last_hidden_state, wanted.last_hidden_state, student.attention_mask)
    if student.encoded is None or wanted.encoded is None:
        return loss
    return loss + masked_mse(student.encoded, wanted.encoded, mask)


def masked_mse(predicted: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference over the positions that are tokens, and over d, in float32.

    Args:
        predicted: (B, T, d).
        wanted: (B, T, d).
        mask: (B, T), 1 for tokens and 0 for padding.
    """
    squared = (predicted.float() - wanted.float()).square().mean(dim=-1)
    share = mask.to(squared.dtype)
    return (squared * share).sum() / share.sum()
