"""At how many pixels a vision transformer of `transformers` sees pictures: its preprocessing, and its positions.

Positions are learnt for one grid of patches. At another one transformers interpolates them bicubically, some of its
models anew in every pass and others not at all; here it is done once, as the model is loaded, by the model's own
function. The states are those that the model would give, bit for bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cl_core.errors import UserError
from cl_core.limits import PICTURE_SIDE


def image_processor(folder: Path, side: int | None) -> Any:
    """A checkpoint's image processor, or the same one for pictures of another side.

    What is cut off around the middle stays the same part of a picture: 256 and 224 pixels become 128 and 112.

    Args:
        folder: of the checkpoint.
        side: in pixels; None for its own.

    Raises:
        TooLarge: its own makes larger pictures than are looked at.
    """
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(str(folder), local_files_only=True)
    for field in ("size", "crop_size"):
        for edge, length in dict(getattr(processor, field, None) or {}).items():
            if length is not None:
                PICTURE_SIDE.check(f"{field} ({edge}) of preprocessor_config.json", length)
    if side is None:
        return processor
    size = {edge: length for edge, length in dict(processor.size).items() if length is not None}
    square = {"height": side, "width": side}
    options: dict[str, Any] = {"size": square if "height" in size else {"shortest_edge": side}}
    if getattr(processor, "do_center_crop", False):
        before = int(processor.crop_size["height"])
        options = {
            "size": {edge: round(length * side / before) for edge, length in size.items()},
            "crop_size": square,
        }
    return AutoImageProcessor.from_pretrained(str(folder), local_files_only=True, **options)


def see_at(model: nn.Module, pixels: Tensor, name: str) -> None:
    """Lets a model see pictures as its preprocessing makes them: where their side is not the model's, positions change.

    Args:
        model: a ViT, DINOv2, CLIP or SigLIP of transformers, changed in place.
        pixels: (3, H, W) of any picture that is no square itself.
        name: of the backbone.

    Raises:
        UserError: what preprocessing makes is no square, or no whole number of patches.
    """
    height, side = int(pixels.shape[1]), int(pixels.shape[2])
    if height != side:
        raise UserError(
            f"backbone '{name}': its image processor makes {height} x {side} pixels of a picture of 48 x 64; only "
            "squares are read: give its preprocessor_config.json a crop_size, or a size with height and width"
        )
    config: Any = model.config
    patch = side_of(config.patch_size)
    if side == side_of(config.image_size):
        return
    if side % patch or side < patch:
        nearest = max(1, round(side / patch)) * patch
        raise UserError(
            f"backbone '{name}' sees patches of {patch} x {patch} pixels, of which a picture of {side} has no whole "
            f"number; use --set picture_size={nearest}"
        )
    _interpolate(model, side, side // patch)


def side_of(size: Any) -> int:
    """A side in pixels, which configurations write as a number or as one for each side."""
    return int(size[0] if isinstance(size, list | tuple) else size)


@torch.no_grad()
def _interpolate(model: nn.Module, side: int, patches: int) -> None:
    """Exchanges the positions for those of patches x patches, by the model's own function."""
    inner: Any = getattr(model, "vision_model", model)
    embeddings = inner.embeddings
    as_parameter = isinstance(getattr(embeddings, "position_embeddings", None), nn.Parameter)
    before = (
        embeddings.position_embeddings[0] if as_parameter else embeddings.position_embedding.weight
    )
    others = (
        len(before) - (side_of(inner.config.image_size) // side_of(inner.config.patch_size)) ** 2
    )
    tokens = before.new_zeros(1, others + patches**2, before.shape[1])
    after = embeddings.interpolate_pos_encoding(tokens, side, side).clone()
    if as_parameter:
        embeddings.position_embeddings = nn.Parameter(after)
    else:
        embeddings.position_embedding = nn.Embedding(
            after.shape[1], after.shape[2], _weight=after[0]
        )
        embeddings.position_ids = torch.arange(after.shape[1]).unsqueeze(0)
    # What the model compares pictures with before it looks at them.
    for module in (embeddings, getattr(embeddings, "patch_embeddings", embeddings)):
        if hasattr(module, "image_size"):
            pair = isinstance(module.image_size, list | tuple)
            module.image_size = (side, side) if pair else side
        if hasattr(module, "num_patches"):
            module.num_patches = patches**2
        if hasattr(module, "num_positions"):
            module.num_positions = after.shape[1]
    configs: tuple[Any, ...] = (inner.config, model.config)
    for config in configs:
        config.image_size = side
