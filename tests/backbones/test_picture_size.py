"""Vision transformers of transformers at their own size and at others, and sites around DINOv2's layer scale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.errors import UserError
from tests.backbones.small_vision import picture

CPU = torch.device("cpu")
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 8}
KINDS: dict[str, tuple[str, int]] = {
    "dinov2": ("Dinov2", 1),
    "dinov2_with_registers": ("Dinov2WithRegisters", 5),
    "siglip_vision_model": ("SiglipVision", 0),
    "vit": ("ViT", 1),
    "clip_vision_model": ("CLIPVision", 1),
}
"""By `model_type`, the beginning of its classes' names, and how many tokens are no patches."""


def write(folder: Path, kind: str, seen: int = 32, seed: int = 0, **fields: Any) -> Path:
    """A random checkpoint whose positions are for 48 pixels and whose processor makes pictures of `seen`."""
    import transformers

    torch.manual_seed(seed)
    begins = KINDS[kind][0]
    config = getattr(transformers, f"{begins}Config")(**{**SIZES, "image_size": 48, **fields})
    model = getattr(transformers, f"{begins}Model")(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    transformers.BitImageProcessor(
        size={"shortest_edge": seen + 4},
        crop_size={"height": seen, "width": seen},
        image_mean=[0.5] * 3,
        image_std=[0.25] * 3,
    ).save_pretrained(folder)
    return folder


def load(folder: Path, **settings: Any) -> ImageBackbone:
    backbone = load_backbone(BackboneSettings(name=str(folder), **settings), CPU)
    assert isinstance(backbone, ImageBackbone)
    return backbone


def theirs(folder: Path, kind: str) -> Any:
    import transformers

    return getattr(transformers, f"{KINDS[kind][0]}Model").from_pretrained(folder).eval()


@pytest.mark.parametrize("side", [48, 32, 64])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_states_are_those_that_the_model_gives_when_it_interpolates_itself(
    tmp_path: Path, kind: str, side: int
) -> None:
    folder = write(tmp_path / kind, kind)
    backbone, model = load(folder, picture_size=side), theirs(folder, kind)
    batch = backbone.collate(backbone.encode({"image": [picture(0), picture(1)]}), [0, 1])
    assert batch.pixels.shape == (2, 3, side, side)
    output = backbone(batch, hidden_states=True)
    options = {} if "dinov2" in kind else {"interpolate_pos_encoding": True}
    wanted = model(batch.pixels, output_hidden_states=True, **options)
    last = wanted.last_hidden_state
    if kind == "clip_vision_model":  # transformers norms the pooled token alone
        last = getattr(model, "vision_model", model).post_layernorm(last)
    assert torch.equal(output.last_hidden_state, last)
    assert output.hidden_states is not None
    for ours, state in zip(output.hidden_states[:-1], wanted.hidden_states[:-1], strict=True):
        assert torch.equal(ours, state)
    assert backbone.tokens == last.shape[1] == (side // 8) ** 2 + KINDS[kind][1]


def test_without_a_size_pictures_are_seen_as_the_processor_makes_them(tmp_path: Path) -> None:
    backbone = load(write(tmp_path / "dinov2", "dinov2"))
    assert (backbone.tokens, backbone.hidden_size, backbone.n_blocks) == (17, 32, 2)
    assert backbone.preprocess(Image.new("RGB", (50, 40))).shape == (3, 32, 32)


def test_another_size_shows_the_same_part_of_a_picture(tmp_path: Path) -> None:
    ramp = Image.linear_gradient("L").convert("RGB")
    folder = write(tmp_path / "dinov2", "dinov2")
    small, large = (load(folder, picture_size=side).preprocess(ramp) for side in (32, 64))
    shrunk = nn.functional.avg_pool2d(large, 2)
    torch.testing.assert_close(small[:, 1:-1], shrunk[:, 1:-1], rtol=0, atol=0.05)


def test_the_size_is_a_part_of_what_the_backbone_is(tmp_path: Path) -> None:
    folder = write(tmp_path / "dinov2", "dinov2")
    assert load(folder).fingerprint == load(folder, picture_size=32).fingerprint
    assert load(folder).fingerprint != load(folder, picture_size=48).fingerprint


@torch.no_grad()
def test_sites_stand_after_the_layer_scale_or_before_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "dinov2", "dinov2", layerscale_value=0.3)
    seen: dict[str, dict[str, Tensor]] = {"after": {}, "before": {}}
    for where, states in seen.items():
        backbone = load(folder, layer_scale_sites=where)
        batch = backbone.collate(backbone.encode({"image": [picture(0)]}), [0])
        transforms = {
            site.name: lambda h, name=site.name, kept=states: kept.setdefault(name, h)
            for site in backbone.sites
        }
        backbone(batch, transforms)
        changed = backbone(batch, {"block0.ffn": torch.zeros_like}).last_hidden_state
        assert not torch.equal(changed, backbone(batch).last_hidden_state)
    model = theirs(folder, "dinov2")
    for block in range(2):
        for number, sublayer in ((1, "attention"), (2, "ffn")):
            gamma = model.get_parameter(f"encoder.layer.{block}.layer_scale{number}.lambda1")
            name = f"block{block}.{sublayer}"
            assert torch.equal(seen["before"][name] * gamma, seen["after"][name])


def test_where_the_sites_stand_is_a_part_of_what_the_backbone_is(tmp_path: Path) -> None:
    folder = write(tmp_path / "dinov2", "dinov2")
    after, before = (load(folder, layer_scale_sites=where) for where in ("after", "before"))
    assert after.fingerprint != before.fingerprint
    assert after.fingerprint == load(folder).fingerprint
    with pytest.raises(UserError, match="a SigLIP has no layer scale here; leave it out"):
        load(write(tmp_path / "siglip", "siglip_vision_model"), layer_scale_sites="before")


@torch.no_grad()
def test_the_swiglu_of_the_largest_dinov2_has_sites_as_well(tmp_path: Path) -> None:
    folder = write(tmp_path / "giant", "dinov2", use_swiglu_ffn=True)
    for where in ("after", "before"):
        backbone = load(folder, layer_scale_sites=where)
        batch = backbone.collate(backbone.encode({"image": [picture(0)]}), [0])
        plain = backbone(batch).last_hidden_state
        for site in backbone.sites:
            assert not torch.equal(
                backbone(batch, {site.name: torch.zeros_like}).last_hidden_state, plain
            )


@pytest.mark.parametrize("kind", ["dinov2", "dinov2_with_registers", "siglip_vision_model"])
@torch.no_grad()
def test_a_text_encoder_sees_through_it(tmp_path: Path, tiny: Path, kind: str) -> None:
    folder = write(tmp_path / kind, kind)
    settings = {"vision": str(folder), "picture_size": 64, "max_length": 16}
    backbone = load_backbone(BackboneSettings(name=str(tiny), **settings), CPU)
    assert isinstance(backbone, VisionLanguageBackbone)
    seen = backbone.vision_encoder.encode("image", [picture(0)]).features
    states = load(folder, picture_size=64)
    batch = states.collate(states.encode({"image": [picture(0)]}), [0])
    patches = states(batch).last_hidden_state[:, KINDS[kind][1] :].reshape(1, 4, 2, 4, 2, 32)
    torch.testing.assert_close(seen, patches.mean(dim=(2, 4)).flatten(1, 2))


def test_a_whole_siglip_gives_its_vision_tower(tmp_path: Path) -> None:
    import transformers

    folder = write(tmp_path / "siglip", "siglip_vision_model", seen=48)
    vision = {**SIZES, "image_size": 48}
    text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 64}
    config = transformers.SiglipConfig(vision_config=vision, text_config=text)
    transformers.SiglipModel(config).save_pretrained(folder)
    assert load(folder).tokens == 36


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"picture_size": 30}, r"patches of 8 x 8 pixels.*use --set picture_size=32"),
        ({"picture_size": 4}, r"use --set picture_size=8"),
    ],
)
def test_a_size_without_whole_patches_is_refused(
    tmp_path: Path, settings: dict[str, int], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        load(write(tmp_path / "dinov2", "dinov2"), **settings)


def test_fewer_patches_than_go_with_the_registers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="sees 2 x 2 patches, fewer than go with its 5 other tokens"
    ):
        load(write(tmp_path / "r", "dinov2_with_registers"), picture_size=16)


def test_a_processor_that_makes_no_squares_or_huge_ones_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "dinov2", "dinov2")
    file = folder / "preprocessor_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "do_center_crop": False}))
    with pytest.raises(
        UserError, match="makes 36 x 48 pixels of a picture of 48 x 64; only squares"
    ):
        load(folder)
    file.write_text(json.dumps({**config, "crop_size": {"height": 10**6, "width": 10**6}}))
    with pytest.raises(UserError, match="at most 2,048 are read"):
        load(folder)


def test_a_configuration_that_no_dinov2_can_have_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "dinov2", "dinov2")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "mlp_ratio": 10**9}))
    with pytest.raises(UserError, match=r"mlp_ratio of config\.json has 1,000,000,000 units"):
        load(folder)


def test_a_model_of_open_clip_has_its_own_size() -> None:
    pytest.importorskip("open_clip")
    with pytest.raises(UserError, match="picture_size=64, but backbone 'scene-clip' is a model of"):
        load_backbone(BackboneSettings(name="scene-clip", picture_size=64), CPU)
