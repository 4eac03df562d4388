"""LwF: the new rows are to get, from the old heads, the answers that they got before the task was learnt.

    penalty = lambda T^2 sum over old heads of KL( softmax(old / T) || softmax(now / T) )

Li and Hoiem 2016 (arXiv 1606.09282), equation 3, whose cross-entropy of soft answers differs from the divergence by a
constant. T^2 keeps the gradient's size whatever T is (Hinton et al. 2015). No earlier row is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.label_space import LabelSpace
from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.data import MixedRows
from cl_core.train.settings import BaselineSettings, TrainSettings
from cl_core.train.shared_objective import SharedWeights, shared_states


@torch.no_grad()
def old_answers(
    backbone: Backbone,
    start: SharedWeights,
    new: MixedRows,
    label_space: LabelSpace,
    settings: TrainSettings,
    device: Device,
) -> tuple[Tensor, ...]:
    """What the model answers for the new rows before it learns them.

    Args:
        backbone: frozen.
        start: the weights as the last task left them; beside the old heads, the new task's last (not in DIL).
        new: N rows.
        label_space: its protocol says which heads are old: in DIL the one there is, else all but the last.
        settings: what the heads read, and the batch size.
        device: where.

    Returns:
        For each old head (N, C_t) logits, on the device.
    """
    where = device.torch_device
    weights = start.to(where)
    heads = weights.heads if label_space.protocol == "dil" else weights.heads[:-1]
    kept = tuple(torch.empty(len(new), len(head.bias), device=where) for head in heads)
    for rows in length_batches(new.encoding.lengths, 2 * settings.batch_size):
        pooled = shared_states(backbone, weights, new, rows, settings, device)
        here = torch.as_tensor(rows, device=where)
        for answers, head in zip(kept, heads, strict=True):
            answers[here] = head.logits(pooled)
    return kept


@dataclass(frozen=True)
class LwFPenalty:
    """lambda T^2 sum over old heads of the divergence from what they answered before.

    Attributes:
        kept: for each old head, (N, C_t) logits of the new rows.
        settings: `lwf_lambda`, `lwf_temperature`.
    """

    kept: tuple[Tensor, ...]
    settings: BaselineSettings

    def value(self, weights: SharedWeights, rows: Sequence[int], pooled: Tensor) -> Tensor:
        """The penalty for a batch, the mean over its rows (nats)."""
        temperature = self.settings.lwf_temperature
        here = torch.as_tensor(rows, device=pooled.device)
        total = pooled.new_zeros((), dtype=torch.float32)
        for answers, head in zip(
            self.kept, weights.heads, strict=False
        ):  # the new head is the last
            now = F.log_softmax(head.logits(pooled) / temperature, dim=1)
            before = F.log_softmax(answers[here] / temperature, dim=1)
            total = total + F.kl_div(now, before, reduction="batchmean", log_target=True)
        return self.settings.lwf_lambda * temperature**2 * total
