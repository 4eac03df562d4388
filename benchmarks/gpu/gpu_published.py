"""Speed and memory of the published sizes, with random weights: CLIP ViT-L/14 before DeBERTa-v2-XL, in bf16."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from gpu_backbones import (
    DEBERTA_XL,
    SMALL_TEXT,
    SMALL_VISION,
    VISION_L14,
    random_deberta,
    random_vision,
)
from gpu_random import new_weights, routes
from gpu_report import Report
from gpu_speed import WARM_UP, fitting_speed, passing_speed

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.pictures import PictureBatch
from cl_core.backbones.vision.vision_encoder import VisionEncoder, VisualTokens
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.device import Device
from cl_core.train.data import Rows

TEXT_TOKENS, FRAMES, K, TOP_K = 48, 10, 5, 2


class StoredTokens:
    """Random visual tokens, as many as frames, in the place of those that were seen and stored."""

    tokens = FRAMES

    def __init__(self, rows: int, width: int) -> None:
        self.features = torch.randn(rows, FRAMES, width)

    def __len__(self) -> int:
        return len(self.features)

    def see(self, rows: Sequence[int]) -> VisualTokens:
        """The tokens of some rows."""
        return VisualTokens(self.features[list(rows)], torch.full((len(rows),), FRAMES))


def measure_published(report: Report, device: Device, quick: bool, small: bool) -> None:
    """Training and routed inference on questions, and the vision encoder alone.

    Args:
        report: takes the numbers.
        device: where, and in which precision.
        quick: few turns of small batches.
        small: small sizes in the place of the published ones.
    """
    steps, batches = (2, (2,)) if quick else (20, (8, 32))
    seen, read = (SMALL_VISION, SMALL_TEXT) if small else (VISION_L14, DEBERTA_XL)
    vision = random_vision(seen, device, torch.bfloat16)
    text, vision_encoder = random_deberta(read, TEXT_TOKENS), VisionEncoder(vision, FRAMES, 0, 0)
    both = VisionLanguageBackbone(text, vision_encoder, name="published", revision=None)
    both.to(device.torch_device)
    count = sum(parameter.numel() for parameter in both.parameters())
    report.notes.append(f"published sizes: {count / 1e6:.0f} million frozen weights, bf16")
    adapter = new_weights(both, 2).adapter
    report.notes.append(f"one adapter with its projection: {adapter.parameter_count:,} numbers")
    for batch in batches:
        rows = asked_rows(both, (steps + WARM_UP) * batch)
        for work, measure in (
            (
                "training on questions, ViT-L/14 tokens kept",
                partial(fitting_speed, both, device, rows, batch, steps),
            ),
            (
                f"routed inference on questions, K={K}, k={TOP_K}",
                partial(routed_speed, both, device, rows, batch, steps),
            ),
            (
                "pictures at full size through the vision encoder",
                partial(picture_speed, vision, device, seen["image_size"], batch, steps),
            ),
        ):
            report.speed(work, device, batch, measure)


def asked_rows(backbone: VisionLanguageBackbone, count: int) -> Rows:
    """Questions of the same length about kept visual tokens, two classes."""
    question = " ".join(map(str, range(TEXT_TOKENS)))
    columns: dict[str, list[str] | list[bytes]] = {
        "question": [question] * count,
        "video": [b""] * count,
    }
    rows = backbone.encode(columns, StoredTokens(count, backbone.visual_size))
    return Rows(rows, torch.arange(count) % 2)


def routed_speed(
    backbone: VisionLanguageBackbone, device: Device, rows: Rows, batch: int, steps: int
) -> float:
    """Samples per second through a merge of two of five adapters, each sample its own."""
    bank = Bank.stack([new_weights(backbone, 2).adapter for _ in range(K)])
    bank, weights = bank.to(device.torch_device), routes(batch, K, TOP_K).to(device.torch_device)

    def infer() -> None:
        with device.autocast():
            collated = backbone.collate(rows.encoding, range(batch))
            backbone(collated, compose(bank, weights, "merge"))

    return passing_speed(infer, device, batch, steps)


def picture_speed(
    backbone: ImageBackbone, device: Device, side: int, batch: int, steps: int
) -> float:
    """Pictures of `side` by `side` pixels per second through the vision encoder, decoding left out."""
    pixels = torch.randn(batch, 3, side, side, device=device.torch_device)
    mask = torch.ones(batch, backbone.tokens, device=device.torch_device)

    def look() -> None:
        with device.autocast():
            backbone(PictureBatch(pixels, mask))

    return passing_speed(look, device, batch, steps)
