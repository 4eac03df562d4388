"""Vision towers by layout: where each keeps its blocks, what is added to the residual stream, and its final norm.

`sites.py` is the table of text encoders. Here a row is found by looking at the model, since one name of open_clip
stands for several layouts and transformers renames modules between releases. open_clip's attention calls its output
projection as a function, so a hook on `attn.out_proj` would never fire: sites are `ls_1` and `ls_2`, the last modules
before each residual add (layer scale, or the identity); in timm `drop_path1` and `drop_path2`, which do nothing.

DINOv2 has a layer scale, h -> gamma h with one learnt gamma for each of the d numbers. Its sites stand after it unless
something else is asked for **(ours)**: a bottleneck then changes what is added to the residual stream, as in all other
layouts; before it, whatever the bottleneck does is multiplied by gamma as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from cl_core.backbones.sites import Site, Sublayer
from cl_core.backbones.vision.picture_size import side_of
from cl_core.errors import UserError


@dataclass(frozen=True)
class VitLayout:
    """One layout of a vision transformer.

    Attributes:
        title: the name that people use.
        blocks: path of the list of blocks.
        attention: in a block, path of the last module of attention before the residual add.
        ffn: the same for the FFN.
        encode: (model, (B, 3, H, W) pixels) -> (B, T, d), normed hidden states of the last block.
        tokens: model -> T, class token and registers included.
        unscaled: in a block, what attention and the FFN give before a layer scale; () where there is none.
        model_types: of transformers' configuration, where the modules alone do not tell a layout from the next.
    """

    title: str
    blocks: str
    attention: str
    ffn: str
    encode: Callable[[Any, Tensor], Tensor]
    tokens: Callable[[Any], int]
    unscaled: tuple[str, str] | tuple[()] = ()
    model_types: tuple[str, ...] = ()

    def fits(self, model: nn.Module) -> bool:
        """Whether the model has all of these modules."""
        kind = getattr(getattr(model, "config", None), "model_type", "")
        if self.model_types and kind not in self.model_types:
            return False
        try:
            first = next(model.get_submodule(self.blocks).children())
            first.get_submodule(self.attention)
            first.get_submodule(self.ffn)
        except (AttributeError, StopIteration):
            return False
        return True

    def modules(self, model: nn.Module) -> list[nn.Module]:
        """The L blocks."""
        return list(model.get_submodule(self.blocks).children())

    def sites(self, model: nn.Module, unscaled: bool = False) -> tuple[Site, ...]:
        """All 2 L sites, ordered block0.attention, block0.ffn, block1.attention, ...

        Args:
            model: that has them.
            unscaled: before the layer scale and not after it.

        Raises:
            UserError: before it, where there is none.
        """
        attention, ffn = self.attention, self.ffn
        if unscaled:
            if not self.unscaled:
                raise UserError(
                    f"layer_scale_sites=before, but a {self.title} has no layer scale here; leave it out"
                )
            attention, ffn = self.unscaled
        sublayers: Sequence[tuple[Sublayer, str]] = (("attention", attention), ("ffn", ffn))
        return tuple(
            Site(f"block{block}.{sublayer}", block, sublayer, f"{self.blocks}.{block}.{path}")
            for block in range(len(self.modules(model)))
            for sublayer, path in sublayers
        )


def _open_clip(model: Any, pixels: Tensor) -> Tensor:
    hidden: Tensor = model.transformer(model._embeds(pixels))
    if model.attn_pool is not None:  # CoCa: the norm comes after a pooling that changes the width
        return hidden
    normed: Tensor = model.ln_post(hidden)
    return normed


def _open_clip_tokens(model: Any) -> int:
    return int(model.positional_embedding.shape[0])


def _timm(model: Any, pixels: Tensor) -> Tensor:
    hidden: Tensor = model.trunk.forward_features(pixels)
    return hidden


def _timm_tokens(model: Any) -> int:
    trunk = model.trunk
    return int(trunk.patch_embed.num_patches) + int(trunk.num_prefix_tokens)


def _transformers(model: Any, pixels: Tensor) -> Tensor:
    hidden: Tensor = model(pixel_values=pixels).last_hidden_state
    return hidden


def _clip(model: Any, pixels: Tensor) -> Tensor:
    # transformers norms the pooled token alone; normed here are all of them, as in open_clip.
    inner = getattr(model, "vision_model", model)
    hidden: Tensor = inner.post_layernorm(_transformers(model, pixels))
    return hidden


def _patches(model: Any) -> int:
    return _patches_alone(model) + 1 + int(getattr(model.config, "num_register_tokens", 0))


def _patches_alone(model: Any) -> int:
    config = model.config
    return (side_of(config.image_size) // side_of(config.patch_size)) ** 2


VIT_LAYOUTS: tuple[VitLayout, ...] = (
    VitLayout(
        "open_clip ViT", "transformer.resblocks", "ls_1", "ls_2", _open_clip, _open_clip_tokens
    ),
    VitLayout(
        "timm ViT in open_clip", "trunk.blocks", "drop_path1", "drop_path2", _timm, _timm_tokens
    ),
    VitLayout(
        "SigLIP",
        "encoder.layers",
        "self_attn.out_proj",
        "mlp.fc2",
        _transformers,
        _patches_alone,
        model_types=("siglip_vision_model",),
    ),
    VitLayout("CLIP", "encoder.layers", "self_attn.out_proj", "mlp.fc2", _clip, _patches),
    VitLayout(
        "CLIP", "vision_model.encoder.layers", "self_attn.out_proj", "mlp.fc2", _clip, _patches
    ),
    VitLayout(
        "DINOv2",
        "encoder.layer",
        "layer_scale1",
        "layer_scale2",
        _transformers,
        _patches,
        # Whole sublayers: transformers calls their last linear layers by other names from release to release.
        unscaled=("attention", "mlp"),
    ),
    VitLayout("ViT", "layers", "attention.o_proj", "mlp.fc2", _transformers, _patches),
    VitLayout(
        "ViT", "encoder.layer", "attention.output.dense", "output.dense", _transformers, _patches
    ),
)
"""All layouts; the first that fits is taken."""


def layout_of(model: nn.Module, name: str) -> VitLayout:
    """The layout of a vision model.

    Raises:
        UserError: no layout fits, as for convolutional towers.
    """
    for layout in VIT_LAYOUTS:
        if layout.fits(model):
            return layout
    supported = ", ".join(dict.fromkeys(layout.title for layout in VIT_LAYOUTS))
    raise UserError(
        f"backbone '{name}' has no vision transformer that is known here ({type(model).__name__}); supported are "
        f"{supported}. To add one, give VIT_LAYOUTS in cl_core/backbones/vision/vit_layouts.py a row "
        "(docs/backbones.md)."
    )
