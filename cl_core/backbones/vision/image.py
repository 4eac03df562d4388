"""A frozen vision transformer: pictures in, hidden states out; see `encoder.py` for its sites."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cl_core.backbones.encoder import Encoder, LabelHead
from cl_core.backbones.fingerprint import hash_weights
from cl_core.backbones.vision.pictures import PictureBatch, Pictures, ground_of, picture_batch
from cl_core.backbones.vision.vit_layouts import layout_of

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageBackbone", "PictureBatch", "Pictures"]


class ImageBackbone(Encoder[PictureBatch]):
    """A vision transformer of open_clip, timm or `transformers`, frozen.

    Args:
        model: the vision tower alone.
        preprocess: the model's own, (PIL picture) -> (3, H, W) float32.
        name: as the user calls it.
        revision: the pinned commit of a checkpoint from the hub, else None.
        classes: names of C classes -> (C, d) weights that score the normed class token, where the tower came with a
            text tower that it was trained with (CLIP); else None.
        unscaled: whether sites stand before a layer scale and not after it.

    Attributes:
        tokens: T, how many tokens a picture has, class token included.

    Raises:
        UserError: a tower without a row in `vit_layouts.py`, or without a layer scale to stand before.
    """

    kinds = ("image",)

    def __init__(
        self,
        model: nn.Module,
        preprocess: Callable[[Image], Tensor],
        *,
        name: str,
        revision: str | None,
        classes: Callable[[Sequence[str]], Tensor] | None = None,
        unscaled: bool = False,
    ) -> None:
        layout = layout_of(model, name)
        blocks = layout.modules(model)
        # What preprocessing does is as much a part of the backbone as its weights.
        prepared = hashlib.sha256(repr(preprocess).encode()).hexdigest()
        # And so is where an adapter stands in it, of which artifacts of adapters say no more than the site's name.
        parts = [hash_weights(model), prepared, *(["before the layer scale"] if unscaled else [])]
        super().__init__(
            model,
            blocks,
            layout.sites(model, unscaled),
            hidden_size=_width(blocks[0]),
            name=name,
            revision=revision,
            fingerprint=hashlib.sha256(" ".join(parts).encode()).hexdigest(),
        )
        self.layout = layout
        self.preprocess = preprocess
        self.classes = classes
        self.tokens = layout.tokens(model)

    def encode(self, rows: Mapping[str, Sequence[Any]]) -> Pictures:
        """The pictures of the column `image`, to be decoded when a batch asks for them.

        Args:
            rows: columns by name; `ground`, where there is one, says what shows where the pictures are transparent.
        """
        return Pictures.of(rows["image"], self.tokens, ground_of(rows))

    def _collate(
        self, encoding: Pictures, indices: Sequence[int], device: torch.device
    ) -> PictureBatch:
        return picture_batch(encoding, indices, self.preprocess, device)

    def label_head(self, names: Sequence[str]) -> LabelHead | None:
        """CLIP's zero-shot classifier (Radford et al. 2021, section 3.1); None without a text tower.

        Pictures' lengths are not brought to 1, which changes no sample's best class.
        """
        if self.classes is None:
            return None
        weight = self.classes(names).float().to(self.device)
        return LabelHead(weight, weight.new_zeros(len(names)), "cls", zero_shot=True)

    def run(self, batch: PictureBatch) -> Tensor:
        """The (B, T, d) last hidden state, normed."""
        dtype = next(self.model.parameters()).dtype
        return self.layout.encode(self.model, batch.pixels.to(dtype))


def _width(block: nn.Module) -> int:
    """d, from the block's first norm: all layouts begin with one."""
    norm: Any = next(module for module in block.modules() if isinstance(module, nn.LayerNorm))
    return int(norm.normalized_shape[0])
