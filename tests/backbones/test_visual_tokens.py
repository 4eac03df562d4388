"""Tokens of what is seen: of grids, of frames one after the other, of what changed, as they are stored."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cl_core.backbones.samples import MEDIA
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.vision_encoder import (
    LiveTokens,
    StoredTokens,
    VisionEncoder,
    grid_tokens,
)
from tests.backbones.checkpoints import TEXTS
from tests.backbones.small_vision import clip, picture, seeing


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
        columns = {"question": TEXTS[:1], medium: [seen], "ground": ["#106090"]}
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
