"""One adapter that all tasks share, with their heads: what replay, EWC, LwF and joint training fit at a stage.

    loss = cross-entropy of the new rows, and of as many remembered ones, + penalty

Which labels a row is asked among is the label space's matter; what holds the weights back is the penalty's (`ewc.py`,
`lwf.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.adapters.settings import Activation
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.context import TrainingContext, TrainingObjective
from cl_core.train.data import MixedRows, answer_loss
from cl_core.train.loop import TrainingResult
from cl_core.train.passes import pooled_states
from cl_core.train.seeds import derive_seed
from cl_core.train.settings import TrainSettings


@dataclass(frozen=True)
class SharedWeights:
    """One adapter and the heads above it: one in DIL, else one a task; the interface of `Weights`."""

    adapter: Adapter
    heads: tuple[Head, ...]

    def parameters(self) -> list[Tensor]:
        """What moves in training, the adapter's tensors first."""
        return [
            *self.adapter.parameters(),
            *(parameter for h in self.heads for parameter in h.parameters()),
        ]

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file, the heads "heads.0.weight" and so on."""
        named = self.adapter.tensors()
        for index, head in enumerate(self.heads):
            named |= {f"heads.{index}.weight": head.weight, f"heads.{index}.bias": head.bias}
        return named

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], site_names: Sequence[str], activation: Activation
    ) -> SharedWeights:
        """The inverse of `tensors`."""
        count = sum(name.startswith("heads.") and name.endswith(".weight") for name in tensors)
        heads = tuple(
            Head(tensors[f"heads.{index}.weight"], tensors[f"heads.{index}.bias"])
            for index in range(count)
        )
        return cls(Adapter.from_tensors(tensors, site_names, activation), heads)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the weights in place."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> SharedWeights:
        """A copy that shares no memory."""
        return SharedWeights(self.adapter.clone(), tuple(head.clone() for head in self.heads))

    def to(self, device: torch.device) -> SharedWeights:
        """The same weights on another device."""
        return SharedWeights(self.adapter.to(device), tuple(head.to(device) for head in self.heads))

    def with_head(self, head: Head) -> SharedWeights:
        """The same adapter and heads, and one head more."""
        return replace(self, heads=(*self.heads, head))


class Penalty(Protocol):
    """What is added to the loss so that earlier tasks are not forgotten."""

    def value(self, weights: SharedWeights, rows: Sequence[int], pooled: Tensor) -> Tensor:
        """A number, differentiable in the weights.

        Args:
            weights: as they are now.
            rows: B positions among the new rows.
            pooled: (B, d) their states, of the same forward pass.
        """
        ...


def fit_shared(
    context: TrainingContext[MixedRows],
    start: SharedWeights,
    label_space: LabelSpace,
    dropout: float,
    memory: MixedRows | None = None,
    penalty: Penalty | None = None,
) -> TrainingResult[SharedWeights]:
    """Trains the shared adapter and all heads.

    In CIL all labels compete where rows of several tasks are at hand (joint, replay); where only the newest task's are,
    each row is asked among its own task's labels, since old labels without a single row would only be pushed down
    **(ours)**. Every step takes as many remembered rows as new ones (experience replay, Chaudhry et al. 2019), drawn
    with replacement by a generator that depends on the batch alone, so that a resumed run draws the same. Rows count
    alike, whatever `class_weights` says **(ours)**. The best epoch is chosen by the mean over the context's validation
    rows, asked among the same labels as training samples are; whose they are, `docs/baselines.md` says.

    Args:
        context: the new rows, those that choose the epoch, and how to train.
        start: where the weights begin; not changed.
        label_space: which labels compete.
        dropout: of the bottlenecks' hidden units while training.
        memory: rows of earlier tasks that are replayed; None replays none.
        penalty: what is added to the loss; None adds nothing.

    Raises:
        RunStopped: `context.callbacks.stop` said so.
        UserError: a loss or a weight is no longer finite.
    """

    def objective(weights: SharedWeights) -> SharedObjective:
        return SharedObjective(context, weights, label_space, dropout, memory, penalty)

    return context.minimise(start, objective)


@dataclass
class SharedObjective(TrainingObjective[MixedRows]):
    """The loss of `fit_shared`, which says what the fields are."""

    weights: SharedWeights
    label_space: LabelSpace
    dropout: float
    memory: MixedRows | None = None
    penalty: Penalty | None = None

    def __post_init__(self) -> None:
        new = self.context.train
        # New rows first, so that their positions are those of the context.
        self.data = new if self.memory is None else MixedRows.concat([new, self.memory])
        self.together = len(set(self.data.tasks.tolist())) > 1

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean cross-entropy (nats) of new and remembered rows, and the penalty."""
        both = [*rows, *self.replayed(rows)]
        here = transforms(self.weights.adapter, self.dropout)
        pooled = self.context.states(self.data, both, here)
        loss = answer_loss(self._answers(self.data, both, pooled), self.data, both)
        if self.penalty is not None:
            loss = loss + self.penalty.value(self.weights, rows, pooled[: len(rows)])
        return loss

    def replayed(self, rows: Sequence[int]) -> list[int]:
        """As many remembered rows as the batch has new ones; none without a memory."""
        new = len(self.context.train)
        remembered = len(self.data) - new
        if remembered == 0:
            return []
        seed = derive_seed(self.context.seed, "replay", *rows)
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randint(remembered, (len(rows),), generator=generator)
        return [new + int(row) for row in drawn]

    def validate(self) -> tuple[float, float]:
        """Mean cross-entropy (nats) and accuracy on the validation samples."""

        def logits(data: MixedRows, rows: Sequence[int]) -> Tensor:
            pooled = self.context.states(data, rows, transforms(self.weights.adapter))
            return self._answers(data, rows, pooled)

        return self.context.judge(logits)

    def _answers(self, data: MixedRows, rows: Sequence[int], pooled: Tensor) -> Tensor:
        tasks = data.tasks[list(rows)].to(pooled.device)
        space = self.label_space if self.together else self.label_space.per_task()
        return space.row_logits(pooled, self.weights.heads, tasks)


def shared_states(
    backbone: Backbone,
    weights: SharedWeights,
    data: MixedRows,
    rows: Sequence[int],
    settings: TrainSettings,
    device: Device,
    dropout: float = 0.0,
) -> Tensor:
    """(B, d) pooled states of some rows under the shared adapter."""
    here = transforms(weights.adapter, dropout)
    return pooled_states(backbone, data, rows, here, settings.head_pooling, device)
