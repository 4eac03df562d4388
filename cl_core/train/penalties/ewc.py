"""EWC: weights are held where earlier tasks need them. Diagonal Fisher information, sample by sample.

    F_i     = mean over rows x, with y ~ p(y | x), of ( d log p(y | x) / d theta_i )^2
    penalty = lambda / 2  sum over earlier tasks t  sum_i F_t,i (theta_i - theta*_t,i)^2

Kirkpatrick et al. 2017 (arXiv 1612.00796), equation 3. Every square is of one row's own gradient, not of a batch's
mean, and labels are drawn from the model's own answers, which is what makes it the Fisher information.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.adapters.adapter import transforms
from cl_core.adapters.label_space import LabelSpace
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.errors import UserError
from cl_core.train.data import MixedRows, Rows
from cl_core.train.passes import pooled_states
from cl_core.train.settings import TrainSettings
from cl_core.train.shared_objective import SharedWeights, shared_states


@dataclass(frozen=True)
class Sampling:
    """Which rows stand for a task.

    Attributes:
        count: at most so many rows are used, drawn without replacement.
        generator: on the CPU; draws rows and labels.
    """

    count: int
    generator: torch.Generator


def diagonal_fisher(
    backbone: Backbone,
    weights: SharedWeights,
    rows: MixedRows,
    label_space: LabelSpace,
    sampling: Sampling,
    pooling: str,
    device: Device,
) -> dict[str, Tensor]:
    """The diagonal Fisher information of a shared adapter and its heads, on a task's rows.

    A row is asked among its own task's labels, as in training.

    Args:
        backbone: frozen.
        weights: on the device.
        rows: of the task.
        label_space: which labels compete.
        sampling: which rows are used.
        pooling: what the heads read of the last layer.
        device: where.

    Returns:
        A tensor for each that has information, named as in `SharedWeights.tensors`; other heads' have none.
    """
    settings = TrainSettings(head_pooling="cls" if pooling == "cls" else "mean")
    moving = weights.clone().to(device.torch_device)

    def logits(row: int) -> Tensor:
        pooled = shared_states(backbone, moving, rows, [row], settings, device)
        tasks = rows.tasks[[row]].to(pooled.device)
        return label_space.per_task().row_logits(pooled, moving.heads, tasks)

    fishers = _squared_gradients(moving.tensors(), logits, len(rows), sampling)
    return {name: fisher for name, fisher in fishers.items() if bool(fisher.any())}


def adapter_fisher(
    backbone: Backbone,
    weights: TaskWeights,
    rows: Rows,
    sampling: Sampling,
    pooling: str,
    device: Device,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Tensor]:
    """The diagonal Fisher information of one task's adapter, under its own head: for Fisher-weighted merging.

    Args:
        backbone: frozen.
        weights: of the task, on the device.
        rows: of the task.
        sampling: which rows are used.
        pooling: what the head reads of the last layer.
        device: where.
        progress: told of (rows done, rows in all).

    Returns:
        Tensors named and shaped as in `Adapter.tensors`.
    """
    moving = TaskWeights(weights.adapter.clone().to(device.torch_device), weights.head)

    def logits(row: int) -> Tensor:
        here = transforms(moving.adapter)
        return moving.head.logits(pooled_states(backbone, rows, [row], here, pooling, device))

    return _squared_gradients(moving.adapter.tensors(), logits, len(rows), sampling, progress)


def _squared_gradients(
    tensors: Mapping[str, Tensor],
    logits: Callable[[int], Tensor],
    rows: int,
    sampling: Sampling,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Tensor]:
    """Mean over drawn rows of the squared gradient of log p(y | x), y drawn from p."""
    names = list(tensors)
    moving = [tensors[name].requires_grad_(True) for name in names]
    sums = [torch.zeros_like(tensor) for tensor in moving]
    generator = sampling.generator
    chosen = torch.randperm(rows, generator=generator)[: sampling.count].tolist()
    for done, row in enumerate(chosen, start=1):
        log_p = torch.log_softmax(logits(row).float(), dim=1)[0]
        if bool(log_p.isnan().any()):  # nothing could be drawn from that
            raise UserError(
                "training diverged: the answers that the Fisher information is estimated from are not numbers. Lower "
                "the learning rate, for example to a tenth"
            )
        label = int(torch.multinomial(log_p.detach().exp().cpu(), 1, generator=generator))
        gradients = torch.autograd.grad(log_p[label], moving, allow_unused=True)
        for total, gradient in zip(sums, gradients, strict=True):
            if gradient is not None:
                total += gradient.float().square()
        progress(done, len(chosen))
    return {name: total / len(chosen) for name, total in zip(names, sums, strict=True)}


@dataclass(frozen=True)
class FisherSum:
    """What the penalty needs of all earlier tasks, however many: its three sums, by the tensor's name.

    Attributes:
        fisher: sum_t F_t.
        pull: sum_t F_t theta*_t.
        constant: sum_t sum_i F_t,i theta*_t,i^2, a number.
    """

    fisher: dict[str, Tensor]
    pull: dict[str, Tensor]
    constant: dict[str, Tensor]

    @classmethod
    def of(cls, fisher: Mapping[str, Tensor], weights: SharedWeights) -> FisherSum:
        """Of one task: its Fisher information and the weights that it was taken at."""
        at = {name: weights.tensors()[name].detach() for name in fisher}
        return cls(
            dict(fisher),
            {name: diagonal * at[name] for name, diagonal in fisher.items()},
            {
                name: (diagonal.double() * at[name].double().square()).sum()
                for name, diagonal in fisher.items()
            },
        )

    def __add__(self, other: FisherSum) -> FisherSum:
        """The sums of both; a head that one of them does not know is the other's alone."""
        return FisherSum(
            _added(self.fisher, other.fisher),
            _added(self.pull, other.pull),
            _added(self.constant, other.constant),
        )

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file."""
        parts = {"fisher": self.fisher, "pull": self.pull, "constant": self.constant}
        return {
            f"{part}.{n}": tensor for part, named in parts.items() for n, tensor in named.items()
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> FisherSum:
        """The inverse of `tensors`."""

        def part(name: str) -> dict[str, Tensor]:
            start = f"{name}."
            return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}

        return cls(part("fisher"), part("pull"), part("constant"))

    def to(self, device: torch.device) -> FisherSum:
        """The same sums on another device."""
        return FisherSum.from_tensors(
            {n: tensor.to(device) for n, tensor in self.tensors().items()}
        )


def _added(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> dict[str, Tensor]:
    total = dict(first)
    for name, tensor in second.items():
        total[name] = total[name].to(tensor.device) + tensor if name in total else tensor
    return total


@dataclass(frozen=True)
class EWCPenalty:
    """lambda / 2 sum_t sum_i F_t,i (theta_i - theta*_t,i)^2, from the three sums.

    Attributes:
        sums: over the earlier tasks, on the device of the weights.
        strength: lambda.
    """

    sums: FisherSum
    strength: float

    def value(self, weights: SharedWeights, rows: Sequence[int], pooled: Tensor) -> Tensor:
        """The penalty; neither rows nor states are read."""
        total = pooled.new_zeros((), dtype=torch.float64)
        for name, theta in weights.tensors().items():
            if name in self.sums.fisher:
                quadratic = self.sums.fisher[name] * theta - 2 * self.sums.pull[name]
                total = total + (quadratic * theta).double().sum() + self.sums.constant[name]
        return (self.strength / 2 * total).float()
