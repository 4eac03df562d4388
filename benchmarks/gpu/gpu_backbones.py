"""Backbones with random weights, the same on every device, in the shapes of published ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.vision_encoder import VisionEncoder
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.device import Device
from cl_core.synthetic.scenes.painter import SIDE

if TYPE_CHECKING:
    from PIL.Image import Image
    from transformers import PreTrainedTokenizerFast

MINILM = {
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
}
VISION_L14 = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 224,
    "patch_size": 14,
}
DEBERTA_XL = {
    "hidden_size": 1536,
    "intermediate_size": 6144,
    "num_hidden_layers": 24,
    "num_attention_heads": 24,
    "vocab_size": 128100,
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "max_position_embeddings": 512,
    "type_vocab_size": 0,
    "conv_kernel_size": 3,
    "conv_act": "gelu",
}
SMALL_VISION = {**VISION_L14, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4}
SMALL_VISION |= {"num_attention_heads": 4, "image_size": SIDE, "patch_size": 16}
SMALL_TEXT = {**DEBERTA_XL, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
SMALL_TEXT |= {"num_attention_heads": 4, "vocab_size": 2000}
SPECIAL = {f"{role}_token": f"[{role.upper()}]" for role in ("pad", "unk", "cls", "sep", "mask")}


class Squeeze:
    """Pictures to (3, side, side) in -1..1."""

    def __init__(self, side: int) -> None:
        self.side = side

    def __call__(self, picture: Image) -> Tensor:
        """Its pixels."""
        pixels = np.array(picture.resize((self.side, self.side)))
        return torch.from_numpy(pixels).permute(2, 0, 1).float() / 127.5 - 1

    def __repr__(self) -> str:
        return f"squeeze to {self.side}"


def random_vision(
    shape: dict[str, Any], device: Device, dtype: torch.dtype = torch.float32
) -> ImageBackbone:
    """A vision transformer of CLIP's layout."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    torch.manual_seed(0)
    model = CLIPVisionModel(CLIPVisionConfig(**shape)).to(dtype)
    backbone = ImageBackbone(model, Squeeze(shape["image_size"]), name="random", revision=None)
    backbone.to(device.torch_device)
    return backbone


def random_deberta(shape: dict[str, Any], max_length: int) -> TextBackbone:
    """DeBERTa-v2 in bf16, on the CPU; its tokenizer knows the numbers below 1000 alone."""
    from transformers import DebertaV2Config, DebertaV2Model

    tokenizer = word_tokenizer(map(str, range(1000)))
    torch.manual_seed(0)
    model = DebertaV2Model(DebertaV2Config(**shape)).to(torch.bfloat16)
    return TextBackbone(
        model, tokenizer, name="random", revision=None, fingerprint="random", max_length=max_length
    )


def write_random_bert(shape: dict[str, Any], texts: Iterable[str], folder: Path) -> Path:
    """Writes a BERT, and a tokenizer of the texts' words; returns the folder."""
    from tokenizers import pre_tokenizers
    from transformers import BertConfig, BertModel

    splitter = pre_tokenizers.BertPreTokenizer()
    words = {word for text in texts for word, _ in splitter.pre_tokenize_str(text.lower())}
    tokenizer = word_tokenizer(sorted(words))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=max(len(tokenizer), 1000), **shape)).save_pretrained(folder)
    return folder


def word_tokenizer(words: Iterable[str]) -> PreTrainedTokenizerFast:
    """Knows whole words alone, between [CLS] and [SEP]."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate([*SPECIAL.values(), *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL)


def small_vision_language(settings: BackboneSettings, device: Device) -> VisionLanguageBackbone:
    """A small vision transformer before the text encoder that the settings name."""
    text = load_backbone(settings, device.torch_device)
    if not isinstance(text, TextBackbone):
        raise SystemExit(f"{settings.name} is no text encoder")
    vision_encoder = VisionEncoder(
        random_vision(SMALL_VISION, device), frames=8, image_grid=2, clip_grid=1
    )
    both = VisionLanguageBackbone(text, vision_encoder, name="both", revision=None)
    both.to(device.torch_device)
    return both
