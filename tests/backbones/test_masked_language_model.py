"""Answers read at a [MASK], against transformers' own masked language models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.masked_language_model import MASKED
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.vision_encoder import VisionEncoder
from cl_core.backbones.vision.vision_language import VISUAL, VisionLanguageBackbone
from cl_core.errors import UserError
from tests.backbones.checkpoints import TEXTS, write_checkpoint
from tests.backbones.small_vision import picture

LAYOUTS = [*MASKED, "deberta-v2 of Microsoft"]
CPU = torch.device("cpu")


def write_masked(layout: str, folder: Path) -> tuple[Path, Any]:
    """A checkpoint with a masked-language-model head, and the model that it holds."""
    kind = layout.split()[0]
    write_checkpoint(kind, folder)
    config = AutoConfig.from_pretrained(folder)
    if layout != kind:
        config.legacy = False
    torch.manual_seed(3)
    model = AutoModelForMaskedLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.eval()
    if layout != kind:
        config.legacy = True  # what the published configuration says, by saying nothing
    for file in folder.glob("*.safetensors"):
        file.unlink()
    model.save_pretrained(folder)
    return folder, model


def load(folder: Path, **options: Any) -> TextBackbone:
    settings = BackboneSettings(name=str(folder), masked=True, max_length=32, **options)
    backbone = load_backbone(settings, CPU)
    assert isinstance(backbone, TextBackbone)
    return backbone


@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_scores_are_those_of_the_language_model_at_the_mask(layout: str, tmp_path: Path) -> None:
    folder, model = write_masked(layout, tmp_path / "model")
    backbone = load(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ordinary = [i for i in range(len(tokenizer)) if i not in tokenizer.all_special_ids]
    answers = [[i] for i in ordinary[:6]] + [ordinary[2:5]]
    weight, bias = backbone.masked.embeddings(answers)
    encoding = backbone.encode({"text": TEXTS})
    rows = [4, 0, 3]
    batch = backbone.collate(encoding, rows)
    output = backbone(batch)
    scores = backbone.read(output, "mean") @ weight.T + bias
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
    if batch.token_type_ids is not None:
        inputs["token_type_ids"] = batch.token_type_ids
    theirs = model(**inputs).logits
    for index in range(len(rows)):
        [mask] = (batch.input_ids[index] == tokenizer.mask_token_id).nonzero().flatten().tolist()
        assert int(output.answer_at[index]) == mask
        at_mask = theirs[index, mask]
        wanted = torch.stack([at_mask[tokens].mean() for tokens in answers])
        torch.testing.assert_close(scores[index], wanted, rtol=1e-4, atol=1e-4)


def test_a_long_text_is_cut_before_the_mask(tmp_path: Path) -> None:
    folder, _ = write_masked("bert", tmp_path / "model")
    backbone = load(folder)
    encoding = backbone.encode({"text": [" ".join(TEXTS) * 3, "short"]})
    assert encoding.lengths[0] == 32
    mask = backbone.tokenizer.mask_token_id
    assert all(row.count(mask) == 1 for row in encoding.input_ids)


@torch.no_grad()
def test_what_is_seen_moves_the_mask_with_the_question(
    tmp_path: Path, vision_encoder: VisionEncoder
) -> None:
    folder, _ = write_masked("bert", tmp_path / "model")
    both = VisionLanguageBackbone(load(folder), vision_encoder, name="both", revision=None)
    samples = both.encode({"question": TEXTS[:2], "image": [picture(0), picture(1)]})
    torch.manual_seed(0)
    matrix = torch.randn(both.embedding_size, both.visual_size)
    output = both(both.collate(samples, [0, 1]), {VISUAL: lambda seen: seen @ matrix.T})
    texts = both.text(both.text.collate(both.text.encode({"text": TEXTS[:2]}), [0, 1]))
    assert output.answer_at.tolist() == [position + 4 for position in texts.answer_at.tolist()]
    read = both.read(output, "mean")
    at_mask = output.last_hidden_state[[0, 1], output.answer_at]
    torch.testing.assert_close(read, both.text.masked(at_mask))


def test_names_are_scored_by_their_tokens(tmp_path: Path) -> None:
    folder, _ = write_masked("bert", tmp_path / "model")
    head = load(folder).label_head(["soup", "night train"])
    assert head.zero_shot
    assert head.weight.shape == (2, 16)
    assert not torch.equal(head.weight[0], head.weight[1])


def test_without_a_masked_head_names_are_scored_by_their_states(bert: TextBackbone) -> None:
    head = bert.label_head(["soup", "night train"])
    assert not head.zero_shot
    torch.testing.assert_close(head.weight.norm(dim=1), torch.ones(2, device=head.weight.device))


@pytest.mark.parametrize(
    ("model_type", "options", "message"),
    [
        ("electra", {}, "'electra', whose masked-language-model head is not known here"),
        ("bert", {"masked_suffix": "Answer:"}, "masked_suffix hold it; it is 'Answer:'"),
    ],
)
def test_what_cannot_answer_at_a_mask_is_refused(
    tmp_path: Path, model_type: str, options: dict[str, str], message: str
) -> None:
    folder = tmp_path / "model"
    if model_type == "bert":
        write_masked("bert", folder)
    else:
        write_checkpoint(model_type, folder)
        AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    with pytest.raises(UserError, match=message):
        load(folder, **options)


def test_a_checkpoint_without_the_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lacks"):
        load(write_checkpoint("bert", tmp_path / "model"))
