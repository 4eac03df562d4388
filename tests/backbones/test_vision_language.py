"""Text encoders that see: where what is seen stands, that it is seen, and that no sample disturbs another."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.samples import MEDIA, Samples, sequence
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.vision_encoder import (
    LiveTokens,
    StoredTokens,
    VisionEncoder,
    grid_tokens,
)
from cl_core.backbones.vision.vision_language import VISUAL, VisionLanguageBackbone
from cl_core.errors import UserError
from cl_core.synthetic.png import animation
from tests.backbones.checkpoints import TEXTS
from tests.backbones.small_vision import picture, write_vision

QUESTIONS = TEXTS[:3]


def clip(seed: int, frames: int) -> bytes:
    rng = np.random.default_rng(seed)
    return animation(
        [rng.integers(0, 255, (16, 16, 3), dtype=np.uint8) for _ in range(frames)], 0.1
    )


def seeing(
    text: TextBackbone, vision_encoder: VisionEncoder, trained: bool = False
) -> VisionLanguageBackbone:
    torch.manual_seed(1)
    size = text.model.get_input_embeddings().embedding_dim
    start = {
        "adapter.visual": torch.randn(size, vision_encoder.width),
        "adapter.visual_bias": torch.randn(size),
    }
    return VisionLanguageBackbone(
        text, vision_encoder, name="both", revision=None, start=start if trained else None
    )


def rows(count: int = 3) -> dict[str, list[object]]:
    return {"question": QUESTIONS[:count], "image": [picture(seed) for seed in range(count)]}


def linear(backbone: VisionLanguageBackbone, seed: int = 5) -> Callable[[Tensor], Tensor]:
    torch.manual_seed(seed)
    matrix = torch.randn(backbone.embedding_size, backbone.visual_size)
    return lambda features: features @ matrix.T


def by_hand(
    backbone: VisionLanguageBackbone, samples: Samples, row: int, project: Callable
) -> Tensor:
    """One sample alone, its sequence put together token by token."""
    ids = torch.tensor([samples.texts.input_ids[row]])
    visual_tokens = samples.see([row])
    assert visual_tokens is not None
    words = backbone.words(ids)
    seen = project(visual_tokens.features)[:, : int(visual_tokens.counts[0])]
    states = torch.cat([words[:, :1], seen, words[:, 1:]], dim=1)
    inputs = {"inputs_embeds": states, "attention_mask": torch.ones(states.shape[:2]).long()}
    if samples.texts.types is not None:
        types = torch.tensor([samples.texts.token_type_ids[row]])
        nothing = types.new_zeros(1, seen.shape[1])
        inputs["token_type_ids"] = torch.cat([types[:, :1], nothing, types[:, 1:]], dim=1)
    return backbone.model(**inputs).last_hidden_state[0]


@torch.no_grad()
def test_what_is_seen_stands_between_the_first_token_and_the_question(
    backbone: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    both = seeing(backbone, vision_encoder)
    project = linear(both)
    samples = both.encode(rows())
    batch = both.collate(samples, [2, 0, 1])
    output = both(batch, {VISUAL: project})
    for index, row in enumerate([2, 0, 1]):
        wanted = by_hand(both, samples, row, project)
        assert int(batch.attention_mask[index].sum()) == len(wanted) == samples.lengths[row]
        torch.testing.assert_close(
            output.last_hidden_state[index, : len(wanted)], wanted, rtol=1e-4, atol=1e-5
        )


@torch.no_grad()
def test_texts_alone_are_read_as_by_the_text_encoder(
    backbone: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    both = seeing(backbone, vision_encoder, trained=True)
    alone = backbone.collate(backbone.encode({"text": QUESTIONS}), [0, 1, 2])
    batch = both.collate(both.encode({"text": QUESTIONS}), [0, 1, 2])
    wanted = backbone(alone).last_hidden_state
    states = both(batch, {VISUAL: linear(both)}).last_hidden_state
    for row, length in enumerate(alone.attention_mask.sum(dim=1)):
        torch.testing.assert_close(states[row, :length], wanted[row, :length], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_without_any_projection_nothing_is_seen(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    both = seeing(bert, vision_encoder)
    output = both(both.collate(both.encode(rows()), [0, 1, 2]))
    alone = bert(bert.collate(bert.encode({"text": QUESTIONS}), [0, 1, 2]))
    assert torch.equal(output.attention_mask, alone.attention_mask)
    tokens = alone.attention_mask.bool()
    torch.testing.assert_close(output.last_hidden_state[tokens], alone.last_hidden_state[tokens])


@torch.no_grad()
def test_the_backbones_own_projection_is_used_where_no_task_has_one(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    both = seeing(bert, vision_encoder, trained=True)
    batch = both.collate(both.encode(rows()), [0, 1])
    weight, bias = both.projection
    by_transform = both(batch, {VISUAL: lambda seen: seen @ weight.T + bias})
    torch.testing.assert_close(both(batch).last_hidden_state, by_transform.last_hidden_state)


@torch.no_grad()
def test_a_sample_does_not_depend_on_what_others_of_its_batch_show(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    both = seeing(bert, vision_encoder)
    project = linear(both)
    clips = {"question": QUESTIONS, "video": [clip(0, 5), clip(1, 2), clip(2, 1)]}
    parts = [both.encode(rows()), both.encode({"text": QUESTIONS}), both.encode(clips)]
    mixed = Samples.concat(parts)
    batch = both.collate(mixed, range(9))
    states = both(batch, {VISUAL: project}).last_hidden_state
    assert batch.counts.tolist() == [4, 4, 4, 0, 0, 0, 3, 2, 1]
    for row in range(9):
        alone = both(both.collate(mixed.subset([row]), [0]), {VISUAL: project}).last_hidden_state[0]
        torch.testing.assert_close(states[row, : len(alone)], alone, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_sites_are_on_the_way_of_what_is_seen(
    backbone: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    both = seeing(backbone, vision_encoder)
    batch = both.collate(both.encode(rows()), [0, 1, 2])
    plain = {VISUAL: linear(both)}
    before = both(batch, plain).last_hidden_state
    assert not torch.allclose(both(batch, {VISUAL: linear(both, 6)}).last_hidden_state, before)
    for site in both.sites:
        changed = both(batch, {**plain, site.name: lambda hidden: hidden + 1.0 + hidden.square()})
        assert not torch.allclose(changed.last_hidden_state, before), site.name


def test_the_projection_gets_a_gradient_and_nothing_else(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    both = seeing(bert, vision_encoder)
    matrix = torch.randn(both.embedding_size, both.visual_size, requires_grad=True)
    before = both.weight_hash()
    batch = both.collate(both.encode(rows()), [0, 1, 2])
    both(batch, {VISUAL: lambda seen: seen @ matrix.T}).last_hidden_state.square().sum().backward()
    assert matrix.grad is not None
    assert float(matrix.grad.abs().sum()) > 0
    assert both.weight_hash() == before
    assert all(parameter.grad is None for parameter in both.parameters())


def test_a_picture_alone_has_an_empty_text(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    samples = seeing(bert, vision_encoder).encode({"image": [picture(0)]})
    assert samples.lengths == (2 + 4,)


def test_grid_tokens_are_means_over_the_cells_of_a_grid() -> None:
    hidden = torch.arange(2 * 17 * 3, dtype=torch.float32).view(2, 17, 3)
    tokens = grid_tokens(hidden, 2)
    patches = hidden[:, 1:].view(2, 4, 4, 3)
    for row in range(2):
        for column in range(2):
            cell = patches[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            torch.testing.assert_close(tokens[:, 2 * row + column], cell.mean(dim=(1, 2)))
    assert torch.equal(grid_tokens(hidden, 4), hidden[:, 1:])
    assert torch.equal(grid_tokens(hidden, 0), hidden[:, :1])
    torch.testing.assert_close(grid_tokens(hidden[:, 1:], 0), hidden[:, 1:].mean(1, keepdim=True))
    with pytest.raises(ValueError, match="5 x 5 is finer than 4 x 4"):
        grid_tokens(hidden, 5)


def test_frames_of_a_clip_follow_one_another(vision_encoder: VisionEncoder) -> None:
    finer = replace(vision_encoder, clip_grid=2)
    content = clip(3, 3)
    seen = finer.encode("video", [content, clip(4, 1)])
    assert seen.features.shape == (2, 12, 32)
    assert seen.counts.tolist() == [12, 4]
    assert not seen.features[1, 4:].any()
    from cl_core.video import read_clip

    for number, frame in enumerate(read_clip(content, 3).frames):
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "png")
        alone = finer.encode("image", [file.getvalue()]).features[0]
        torch.testing.assert_close(seen.features[0, 4 * number : 4 * number + 4], alone)


def test_what_is_transparent_is_seen_on_its_ground(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    def encoded(frame: Image.Image, **settings: Any) -> bytes:
        file = io.BytesIO()
        frame.save(file, "png", **settings)
        return file.getvalue()

    drawn = np.zeros((16, 16, 4), dtype=np.uint8)
    drawn[4:9, 2:12] = 255
    laid = np.where(drawn[..., 3:] > 0, 255, [0x10, 0x60, 0x90]).astype(np.uint8)
    clear, solid = Image.fromarray(drawn), Image.fromarray(laid)
    for medium in MEDIA:
        several = {"save_all": True, "append_images": [Image.new("RGBA", (16, 16), "red")]}
        seen = encoded(clear, **(several if medium == "video" else {}))
        wanted = encoded(solid, **(several if medium == "video" else {}))
        ground = LiveTokens(vision_encoder, medium, [seen], "#106090").see([0]).features
        torch.testing.assert_close(ground, vision_encoder.encode(medium, [wanted]).features)
        assert not torch.allclose(ground, vision_encoder.encode(medium, [seen]).features)
        columns = {"question": QUESTIONS[:1], medium: [seen], "ground": ["#106090"]}
        tokens = seeing(bert, vision_encoder).encode(columns).see([0])
        assert tokens is not None
        torch.testing.assert_close(tokens.features, ground)


def test_a_clips_tokens_may_carry_what_changed_since_the_frame_before(
    vision_encoder: VisionEncoder,
) -> None:
    clips = [clip(3, 3), clip(4, 1)]
    plain = replace(vision_encoder, clip_grid=2).encode("video", clips)
    with_changes = replace(vision_encoder, clip_grid=2, changes=True).encode("video", clips)
    assert with_changes.counts.tolist() == plain.counts.tolist()
    torch.testing.assert_close(with_changes.features[:, :, :32], plain.features)
    changed = with_changes.features[:, :, 32:]
    frames = plain.features[0].view(3, 4, 32)
    assert not changed[0, :4].any()
    torch.testing.assert_close(changed[0, 4:8], frames[1] - frames[0])
    torch.testing.assert_close(changed[0, 8:], frames[2] - frames[1])
    assert not changed[1].any()
    still = replace(vision_encoder, changes=True).encode("image", [picture(0)])
    assert still.features.shape == (1, 4, 64)
    assert not still.features[:, :, 32:].any()
    assert replace(vision_encoder, changes=True).fingerprint != vision_encoder.fingerprint


def test_routers_read_what_is_there_not_what_changed(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    columns = {"question": QUESTIONS[:2], "video": [clip(3, 3), clip(4, 2)]}
    means = []
    for encoder in (vision_encoder, replace(vision_encoder, changes=True)):
        backbone = seeing(bert, encoder)
        means.append(backbone.seen(backbone.collate(backbone.encode(columns), range(2))))
    torch.testing.assert_close(means[1], means[0])


def test_stored_tokens_are_those_that_were_seen(
    vision_encoder: VisionEncoder, tmp_path: Path
) -> None:
    live = LiveTokens(vision_encoder, "image", [picture(seed) for seed in range(5)])
    files = []
    for begin in (0, 2, 4):
        visual_tokens = live.see(range(begin, min(begin + 2, 5)))
        files.append(tmp_path / f"{begin}.safetensors")
        save_file({"counts": visual_tokens.counts, "features": visual_tokens.features}, files[-1])
    stored = StoredTokens(tuple(files), 2, (0, 1, 2, 3, 4, 4, 0), live.tokens)
    read, wanted = stored.see([6, 3, 5]), live.see([0, 3, 4])
    torch.testing.assert_close(read.features, wanted.features)
    assert torch.equal(read.counts, wanted.counts)
    assert len(stored) == 7


def test_the_order_of_tokens_is_that_of_its_definition() -> None:
    order, mask = sequence(torch.tensor([3, 2]), torch.tensor([2, 0]), text_tokens=3)
    assert order.tolist() == [[0, 3, 4, 1, 2], [0, 1, 0, 0, 0]]
    assert mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]


def test_a_text_and_a_vision_checkpoint_load_as_one(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    vision = write_vision(tmp_path / "vit")
    settings = BackboneSettings(name=str(checkpoint("bert")), vision=str(vision), max_length=24)
    backbone = load_backbone(settings, torch.device("cpu"))
    assert isinstance(backbone, VisionLanguageBackbone)
    assert backbone.kinds == ("text", "image", "image-qa", "video-qa")
    other = load_backbone(settings.model_copy(update={"image_grid": 2}), torch.device("cpu"))
    assert other.fingerprint != backbone.fingerprint
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image_grid": 9}, "image_grid=9, but '.*' has 4 x 4 patches"),
        ({"max_length": 60}, "reads at most 32 tokens beside 32 that are seen"),
        ({"vision": "minilm"}, "the second one of pictures"),
    ],
)
def test_two_encoders_that_do_not_fit_are_refused(
    checkpoint: Callable[[str], Path], tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    vision = write_vision(tmp_path / "vit")
    given = {"name": str(checkpoint("bert")), "vision": str(vision), "max_length": 24, **changed}
    with pytest.raises(UserError, match=message):
        load_backbone(BackboneSettings.model_validate(given), torch.device("cpu"))
