"""Text encoders that see: where what is seen stands, that it is seen, and that no sample disturbs another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.samples import Samples, sequence
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.vision_encoder import (
    VisionEncoder,
)
from cl_core.backbones.vision.vision_language import VISUAL, VisionLanguageBackbone
from cl_core.errors import UserError
from tests.backbones.checkpoints import TEXTS
from tests.backbones.small_vision import clip, picture, seeing, write_vision

QUESTIONS = TEXTS[:3]


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


def test_routers_read_what_is_there_not_what_changed(
    bert: TextBackbone, vision_encoder: VisionEncoder
) -> None:
    columns = {"question": QUESTIONS[:2], "video": [clip(3, 3), clip(4, 2)]}
    means = []
    for encoder in (vision_encoder, replace(vision_encoder, changes=True)):
        backbone = seeing(bert, encoder)
        means.append(backbone.seen(backbone.collate(backbone.encode(columns), range(2))))
    torch.testing.assert_close(means[1], means[0])


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
