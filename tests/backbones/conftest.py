"""Backbones of every supported architecture, read from checkpoints on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.sites import ARCHITECTURES
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.vision_encoder import VisionEncoder
from tests.backbones.checkpoints import write_checkpoint
from tests.backbones.small_vision import hf_vit, preprocess

Load = Callable[[str, torch.device], TextBackbone]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """checkpoint(model_type) -> folder, written once."""
    root = tmp_path_factory.mktemp("checkpoints")

    def folder(model_type: str) -> Path:
        target = root / model_type
        return target if target.exists() else write_checkpoint(model_type, target)

    return folder


@pytest.fixture(scope="session")
def loaded(checkpoint: Callable[[str], Path]) -> Load:
    """loaded(model_type, device) -> backbone, read once."""
    backbones: dict[tuple[str, torch.device], TextBackbone] = {}

    def load(model_type: str, device: torch.device) -> TextBackbone:
        if (model_type, device) not in backbones:
            settings = BackboneSettings(name=str(checkpoint(model_type)), max_length=32)
            backbones[model_type, device] = load_backbone(settings, device)
        return backbones[model_type, device]

    return load


@pytest.fixture(params=ARCHITECTURES)
def backbone(request: pytest.FixtureRequest, loaded: Load, device: torch.device) -> TextBackbone:
    """Each architecture on each device; tests do not change it."""
    return loaded(request.param, device)


@pytest.fixture
def bert(loaded: Load, device: torch.device) -> TextBackbone:
    """One architecture where one is enough."""
    return loaded("bert", device)


@pytest.fixture(scope="module")
def vision_encoder() -> VisionEncoder:
    """Random, and looks at little."""
    torch.manual_seed(0)
    vision = ImageBackbone(hf_vit(), preprocess, name="vit", revision=None)
    return VisionEncoder(vision, frames=3, image_grid=2, clip_grid=1)
