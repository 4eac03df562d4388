"""A small vision transformer with random weights, its checkpoint, and pictures for it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

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


def write_vision(folder: Path) -> Path:
    from transformers import ViTImageProcessor

    vit: nn.Module = hf_vit()
    vit.save_pretrained(folder)  # type: ignore[operator]
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
