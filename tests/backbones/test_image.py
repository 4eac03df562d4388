"""Vision backbones of every layout: sites on the way, hidden states, and pictures from wherever they come."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cl_core.backbones.features import extract_features
from cl_core.backbones.vision.image import ImageBackbone, Pictures
from cl_core.errors import UserError
from cl_core.picture_decoder import MOST_PIXELS, open_picture
from tests.backbones.small_vision import SIDE, hf_vit, preprocess


def open_clip_vit(**options: Any) -> nn.Module:
    from open_clip.transformer import VisionTransformer

    sizes = {"image_size": SIDE, "patch_size": 8, "width": 32, "layers": 3, "heads": 4}
    return VisionTransformer(**{**sizes, "mlp_ratio": 2.0, "output_dim": 16, **options})


def timm_vit(name: str) -> nn.Module:
    from open_clip.timm_model import TimmModel

    options = {"img_size": SIDE, "embed_dim": 32, "depth": 3, "num_heads": 4}
    import timm

    tower = TimmModel.__new__(TimmModel)
    nn.Module.__init__(tower)
    tower.trunk = timm.create_model(name, pretrained=False, num_classes=0, patch_size=8, **options)
    return tower


def hf_clip() -> nn.Module:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    return CLIPVisionModel(
        CLIPVisionConfig(**sizes, intermediate_size=64, image_size=SIDE, patch_size=8)
    )


def hf_tower(kind: str, **options: Any) -> nn.Module:
    """DINOv2, with registers or without, or SigLIP."""
    import transformers

    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = getattr(transformers, f"{kind}Config")
    model: nn.Module = getattr(transformers, f"{kind}Model")(
        config(**sizes, image_size=SIDE, patch_size=8, **options)
    )
    return model


VISION_MODELS: dict[str, Callable[[], nn.Module]] = {
    "open_clip": open_clip_vit,
    "open_clip with layer scale": lambda: open_clip_vit(ls_init_value=0.5),
    "open_clip with attention of its own": lambda: open_clip_vit(qk_norm=True),
    "open_clip CoCa": lambda: open_clip_vit(attentional_pool=True, attn_pooler_heads=4),
    "timm ViT": lambda: timm_vit("vit_tiny_patch16_224"),
    "timm EVA": lambda: timm_vit("eva02_tiny_patch14_224"),
    "transformers ViT": hf_vit,
    "transformers CLIP": hf_clip,
    "transformers DINOv2": lambda: hf_tower("Dinov2", layerscale_value=0.3),
    "transformers DINOv2 with registers": lambda: hf_tower("Dinov2WithRegisters"),
    "transformers SigLIP": lambda: hf_tower("SiglipVision", intermediate_size=64),
}
BESIDE_PATCHES = {"transformers DINOv2 with registers": 1 + 4, "transformers SigLIP": 0}
"""Tokens that are no patches, where it is not the class token alone."""


@pytest.fixture(scope="module", params=VISION_MODELS)
def backbone(request: pytest.FixtureRequest) -> ImageBackbone:
    torch.manual_seed(0)
    model = VISION_MODELS[request.param]()
    for parameter in model.parameters():  # some layouts begin with zeros, which would hide a site
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.2)
    return ImageBackbone(model, preprocess, name=request.param, revision=None)


def pictures(count: int = 3) -> list[bytes]:
    rng = np.random.default_rng(0)
    return [png(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)) for _ in range(count)]


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


@torch.no_grad()
def test_every_site_is_on_the_way_to_the_output(backbone: ImageBackbone) -> None:
    batch = backbone.collate(backbone.encode({"image": pictures()}), range(3))
    plain = backbone(batch).last_hidden_state
    tokens = 4 * 4 + BESIDE_PATCHES.get(backbone.name, 1)
    assert plain.shape == (3, tokens, 32)
    assert backbone.tokens == tokens
    assert [site.name for site in backbone.sites] == [
        f"block{block}.{after}" for block in range(3) for after in ("attention", "ffn")
    ]
    for site in backbone.sites:
        changed = backbone(batch, {site.name: torch.zeros_like}).last_hidden_state
        assert not torch.allclose(changed, plain, atol=1e-4)
        same = backbone(batch, {site.name: lambda h: h}).last_hidden_state
        assert torch.equal(same, plain)
    assert torch.equal(backbone(batch).last_hidden_state, plain)


@torch.no_grad()
def test_what_a_transform_sees_is_what_is_added_to_the_residual_stream(
    backbone: ImageBackbone,
) -> None:
    batch = backbone.collate(backbone.encode({"image": pictures()}), range(3))
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[Tensor], Tensor]:
        def transform(h: Tensor) -> Tensor:
            seen[name] = h
            return h

        return transform

    states = backbone(batch, {s.name: keep(s.name) for s in backbone.sites}, hidden_states=True)
    assert states.hidden_states is not None
    assert len(states.hidden_states) == 4
    for block in range(2):
        before, after = states.hidden_states[block : block + 2]
        added = seen[f"block{block}.attention"] + seen[f"block{block}.ffn"]
        torch.testing.assert_close(before + added, after, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_pass_may_stop_early_and_blocks_may_be_watched(backbone: ImageBackbone) -> None:
    batch = backbone.collate(backbone.encode({"image": pictures()}), range(3))
    states = backbone(batch, hidden_states=True).hidden_states
    entered: list[int] = []
    early = backbone(batch, stop_after=2, enter=lambda block, hidden: entered.append(block))
    assert states is not None
    assert torch.equal(early.last_hidden_state, states[2])
    assert entered == [0, 1]


@torch.no_grad()
def test_open_clip_s_own_embedding_comes_from_the_last_hidden_state() -> None:
    torch.manual_seed(1)
    model = open_clip_vit()
    backbone = ImageBackbone(model, preprocess, name="vit", revision=None)
    batch = backbone.collate(backbone.encode({"image": pictures()}), range(3))
    hidden = backbone(batch).last_hidden_state
    torch.testing.assert_close(hidden[:, 0] @ model.proj, model(batch.pixels))


def test_nothing_of_it_is_trained_and_it_stays_in_evaluation_mode(backbone: ImageBackbone) -> None:
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert not backbone.train().training
    assert len(backbone.fingerprint) == 64


def test_a_tower_without_blocks_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"'conv' has no vision transformer.*open_clip ViT"):
        ImageBackbone(nn.Sequential(nn.Conv2d(3, 8, 3)), preprocess, name="conv", revision=None)


def test_the_same_picture_has_the_same_features_wherever_it_comes_from(
    backbone: ImageBackbone, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    file = tmp_path / "picture.png"
    Image.fromarray(pixels).save(file)
    features = [
        extract_features(backbone, backbone.encode({"image": [source]}), layer=-1)
        for source in (png(pixels), file, str(file), file.read_bytes(), pixels)
    ]
    for from_source in features:
        assert from_source.numpy().tobytes() == features[0].numpy().tobytes()


def test_greys_palettes_and_turned_photographs_are_read_as_they_look(tmp_path: Path) -> None:
    grey = np.linspace(0, 255, 12 * 16).reshape(12, 16)
    wide = Image.fromarray((grey * 257).astype(np.uint16))
    Image.Image.save(wide, tmp_path / "wide.png")
    opened = np.array(open_picture(tmp_path / "wide.png"))
    assert np.abs(opened - grey[..., None]).max() <= 1
    palette = Image.fromarray(np.full((4, 4, 3), (200, 30, 40), dtype=np.uint8)).convert("P")
    palette.save(tmp_path / "palette.png")
    assert open_picture(tmp_path / "palette.png").mode == "RGB"
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (20, 10)).save(tmp_path / "turned.jpg", exif=exif)
    assert open_picture(tmp_path / "turned.jpg").size == (10, 20)


def test_a_picture_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    whole = pictures(1)[0]
    with pytest.raises(UserError, match="damaged"):
        open_picture(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a picture"):
        open_picture(b"GIF, or so it says")
    with pytest.raises(UserError, match=r"none\.png: there is no such file"):
        open_picture(tmp_path / "none.png")
    side = int(MOST_PIXELS**0.5) + 1
    bomb = tmp_path / "bomb.png"
    Image.new("1", (side, side)).save(bomb)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(UserError, match="at most 64 million pixels"):
        open_picture(bomb)


def test_an_array_that_is_no_picture_is_refused() -> None:
    for wrong in (np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)):
        with pytest.raises(UserError, match="a picture is"):
            open_picture(wrong)


def test_pictures_of_several_columns_are_told_apart_and_fetched_one_by_one() -> None:
    first, second = ["a", "b", "c"], ["d", "e"]
    both = Pictures.concat([Pictures.of(first, 17).subset([2, 0]), Pictures.of(second, 17)])
    assert [both[i] for i in range(len(both))] == ["c", "a", "d", "e"]
    assert [both.subset([3, 1])[i] for i in range(2)] == ["e", "a"]
    assert both.lengths == (17, 17, 17, 17)
    with pytest.raises(ValueError, match="different backbones"):
        Pictures.concat([Pictures.of(first, 17), Pictures.of(second, 5)])


def test_pictures_of_two_tasks_are_each_laid_on_the_ground_of_their_own() -> None:
    clear = np.zeros((4, 4, 4), dtype=np.uint8)
    both = Pictures.concat([Pictures.of([clear], 1, "black"), Pictures.of([clear], 1)])
    assert [both.open(row).getpixel((0, 0)) for row in (0, 1)] == [(0, 0, 0), (255, 255, 255)]
    assert both.subset([1]).open(0).getpixel((0, 0)) == (255, 255, 255)
    backbone = ImageBackbone(hf_vit(), preprocess, name="vit", revision=None)
    encoded = backbone.encode({"image": [clear], "ground": ["#204060"]})
    assert encoded.open(0).getpixel((0, 0)) == (0x20, 0x40, 0x60)
