"""Tiny random checkpoints of every supported architecture, in the layout of the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

from cl_core.backbones.sites import ARCHITECTURES

TEXTS = [
    "the soup was cold, but the waiter saved the evening",
    "not the worst film of the year",
    "my parcel is late",
    "",
    "a train to the sea, two seats, early in the morning, and please not the night train again",
]
WORDS = sorted(
    {word for text in TEXTS for word in text.replace(",", " ").split()}
    | set("abcdefghijklmnopqrstuvwxyz,.")
)
HIDDEN, BLOCKS, LONGEST = 16, 3, 64

_SHAPE: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": LONGEST,
}
# What makes each of them itself, at its published values where size does not matter.
_OWN: dict[str, dict[str, Any]] = {
    "bert": {"type_vocab_size": 2},
    "roberta": {"type_vocab_size": 1},
    "xlm-roberta": {"type_vocab_size": 1},
    "distilbert": {
        "dim": HIDDEN,
        "n_layers": BLOCKS,
        "n_heads": 2,
        "hidden_dim": 24,
        "max_position_embeddings": LONGEST,
    },
    "electra": {"type_vocab_size": 2, "embedding_size": 8},
    "deberta-v2": {
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "conv_kernel_size": 3,  # v2-xlarge; v3 has none
        "conv_act": "gelu",
    },
    "modernbert": {"local_attention": 8, "global_attn_every_n_layers": 2},
}
_WORDPIECE = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_ROBERTA = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}


def write_checkpoint(model_type: str, folder: Path, seed: int = 0) -> Path:
    """Writes model.safetensors, config.json and a fast tokenizer; returns the folder."""
    tokenizer = _tokenizer(model_type)
    fields = _OWN.get(model_type, {})
    longest = LONGEST + ARCHITECTURES[model_type].reserved_positions
    shape = {**_SHAPE, "max_position_embeddings": longest, **fields}
    if model_type == "distilbert":  # has names of its own for all of it
        shape = fields
    config = AutoConfig.for_model(
        model_type,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        **({} if model_type != "modernbert" else _special_ids(tokenizer)),
        **shape,
    )
    torch.manual_seed(seed)
    model = AutoModel.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # Larger than at initialisation, so that every part of the network matters.
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _special_ids(tokenizer: Any) -> dict[str, int]:
    return {
        "bos_token_id": tokenizer.cls_token_id,
        "cls_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "sep_token_id": tokenizer.sep_token_id,
    }


def _tokenizer(model_type: str) -> Any:
    """WordPiece, byte-level BPE or Unigram: what the architecture's published checkpoints use."""
    special = _ROBERTA if "roberta" in model_type else _WORDPIECE
    tokens = list(special.values())
    match model_type:
        case "roberta" | "modernbert":
            letters = sorted(pre_tokenizers.ByteLevel.alphabet())
            vocabulary = {token: i for i, token in enumerate([*tokens, *letters])}
            tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token=special["unk"]))
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            tokenizer.decoder = decoders.ByteLevel()
        case "xlm-roberta" | "deberta-v2":
            pieces = [(token, 0.0) for token in tokens]
            pieces += [("▁" + word, -2.0 - i / 100) for i, word in enumerate(WORDS)]
            pieces += [("▁", -5.0)]
            tokenizer = Tokenizer(models.Unigram(pieces, unk_id=tokens.index(special["unk"])))
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        case _:
            word_pieces = [*WORDS, *("##" + letter for letter in "abcdefghijklmnopqrstuvwxyz")]
            vocabulary = {token: i for i, token in enumerate([*tokens, *word_pieces])}
            tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=special["unk"]))
            tokenizer.normalizer = normalizers.BertNormalizer()
            tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cls, sep = special["cls"], special["sep"]
    second = 0 if "roberta" in model_type else 1
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:{second} {sep}:{second}",
        special_tokens=[(cls, tokens.index(cls)), (sep, tokens.index(sep))],
    )
    names = {f"{role}_token": token for role, token in special.items()}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=LONGEST, **names)
