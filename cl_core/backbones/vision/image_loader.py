"""Vision backbones from checkpoints: open_clip's by tag or from a folder, and those of transformers.

open_clip and torchvision are imported when a backbone asks for them. Weights of folders are read from safetensors only;
those of a tag are fetched and read by open_clip, tensors alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cl_core.backbones.checkpoint_files import check_weights, checkpoint_faults, read_config
from cl_core.backbones.loading_noise import quiet_open_clip, quiet_transformers
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.picture_size import image_processor, see_at, side_of
from cl_core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from PIL.Image import Image

OPEN_CLIP_CONFIG = "open_clip_config.json"
OPEN_CLIP = "open_clip:"
"""What the name of a model of open_clip begins with."""
VISION_MODELS = {
    "vit": "ViTModel",
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "clip": "CLIPVisionModel",
    "clip_vision_model": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
}
"""By `model_type` of the checkpoints of transformers that are read as vision backbones, the class of the tower."""


def load_tagged(settings: BackboneSettings) -> ImageBackbone:
    """`open_clip:MODEL/TAG`: a model of open_clip with the weights of one of its tags.

    Raises:
        UserError: no such model or tag, or weights that can be neither found nor fetched.
    """
    open_clip = _open_clip(settings)
    model, _, tag = settings.name.removeprefix(OPEN_CLIP).partition("/")
    models = open_clip.list_models()
    if model not in models:
        raise UserError(
            f"open_clip has no model '{model}' in backbone '{settings.name}'; "
            f"open_clip.list_models() lists {len(models)}.{did_you_mean(model, models)}"
        )
    tags = open_clip.list_pretrained_tags_by_model(model)
    if tag not in tags:
        raise UserError(
            f"open_clip's model '{model}' has no weights '{tag}' in backbone '{settings.name}'; write "
            f"{OPEN_CLIP}{model}/TAG with one of {', '.join(tags) or 'none: use the folder of a checkpoint'}"
        )
    with quiet_open_clip():
        try:
            clip, _, preprocess = open_clip.create_model_and_transforms(model, pretrained=tag)
        except (OSError, RuntimeError, ValueError) as error:
            raise UserError(
                f"the weights of backbone '{settings.name}' can be neither found in the cache nor fetched: {error}. "
                "Go online once, or give the folder of a checkpoint"
            ) from error
    classes = _zero_shot(clip, open_clip.get_tokenizer(model), settings.prompt)
    return _backbone(clip.visual, preprocess, settings, None, classes)


def load_open_clip(folder: Path, settings: BackboneSettings, revision: str | None) -> ImageBackbone:
    """A folder with open_clip_config.json and open_clip_model.safetensors, as open_clip's push_to_hub writes it.

    Raises:
        UserError: files that are missing, damaged, or do not fit each other.
    """
    open_clip = _open_clip(settings)
    if not any(folder.glob("*.safetensors")):
        raise UserError(
            f"backbone '{settings.name}' has no weights in safetensors in {folder}; pickled weights are not read"
        )
    read_config(folder / OPEN_CLIP_CONFIG, settings.name)
    with quiet_open_clip(), checkpoint_faults(f"backbone '{settings.name}' in {folder}", folder):
        clip, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
        tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    classes = _zero_shot(clip, tokenizer, settings.prompt)
    return _backbone(clip.visual, preprocess, settings, revision, classes)


def load_vision(folder: Path, settings: BackboneSettings, revision: str | None) -> ImageBackbone:
    """A vision checkpoint of transformers (`VISION_MODELS`), with its image processor, for pictures of one size.

    Raises:
        UserError: files that are missing, damaged, or do not fit each other, or a `picture_size` that it cannot see.
    """
    import transformers
    from PIL import Image

    what = f"backbone '{settings.name}' in {folder}"
    with checkpoint_faults(what, folder):
        kind = transformers.AutoConfig.from_pretrained(
            str(folder), local_files_only=True
        ).model_type
        options: dict[str, Any] = {"add_pooling_layer": False} if kind == "vit" else {}
        with quiet_transformers():
            model, report = getattr(transformers, VISION_MODELS[kind]).from_pretrained(
                str(folder),
                dtype=getattr(torch, settings.dtype),
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                **options,
            )
        preprocess = Processor(image_processor(folder, settings.picture_size))
    check_weights(model, report, what)
    with checkpoint_faults(what, folder):
        see_at(model, preprocess(Image.new("RGB", (64, 48))), settings.name)
    backbone = _backbone(model, preprocess, settings, revision)
    side = side_of(model.config.image_size) // side_of(model.config.patch_size)
    if (
        math.isqrt(backbone.tokens) != side
    ):  # who averages patches tells them from what is before them by number
        raise UserError(
            f"{what} sees {side} x {side} patches, fewer than go with its {backbone.tokens - side**2} other tokens; "
            "choose a larger picture_size"
        )
    return backbone


class Processor:
    """An image processor of transformers as a function of one picture, with a name that says all it does."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def __call__(self, picture: Image) -> Tensor:
        """(3, H, W) pixels."""
        pixels: Tensor = self._processor(images=picture, return_tensors="pt")["pixel_values"][0]
        return pixels

    def __repr__(self) -> str:
        return json.dumps(self._processor.to_dict(), sort_keys=True, default=str)


class _StablePreprocessing:
    """A preprocessing whose name holds no address, so that it is the same in every process."""

    def __init__(self, preprocess: Callable[[Image], Tensor]) -> None:
        self._preprocess = preprocess

    def __call__(self, picture: Image) -> Tensor:
        return self._preprocess(picture)

    def __repr__(self) -> str:
        return re.sub(r" at 0x[0-9a-f]+", "", repr(self._preprocess))


def _backbone(
    model: nn.Module,
    preprocess: Callable[[Image], Tensor],
    settings: BackboneSettings,
    revision: str | None,
    classes: Callable[[Sequence[str]], Tensor] | None = None,
) -> ImageBackbone:
    model = model.to(getattr(torch, settings.dtype))
    return ImageBackbone(
        model,
        _StablePreprocessing(preprocess),
        name=settings.name,
        revision=revision,
        classes=classes,
        unscaled=settings.layer_scale_sites == "before",
    )


def _zero_shot(
    clip: Any, tokenizer: Callable[[list[str]], Tensor], prompt: str
) -> Callable[[Sequence[str]], Tensor] | None:
    """Names of C classes -> (C, d) weights t P'; t: the prompts' embeddings at length 1, P: the tower's projection.

    The class token's score for a class is then its embedding's product with the class's. None where the tower has no
    such projection.
    """
    projection = getattr(clip.visual, "proj", None)
    if not isinstance(projection, Tensor):
        return None
    clip.eval()

    @torch.no_grad()
    def classes(names: Sequence[str]) -> Tensor:
        tokens = tokenizer([prompt.replace("{}", name.replace("_", " ")) for name in names])
        words: Tensor = clip.encode_text(tokens, normalize=True)
        # The vision tower may have gone to a GPU; the text tower stays where it was made.
        return words.float() @ projection.detach().float().cpu().T

    return classes


def _open_clip(settings: BackboneSettings) -> Any:
    if settings.picture_size is not None:
        raise UserError(
            f"picture_size={settings.picture_size}, but backbone '{settings.name}' is a model of open_clip, which sees "
            "pictures at its own size; leave picture_size out"
        )
    try:
        import open_clip
    except ImportError as error:
        raise UserError(
            "this backbone needs open_clip and torchvision, which are not installed; "
            f"run: pip install open_clip_torch torchvision ({error})"
        ) from error
    return open_clip
