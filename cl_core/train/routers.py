"""L2R's last phase: the network of routers, trained once on the memory of all tasks, by the task loss.

L2R, arXiv 2408.09053. Backbone and adapters are frozen; the paper does not say what the heads do: frozen by default,
`tune_heads` lets them move with the routers **(ours)**.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.backbones.batching import length_batches
from cl_core.route.network import RouterNetwork
from cl_core.route.routed_pass import RoutedBank, RoutedPass
from cl_core.route.settings import RouterNetworkSettings
from cl_core.train.context import TrainingContext, TrainingObjective
from cl_core.train.data import MixedRows, among, answer_credit, answer_loss
from cl_core.train.loop import TrainingResult


@dataclass(frozen=True)
class RoutersAndHeads:
    """The routers and the heads they answer with; the interface of `Weights`.

    Attributes:
        network: the routers.
        heads: of the K tasks.
        tune_heads: whether the heads move in training.
    """

    network: RouterNetwork
    heads: tuple[Head, ...]
    tune_heads: bool = False

    def parameters(self) -> list[Tensor]:
        """What moves: the routers, and the heads where they are tuned."""
        heads = self.heads if self.tune_heads else ()
        return [
            *self.network.parameters(),
            *(parameter for head in heads for parameter in head.parameters()),
        ]

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file, the heads "heads.0.weight" and so on, moved or not."""
        named = self.network.tensors()
        for task, head in enumerate(self.heads):
            named |= {f"heads.{task}.weight": head.weight, f"heads.{task}.bias": head.bias}
        return named

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], blocks: Sequence[int], settings: RouterNetworkSettings
    ) -> RoutersAndHeads:
        """The inverse of `tensors`."""
        network = RouterNetwork.from_tensors(tensors, blocks, settings)
        heads = tuple(
            Head(tensors[f"heads.{task}.weight"], tensors[f"heads.{task}.bias"])
            for task in range(network.weight.shape[1])
        )
        return cls(network, heads, settings.tune_heads)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the weights in place."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> RoutersAndHeads:
        """A copy that shares no memory and needs no gradient."""
        heads = tuple(head.clone() for head in self.heads)
        return replace(self, network=self.network.clone(), heads=heads)

    def to(self, device: torch.device) -> RoutersAndHeads:
        """The same weights on another device."""
        heads = tuple(head.to(device) for head in self.heads)
        return replace(self, network=self.network.to(device), heads=heads)


def split_memory(
    rows: MixedRows, hold_back: float, generator: torch.Generator
) -> tuple[MixedRows, MixedRows]:
    """Parts the memory into rows that train the routers and rows that choose the best epoch **(ours)**.

    Of each task the share `hold_back` is held back, rounded, but never its last row; where that is none of any task,
    one row of the largest. Where every task has one row alone, or the share is 0, nothing is held back and the
    training samples judge.

    Args:
        rows: the memory of all tasks.
        hold_back: share of each task, 0 to below 1.
        generator: on the CPU; draws the rows.

    Returns:
        Rows for training and rows for judging, each in the memory's order.
    """
    counts = torch.bincount(rows.tasks)
    shares = [min(int(hold_back * n + 0.5), n - 1) if n else 0 for n in counts.tolist()]
    if hold_back > 0 and len(rows) and sum(shares) == 0 and int(counts.max()) > 1:
        shares[int(counts.argmax())] = 1
    held: list[int] = []
    for task, share in enumerate(shares):
        members = (rows.tasks == task).nonzero().flatten()
        held += members[torch.randperm(len(members), generator=generator)[:share]].tolist()
    if not held:
        return rows, rows
    apart = set(held)
    kept = [row for row in range(len(rows)) if row not in apart]
    return rows.subset(kept), rows.subset(sorted(held))


def fit_routers(
    context: TrainingContext[MixedRows],
    start: RoutersAndHeads,
    bank: Bank,
    label_space: LabelSpace,
    how: str,
    settings: RouterNetworkSettings,
) -> TrainingResult[RoutersAndHeads]:
    """Trains the routers on the memory, through the composition, by the task loss.

    In CIL the loss is cross-entropy over the union of labels under the rule that is used at test, but for `top1`: that
    has no gradient for the routers and an infinite loss where they are wrong, so they are trained and judged under
    `compose` **(ours)**. In DIL the heads are merged with the mean weights. In TIL each row is answered by its own
    task's head. Rows count alike, whatever `class_weights` says **(ours)**.

    The best epoch is the one with the lowest loss on the rows held back. Their accuracy says little: adapters and heads
    were trained on the memory's rows and answer most of them under any weights **(ours)**.

    Args:
        context: the memory of all tasks, parted into rows that train and rows that judge, and how to train; its epochs,
            learning rate, batch size and patience are not read.
        start: where routers and heads begin; not changed.
        bank: the K finished adapters, on the device.
        label_space: which heads speak for a row.
        how: the composition, one with a gradient for the weights.
        settings: epochs, learning rate, batch size and patience of the routers.

    Raises:
        RunStopped: `context.callbacks.stop` said so.
        UserError: a loss or a weight is no longer finite.
        ValueError: the composition has no gradient for the weights.
    """
    if not COMPOSITIONS[how].traits.differentiable:
        raise ValueError(f"'{how}' has no gradient for the routers; compose by average or merge")
    train_settings = context.settings.model_copy(
        update={
            "epochs": settings.router_epochs,
            "learning_rate": settings.router_learning_rate,
            "batch_size": settings.router_batch_size,
            "patience": settings.router_patience,
        }
    )
    divergence = replace(
        context.divergence,
        rate="router_learning_rate",
        usual=RouterNetworkSettings().router_learning_rate,
    )
    context = replace(context, settings=train_settings, divergence=divergence)
    frozen = bank.with_parameters([tensor.detach() for tensor in bank.parameters()])

    def objective(weights: RoutersAndHeads) -> RouterObjective:
        return RouterObjective(context, weights, frozen, label_space, how)

    return context.minimise(start, objective, best_by="loss")


def trainable(label_space: LabelSpace) -> LabelSpace:
    """The same, under a rule that the routers can learn from."""
    return replace(label_space, rule="compose") if label_space.rule == "top1" else label_space


@dataclass
class RouterObjective(TrainingObjective[MixedRows]):
    """Cross-entropy of what routers, adapters and heads answer together; see `fit_routers` for the fields."""

    weights: RoutersAndHeads
    bank: Bank
    label_space: LabelSpace
    how: str

    def __post_init__(self) -> None:
        self._parts = RoutedBank.of(self.bank, self.weights.network)

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Mean cross-entropy (nats) of a batch, with the gates' noise."""
        train = self.context.train
        logits = trainable(self.label_space).row_logits(*self._asked(train, rows, noise=True))
        return answer_loss(logits, train, rows)

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """Mean cross-entropy (nats) and accuracy on the validation samples, without noise."""
        data, where = self.context.validation, self.context.device.torch_device
        loss = torch.zeros((), dtype=torch.float64, device=where)
        predictions = torch.empty_like(data.labels, device=where)
        for rows in length_batches(data.encoding.lengths, 2 * self.context.settings.batch_size):
            asked = self._asked(data, rows, noise=False)
            loss += answer_loss(
                trainable(self.label_space).row_logits(*asked), data, rows, reduction="sum"
            ).double()
            predictions[rows] = among(self.label_space.row_logits(*asked), data).argmax(dim=1)
        right = answer_credit(predictions.cpu(), data.labels, data.votes)
        return float(loss) / len(data), float(right.double().mean())

    def _asked(
        self, data: MixedRows, rows: Sequence[int], noise: bool
    ) -> tuple[Tensor, Sequence[Head], Tensor, Tensor]:
        """What `LabelSpace.row_logits` takes: (B, d) states, the heads, the rows' tasks (B,), and (B, K) weights."""
        context, network = self.context, self.weights.network
        batch = context.backbone.collate(data.encoding, rows, context.device.torch_device)
        seen = context.backbone.seen(batch)
        masks = partial(context.backbone.mask_at, batch)
        routed = RoutedPass(self._parts, network, masks, self.how, noise, seen)
        with context.device.autocast():
            output = routed.run(context.backbone, batch)
            pooled = context.backbone.read(output, context.settings.head_pooling)
        tasks = data.tasks[list(rows)].to(pooled.device)
        return pooled, self.weights.heads, tasks, routed.mean_weights
