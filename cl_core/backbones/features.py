"""Features of the frozen backbone without adapters; DAM's router embedding is one of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor

from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import BackboneInput
from cl_core.backbones.pooling import POOLINGS, pool
from cl_core.errors import UserError

Parts = Literal["both", "text", "vision"]
"""Of the router embedding of a backbone that sees."""


def layer_index(layer: int, n_blocks: int) -> int:
    """Which of the L + 1 hidden states `layer` means, 0..L; negative counts from the end.

    Raises:
        UserError: there is no such hidden state.

    >>> layer_index(-4, n_blocks=6)  # DAM: the fourth from the end
    3
    """
    states = n_blocks + 1
    if not -states <= layer < states:
        raise UserError(
            f"layer {layer} does not exist: a backbone with {n_blocks} blocks has hidden states 0 (the embeddings) to "
            f"{n_blocks}, or -{states} to -1 counted from the end"
        )
    return layer % states


@torch.no_grad()
def extract_features(
    backbone: Backbone,
    encoding: BackboneInput,
    layer: int = -4,
    pooling: str = "mean",
    batch_size: int = 32,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
    progress: Callable[[int, int], None] = lambda done, total: None,
    parts: Parts = "both",
) -> Tensor:
    """Pooled hidden states of the backbone without adapters; the defaults are DAM's router embedding.

    `e(x) = [mean over what is seen ; masked mean of an intermediate layer's output]`, layer 21 of 24, the fourth entry
    from the end of the hidden states (DAM, arXiv 2403.08755). Neither part is normalised. Where the backbone sees
    nothing there is no first part. Blocks above the layer do not run.

    Args:
        backbone: frozen.
        encoding: N tokenised texts.
        layer: which of the L + 1 hidden states; negative counts from the end.
        pooling: "mean", "cls" or "max".
        batch_size: texts per forward pass; it changes results by no more than rounding.
        autocast: makes the context in which forward passes run (`Device.autocast`).
        progress: called with (texts done, texts in all).
        parts: which of the two parts, where the backbone sees.

    Returns:
        (N, d) float32 on the CPU, in the order of the texts; (N, v + d) or (N, v) with what is seen.

    Raises:
        UserError: no such layer or pooling.
    """
    stop_after = layer_index(layer, backbone.n_blocks)
    if pooling not in POOLINGS:
        raise UserError(f"there is no pooling '{pooling}'; choose one of {', '.join(POOLINGS)}")
    device = backbone.device
    # Collected on the device and fetched once: a copy per batch would make a GPU wait.
    features, done = torch.empty(0, backbone.hidden_size), 0
    for rows in length_batches(encoding.lengths, batch_size):
        batch = backbone.collate(encoding, rows, device)
        with autocast():
            output = backbone(batch, stop_after=stop_after)
        # Pooled outside autocast and in float32: sums of many tokens lose digits in half precision.
        pooled = pool(output.last_hidden_state.float(), output.attention_mask, pooling)
        seen = backbone.seen(batch) if parts != "text" else None
        if seen is not None:
            pooled = seen.float() if parts == "vision" else torch.cat([seen.float(), pooled], dim=1)
        if done == 0:
            features = pooled.new_empty(len(encoding), pooled.shape[1])
        features[torch.as_tensor(rows, device=device)] = pooled
        done += len(rows)
        progress(done, len(encoding))
    return features.cpu()
