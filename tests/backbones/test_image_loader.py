"""Vision backbones from checkpoints of the layouts that open_clip and transformers write."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.errors import UserError

CPU = torch.device("cpu")
CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}


def write_open_clip(folder: Path, mean: float = 0.5) -> Path:
    import open_clip

    torch.manual_seed(0)
    model = open_clip.CLIP(**CLIP)
    folder.mkdir(parents=True)
    config = {"model_cfg": CLIP, "preprocess_cfg": {"mean": [mean] * 3, "std": [0.25] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def write_transformers(folder: Path, kind: str) -> Path:
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPVisionModel,
        ViTConfig,
        ViTImageProcessor,
        ViTModel,
    )

    torch.manual_seed(0)
    fields = {**SIZES, "intermediate_size": 64, "image_size": 32, "patch_size": 8}
    clip = CLIPConfig(vision_config=fields, text_config={**SIZES, "vocab_size": 64})
    model = {
        "vit": lambda: ViTModel(ViTConfig(**fields)),
        "clip": lambda: CLIPModel(clip),
        "clip_vision_model": lambda: CLIPVisionModel(clip.vision_config),
    }[kind]()
    model.save_pretrained(folder)
    processor = ViTImageProcessor if kind == "vit" else CLIPImageProcessor
    size = {"height": 32, "width": 32} if kind == "vit" else {"shortest_edge": 32}
    processor(size=size, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def load(folder: Path, **settings: str) -> ImageBackbone:
    backbone = load_backbone(BackboneSettings(name=str(folder), **settings), CPU)
    assert isinstance(backbone, ImageBackbone)
    return backbone


@torch.no_grad()
def test_a_folder_of_open_clip_is_its_vision_tower_with_its_own_preprocessing(
    tmp_path: Path,
) -> None:
    import open_clip

    folder = write_open_clip(tmp_path / "clip")
    backbone = load(folder)
    assert (backbone.n_blocks, backbone.hidden_size, backbone.tokens) == (2, 32, 17)
    whole, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    picture = Image.linear_gradient("L").convert("RGB").resize((50, 40))
    pixels = preprocess(picture).unsqueeze(0)
    assert torch.equal(backbone.preprocess(picture), pixels[0])
    hidden = backbone.run(type("Batch", (), {"pixels": pixels})())
    torch.testing.assert_close(hidden[:, 0] @ whole.visual.proj, whole.encode_image(pixels))


@pytest.mark.parametrize("kind", ["vit", "clip", "clip_vision_model"])
def test_checkpoints_of_transformers_are_read_with_their_image_processor(
    tmp_path: Path, kind: str
) -> None:
    backbone = load(write_transformers(tmp_path / kind, kind))
    assert (backbone.n_blocks, backbone.hidden_size, backbone.tokens) == (2, 32, 17)
    assert backbone.preprocess(Image.new("RGB", (50, 40))).shape == (3, 32, 32)


def test_weights_and_preprocessing_both_make_the_fingerprint(tmp_path: Path) -> None:
    first = load(write_open_clip(tmp_path / "a")).fingerprint
    assert load(write_open_clip(tmp_path / "b")).fingerprint == first
    assert load(write_open_clip(tmp_path / "c", mean=0.4)).fingerprint != first


def test_weights_take_the_type_that_is_asked_for(tmp_path: Path) -> None:
    backbone = load(write_open_clip(tmp_path / "a"), dtype="bfloat16")
    assert {parameter.dtype for parameter in backbone.parameters()} == {torch.bfloat16}


def test_what_cannot_be_loaded_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = write_open_clip(tmp_path / "clip")
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(UserError, match="no weights in safetensors"):
        load(folder)
    with pytest.raises(UserError, match=r"no model 'ViT-B-33'.*Did you mean 'ViT-B-32'"):
        load_backbone(BackboneSettings(name="open_clip:ViT-B-33/openai"), CPU)
    with pytest.raises(
        UserError, match=r"no weights 'mine'.*open_clip:ViT-B-32/TAG with one of.*openai"
    ):
        load_backbone(BackboneSettings(name="open_clip:ViT-B-32/mine"), CPU)


@torch.no_grad()
def test_classes_are_scored_without_training_as_clip_scores_them(tmp_path: Path) -> None:
    import open_clip

    folder = write_open_clip(tmp_path / "clip")
    backbone = load_backbone(BackboneSettings(name=str(folder)), torch.device("cpu"))
    names = ["star", "ring", "house", "big_tree"]
    head = backbone.label_head(names)
    assert head is not None
    assert head.zero_shot
    assert head.pooling is not None
    clip, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    clip.eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    prompts = [f"a photo of a {name.replace('_', ' ')}." for name in names]
    words = clip.encode_text(tokenizer(prompts), normalize=True)
    pictures = [Image.new("RGB", (40, 30), colour) for colour in ("red", "navy", "white")]
    pixels = torch.stack([preprocess(picture) for picture in pictures])
    wanted = clip.encode_image(pixels) @ words.T
    files = []
    for picture in pictures:
        file = io.BytesIO()
        picture.save(file, "png")
        files.append(file.getvalue())
    output = backbone(backbone.collate(backbone.encode({"image": files}), [0, 1, 2]))
    logits = backbone.read(output, head.pooling) @ head.weight.T + head.bias
    torch.testing.assert_close(logits, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"num_hidden_layers": "2"}, "cannot be loaded: .*num_hidden_layers"),
        ({"num_attention_heads": 0}, "is 0, and must be at least 1"),
        ({"num_hidden_layers": 10**9}, "at most 1,000 are read"),
        ({"hidden_act": "nope"}, "cannot be loaded: .*nope"),
    ],
)
@pytest.mark.parametrize("kind", ["vit", "clip_vision_model"])
def test_a_configuration_that_no_model_can_have_is_refused_in_one_sentence(
    tmp_path: Path, kind: str, fields: dict[str, object], sentence: str
) -> None:
    folder = write_transformers(tmp_path / kind, kind)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **fields}))
    with pytest.raises(UserError, match=sentence):
        load(folder)


@pytest.mark.parametrize("kind", ["vit", "clip", "clip_vision_model"])
def test_half_a_vision_tower_is_not_taken_for_a_whole_one(tmp_path: Path, kind: str) -> None:
    folder = write_transformers(tmp_path / kind, kind)
    config = json.loads((folder / "config.json").read_text())
    (config["vision_config"] if kind == "clip" else config)["num_hidden_layers"] = 1
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"has 2 blocks \(.*\), but its configuration says 1"):
        load(folder)


def test_a_configuration_of_open_clip_is_looked_at_before_it_is_built(tmp_path: Path) -> None:
    folder = write_open_clip(tmp_path / "clip")
    config = json.loads((folder / "open_clip_config.json").read_text())
    for layers, sentence in ((10**9, "at most 1,000 are read"), ("2", "cannot be loaded")):
        config["model_cfg"]["vision_cfg"]["layers"] = layers
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        with pytest.raises(UserError, match=sentence):
            load(folder)
