"""Features of the frozen backbone without adapters; DAM's router embedding is one of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import Encoded
from cl_core.errors import UserError

POOLINGS = ("mean", "cls", "max")


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """Makes one vector of each sample's tokens.

    Args:
        hidden: (B, T, d).
        mask: (B, T), 1 for tokens and 0 for padding; at least one token each.
        how: "mean" over the tokens, special tokens included (DAM's masked mean); "cls", the first token; "max" over
            the tokens, per dimension.

    Returns:
        (B, d), of `hidden`'s type.

    Raises:
        UserError: another `how`.
    """
    match how:
        case "mean":
            share = mask.to(hidden.dtype)
            share = share / share.sum(dim=1, keepdim=True)
            # A product of matrices makes no second (B, T, d); autocast would round its operands to half precision.
            with torch.autocast(hidden.device.type, enabled=False):
                return torch.bmm(share.unsqueeze(1), hidden).squeeze(1)
        case "cls":
            return hidden[:, 0]
        case "max":
            return hidden.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(dim=1)
        case _:
            raise UserError(f"there is no pooling '{how}'; choose one of {', '.join(POOLINGS)}")


def layer_index(layer: int, n_blocks: int) -> int:
    """Which of the L + 1 hidden states `layer` means, 0..L; negative counts from the end.

    Raises:
        UserError: there is no such hidden state.
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
    encoding: Encoded,
    layer: int = -4,
    pooling: str = "mean",
    batch_size: int = 32,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """Pooled hidden states of the backbone without adapters; the defaults are DAM's router embedding.

    `e(x) = masked mean of an intermediate layer's output`, layer 21 of 24, the fourth entry from the end of the hidden
    states (DAM, arXiv 2403.08755). It is not normalised. Blocks above the layer do not run.

    Args:
        backbone: frozen.
        encoding: N tokenised texts.
        layer: which of the L + 1 hidden states; negative counts from the end.
        pooling: "mean", "cls" or "max".
        batch_size: texts per forward pass; it changes results by no more than rounding.
        autocast: makes the context in which forward passes run (`Device.autocast`).
        progress: called with (texts done, texts in all).

    Returns:
        (N, d) float32 on the CPU, in the order of the texts.

    Raises:
        UserError: no such layer or pooling.
    """
    stop_after = layer_index(layer, backbone.n_blocks)
    if pooling not in POOLINGS:
        raise UserError(f"there is no pooling '{pooling}'; choose one of {', '.join(POOLINGS)}")
    device = backbone.device
    # Collected on the device and fetched once: a copy per batch would make a GPU wait.
    features = torch.empty(len(encoding), backbone.hidden_size, device=device)
    done = 0
    for rows in length_batches(encoding.lengths, batch_size):
        batch = backbone.collate(encoding, rows, device)
        with autocast():
            output = backbone(batch, stop_after=stop_after)
        # Pooled outside autocast and in float32: sums of many tokens lose digits in half precision.
        pooled = pool(output.last_hidden_state.float(), batch.attention_mask, pooling)
        features[torch.as_tensor(rows, device=device)] = pooled
        done += len(rows)
        progress(done, len(encoding))
    return features.cpu()
