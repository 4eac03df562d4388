"""Encoder-decoders that answer by generating, against transformers' own model answer by answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import BartConfig, BartForConditionalGeneration

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.encoder_decoder import GenerativeBackbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.vision_encoder import VisionEncoder
from cl_core.backbones.vision.vision_language import VISUAL, VisionLanguageBackbone
from cl_core.errors import UserError
from tests.backbones.checkpoints import TEXTS, _tokenizer
from tests.backbones.small_vision import picture

CPU = torch.device("cpu")
ANSWERS = ["red", "blue", "a boat", "a bone", "two", "two boats"]


def write_bart(folder: Path, seed: int = 0) -> Path:
    """A tiny BART with its generating head and a byte-level tokenizer, in the published layout."""
    tokenizer = _tokenizer("roberta")
    torch.manual_seed(seed)
    config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=3,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_position_embeddings=64,
        scale_embedding=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        decoder_start_token_id=tokenizer.sep_token_id,
        forced_eos_token_id=tokenizer.sep_token_id,
    )
    model = BartForConditionalGeneration(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        model.final_logits_bias.add_(torch.randn_like(model.final_logits_bias))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bart(tmp_path_factory.mktemp("bart") / "bart")


def load(bart: Path, answers: list[str]) -> GenerativeBackbone:
    backbone = load_backbone(BackboneSettings(name=str(bart), max_length=64), CPU)
    assert isinstance(backbone, GenerativeBackbone)
    backbone.answer_from(answers)
    return backbone


def slow_scores(bart: Path, text: str, answers: list[str]) -> Tensor:
    """(C,) by transformers, one answer at a time, each token among those that may follow in the vocabulary."""
    model = BartForConditionalGeneration.from_pretrained(bart).eval()
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bart)
    source = torch.tensor([tokenizer(text)["input_ids"]])
    tokens = [tokenizer(answer, add_special_tokens=False)["input_ids"] for answer in answers]
    start = [model.config.decoder_start_token_id, model.config.bos_token_id]
    end, scores = model.config.eos_token_id, []
    for answer_tokens in tokens:
        read = torch.tensor([start + answer_tokens])
        logits = model(input_ids=source, decoder_input_ids=read).logits[0, 1:]
        total = torch.zeros(())
        for length, taken in enumerate([*answer_tokens, end]):
            follow = {
                other[length] if len(other) > length else end
                for other in tokens
                if other[:length] == answer_tokens[:length]
            }
            options = sorted(follow)
            total = total + logits[length, options].log_softmax(dim=0)[options.index(taken)]
        scores.append(total)
    return torch.stack(scores)


@torch.no_grad()
def test_scores_are_those_of_generating_each_answer_by_itself(bart: Path) -> None:
    backbone = load(bart, ANSWERS)
    batch = backbone.collate(backbone.encode({"text": TEXTS}), [0, 2, 3])
    output = backbone(batch)
    scores = backbone.read(output, "mean")
    assert scores.shape == (3, len(ANSWERS))
    torch.testing.assert_close(scores.exp().sum(dim=1), torch.ones(3))
    for index, row in enumerate([0, 2, 3]):
        wanted = slow_scores(bart, TEXTS[row], ANSWERS)
        torch.testing.assert_close(scores[index], wanted, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_every_site_of_both_stacks_is_on_the_way(bart: Path) -> None:
    backbone = load(bart, ANSWERS)
    assert backbone.n_blocks == 5
    assert len(backbone.sites) == 10
    batch = backbone.collate(backbone.encode({"text": TEXTS}), [0, 1])
    plain = backbone(batch)
    for site in backbone.sites:
        changed = backbone(batch, {site.name: lambda hidden: hidden + 0.5 + hidden.square()})
        assert not torch.allclose(changed.last_hidden_state, plain.last_hidden_state), site.name
        in_encoder = not torch.allclose(changed.encoded, plain.encoded)
        assert in_encoder == (site.block < 3), site.name


@torch.no_grad()
def test_a_sample_does_not_depend_on_its_batch_nor_on_padding(bart: Path) -> None:
    backbone = load(bart, ANSWERS)
    encoding = backbone.encode({"text": TEXTS})
    together = backbone.read(backbone(backbone.collate(encoding, range(len(TEXTS)))), "mean")
    for row in range(len(TEXTS)):
        alone = backbone.read(backbone(backbone.collate(encoding, [row])), "mean")[0]
        torch.testing.assert_close(together[row], alone, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_states_of_the_decoder_have_a_mask_of_their_own(bart: Path) -> None:
    backbone = load(bart, ANSWERS)
    batch = backbone.collate(backbone.encode({"text": TEXTS}), [0, 2])
    nodes = backbone(batch).last_hidden_state.shape[1]
    for block in range(6):
        output = backbone(batch, stop_after=block)
        assert output.attention_mask.shape == output.last_hidden_state.shape[:2]
        assert (output.attention_mask.shape[1] == nodes) == (block >= 3)


@torch.no_grad()
def test_without_a_vocabulary_heads_read_the_decoder(bart: Path) -> None:
    backbone = load(bart, [])
    batch = backbone.collate(backbone.encode({"text": TEXTS}), [0, 1])
    assert backbone.read(backbone(batch), "mean").shape == (2, 16)
    assert backbone.label_head(["red"]) is None


@torch.no_grad()
def test_what_is_seen_stands_before_the_encoder(bart: Path, vision_encoder: VisionEncoder) -> None:
    both = VisionLanguageBackbone(load(bart, []), vision_encoder, name="both", revision=None)
    both.answer_from(ANSWERS)
    samples = both.encode({"question": TEXTS[:2], "image": [picture(0), picture(1)]})
    torch.manual_seed(0)
    matrix = torch.randn(both.embedding_size, both.visual_size)
    seen = both(both.collate(samples, [0, 1]), {VISUAL: lambda features: features @ matrix.T})
    blind = both(both.collate(samples, [0, 1]))
    assert both.read(seen, "mean").shape == (2, len(ANSWERS))
    assert not torch.allclose(both.read(seen, "mean"), both.read(blind, "mean"))
    assert seen.encoded.shape[1] == blind.encoded.shape[1] + 4


def test_labels_are_picked_from_the_vocabulary(bart: Path) -> None:
    head = load(bart, ANSWERS).label_head(["two", "red"])
    assert head.zero_shot
    assert head.weight.tolist() == [[0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0]]


def test_a_generator_has_no_mask_to_answer_at(bart: Path) -> None:
    with pytest.raises(UserError, match="answers by generating"):
        load_backbone(BackboneSettings(name=str(bart), max_length=32, masked=True), CPU)
    options: dict[str, Any] = {"name": str(bart), "max_length": 65}
    with pytest.raises(UserError, match="reads at most 64 tokens"):
        load_backbone(BackboneSettings(**options), CPU)
