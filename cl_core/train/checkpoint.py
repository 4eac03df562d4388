"""The state of a task in mid-training, and how it is packed for storage.

A checkpoint holds the weights, Adam's two moments, the best weights so far and the position in the
data. It holds no random
state: every epoch and step derives its own seed (`seeds.py`). It holds no schedule: the rate is a function of the step.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from cl_core.train.weights import Weights


@dataclass(frozen=True)
class EpochRecord:
    """One line of a task's learning curve.

    Attributes:
        epoch: 1-based.
        train_loss: mean cross-entropy over the epoch's rows (nats).
        validation_loss: mean cross-entropy on validation samples (nats).
        validation_accuracy: share of validation samples answered right, 0 to 1.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass
class TrainingState:
    """Where training stands.

    Attributes:
        epoch: 0-based epoch in work.
        batch: batches of it already taken.
        step: steps taken in all.
        loss_sum: sum of the epoch's row losses so far.
        rows: rows of the epoch so far.
        best: (validation accuracy, -validation loss) of the best epoch; None before the first.
        stale: epochs since then.
        history: finished epochs.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    rows: int = 0
    best: tuple[float, float] | None = None
    stale: int = 0
    history: list[EpochRecord] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats survive JSON exactly."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TrainingState:
        """The inverse of `to_json`."""
        best = tuple(data["best"]) if data["best"] is not None else None
        history = [EpochRecord(**record) for record in data["history"]]
        return cls(**{**data, "best": best, "history": history})


class Checkpoints(Protocol):
    """Where the loop leaves its checkpoints; the store's side of it is in the lab."""

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest whole checkpoint, or None."""
        ...

    def save(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
        """Keeps this one; older ones may go."""
        ...


def pack(weights: Weights, best: Weights, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Names every tensor of the training state."""
    packed = {f"now.{name}": tensor for name, tensor in weights.tensors().items()}
    packed |= {f"best.{name}": tensor for name, tensor in best.tensors().items()}
    for index, parameter in enumerate(weights.parameters()):
        for name, tensor in optimiser.state[parameter].items():
            packed[f"adam.{index}.{name}"] = tensor
    return {name: tensor.detach().cpu().contiguous() for name, tensor in packed.items()}


def unpack(
    tensors: dict[str, Tensor],
    weights: Weights,
    best: Weights,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Puts a packed state back, in place."""
    weights.load(_under("now.", tensors))
    best.load(_under("best.", tensors))
    for index, parameter in enumerate(weights.parameters()):
        moments = _under(f"adam.{index}.", tensors)
        optimiser.state[parameter] = {
            name: tensor.clone().to(parameter.device) for name, tensor in moments.items()
        }


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
