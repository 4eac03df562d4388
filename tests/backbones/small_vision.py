"""A small vision transformer with random weights, its checkpoint, pictures and clips for it, and texts that see."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.vision_encoder import VisionEncoder
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.synthetic.png import animation

SIDE = 32


def preprocess(picture: Image.Image) -> Tensor:
    small = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 127.5 - 1


def hf_vit() -> nn.Module:
    from transformers import ViTConfig, ViTModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = ViTConfig(**sizes, intermediate_size=64, image_size=SIDE, patch_size=8)
    model: nn.Module = ViTModel(config, add_pooling_layer=False)
    return model


def picture(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def clip(seed: int, frames: int) -> bytes:
    rng = np.random.default_rng(seed)
    return animation(
        [rng.integers(0, 255, (16, 16, 3), dtype=np.uint8) for _ in range(frames)], 0.1
    )


def seeing(
    text: TextBackbone, vision_encoder: VisionEncoder, trained: bool = False
) -> VisionLanguageBackbone:
    torch.manual_seed(1)
    model: Any = text.model
    size = model.get_input_embeddings().embedding_dim
    start = {
        "adapter.visual": torch.randn(size, vision_encoder.width),
        "adapter.visual_bias": torch.randn(size),
    }
    return VisionLanguageBackbone(
        text, vision_encoder, name="both", revision=None, start=start if trained else None
    )


def write_vision(folder: Path) -> Path:
    from transformers import ViTImageProcessor

    vit: nn.Module = hf_vit()
    vit.save_pretrained(folder)  # type: ignore[operator]
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
