"""The pooled last hidden state of each sample under its own merged adapter, and which samples need
it computed.

Isolated adapters never change, so a sample whose adapters and weights are what they were before the
newest task has the state that it had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from cl_core.adapters.adapter import Transform
from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import BackboneInput
from cl_core.backbones.inference import Inference


def changed_rows(
    old_adapters: Sequence[str],
    old_weights: Tensor,
    adapters: Sequence[str],
    weights: Tensor,
) -> Tensor:
    """Which rows route to other adapters, or to the same ones with other weights.

    Args:
        old_adapters: K' names, the columns of `old_weights`.
        old_weights: (N, K').
        adapters: K names, the columns of `weights`.
        weights: (N, K).

    Returns:
        (N,) bool. Weights are compared exactly.
    """
    position = {adapter: column for column, adapter in enumerate(adapters)}
    aligned = torch.zeros_like(weights)
    gone = torch.zeros(len(weights), dtype=torch.bool)
    for column, adapter in enumerate(old_adapters):
        if adapter in position:
            aligned[:, position[adapter]] = old_weights[:, column]
        else:
            gone |= old_weights[:, column] != 0
    return gone | (aligned != weights).any(dim=1)


@torch.no_grad()
def states_under(
    backbone: Backbone,
    encoding: BackboneInput,
    rows: Sequence[int],
    make_transforms: Callable[[list[int]], Mapping[str, Transform]],
    inference: Inference,
) -> Tensor:
    """Runs the backbone with whatever `make_transforms` puts at its sites.

    Args:
        backbone: frozen.
        encoding: tokenised rows.
        rows: n positions in `encoding`.
        make_transforms: from the places in `rows` of a batch's samples to its transforms.
        inference: pooling, batch size, device and progress.

    Returns:
        (n, d) float32 on the CPU, in the order of `rows`.
    """
    device, done = inference.device, 0
    lengths = [encoding.lengths[row] for row in rows]
    states = torch.empty(len(rows), backbone.read_size, device=device.torch_device)
    for positions in length_batches(lengths, inference.batch_size):
        batch = backbone.collate(encoding, [rows[i] for i in positions], device.torch_device)
        chosen = make_transforms(positions)
        with device.autocast():
            output = backbone(batch, chosen)
        states[positions] = backbone.read(output, inference.pooling).float()
        done += len(positions)
        inference.progress(done, len(rows))
    return states.cpu()
