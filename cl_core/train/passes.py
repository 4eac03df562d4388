"""What every objective does with rows: run them through the backbone, and score those that are kept apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from cl_core.adapters.adapter import Transform
from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.data import MixedRows, Rows, among, answer_credit, answer_loss


def pooled_states(
    backbone: Backbone,
    data: Rows | MixedRows,
    rows: Sequence[int],
    transforms: Mapping[str, Transform],
    pooling: str,
    device: Device,
) -> Tensor:
    """(B, d) pooled last hidden states of some rows, with a gradient to whatever the transforms learn."""
    batch = backbone.collate(data.encoding, rows, device.torch_device)
    with device.autocast():
        output = backbone(batch, transforms)
        return backbone.read(output, pooling)


@torch.no_grad()
def mean_cross_entropy(
    data: Rows | MixedRows,
    batch_size: int,
    device: Device,
    logits: Callable[[Sequence[int]], Tensor],
) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy of at least one row; VQA accuracy where there are votes.

    Args:
        data: the rows, with their labels.
        batch_size: rows per call of `logits`.
        device: where.
        logits: (B, C) logits of some rows.
    """
    loss = torch.zeros((), dtype=torch.float64, device=device.torch_device)
    predictions = torch.empty_like(data.labels, device=device.torch_device)
    for rows in length_batches(data.encoding.lengths, batch_size):
        scores = logits(rows)
        loss += answer_loss(scores, data, rows, reduction="sum").double()
        predictions[rows] = among(scores, data).argmax(dim=1)
    right = answer_credit(predictions.cpu(), data.labels, data.votes)
    return float(loss) / len(data), float(right.double().mean())
