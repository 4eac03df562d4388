"""What must hold on a GPU of pictures and questions, compared with the CPU, and the published sizes' speed and memory.

    python benchmarks/gpu_vision.py --output DIR           # on a machine with a GPU
    python benchmarks/gpu_vision.py --device cpu --quick   # tries the script; measures no GPU

As `gpu_check.py`, whose second and third parts it carries out on two streams more:

1. Pictures: drawn things in three styles, a small vision transformer with random weights.
2. Questions: colours in pictures and ways in clips, MiniLM with the same vision transformer in front of it.
3. The published sizes with random weights: CLIP ViT-L/14 before DeBERTa-v2-XL (24 blocks, d = 1536, r = 192, both
   sites), a question of 48 tokens about 10 frames, one token each: samples per second of training, and of routed
   inference over K = 5 adapters, in bf16, and peak memory; and ViT-L/14 alone over pictures at 224 x 224.

It needs torch, transformers and Pillow; neither open_clip nor datasets nor a network.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gpu_check import (
    FULL,
    QUICK,
    Report,
    Stream,
    compare_bfloat16,
    compare_streams,
    describe,
    fitting_speed,
    new_weights,
    peak_memory,
    reset_peak,
    routes,
)
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.image import ImageBackbone
from cl_core.backbones.load import load_backbone
from cl_core.backbones.pictures import PictureBatch
from cl_core.backbones.seeing import SeeingBackbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.visual import Eye, Sights
from cl_core.device import Device, choose_device
from cl_core.tasks.draw import Draw
from cl_core.tasks.encode import animation, png
from cl_core.tasks.scenes.clips import CLIP_FAMILIES, ask_clip
from cl_core.tasks.scenes.paint import SIDE, paint
from cl_core.tasks.scenes.questions import FAMILIES, ask
from cl_core.tasks.scenes.scene import draw_scene
from cl_core.train.data import Rows

if TYPE_CHECKING:
    from PIL.Image import Image

STYLES, THINGS = ("flat", "neon", "mosaic"), ("star", "ring", "moon")
ASKED = (("image", "colour"), ("video", "which-way"))
ANSWERS = (*FAMILIES["colour"].answers, *CLIP_FAMILIES["which-way"].answers)
TEXT_TOKENS, FRAMES, K = 48, 10, 5
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


def main() -> None:
    """Reads the command line, checks and measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:n, or cpu to try the script")
    parser.add_argument("--text", default="minilm", help="a text backbone for the questions")
    parser.add_argument("--quick", action="store_true", help="little data, few turns, small sizes")
    parser.add_argument("--output", type=Path, help="folder for gpu_vision.md and gpu_vision.json")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL
    cpu, device = choose_device("cpu", "float32"), choose_device(chosen.device, "float32")
    report = Report(device.reason, describe(device, chosen.text))
    if device.torch_device.type != "cuda":
        report.notes.append("**No GPU was measured**: this is the CPU compared with itself.")

    things = Stream([partial(things_rows, style, size) for style in STYLES], 3, "pictures: ")
    places = [(vision(SMALL_VISION, each), each) for each in (cpu, device)]
    compare_streams(report, *places, things, size)
    compare_bfloat16(report, *places[1], things, size)

    asked = Stream([partial(question_rows, *each, size) for each in ASKED], 12, "questions: ")
    settings = BackboneSettings(name=chosen.text, max_length=32)
    seeing = [(see(settings, each), each) for each in (cpu, device)]
    before = seeing[1][0].weight_hash()
    compare_streams(report, *seeing, asked, size)
    compare_bfloat16(report, *seeing[1], asked, size)
    changed = float(seeing[1][0].weight_hash() != before)
    report.check("questions: backbone's bytes unchanged", changed, 0.0)

    measure_published(report, choose_device(chosen.device, "bfloat16"), chosen.quick)
    print(report.markdown())
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        (chosen.output / "gpu_vision.md").write_text(report.markdown())
        (chosen.output / "gpu_vision.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    if report.failed:
        sys.exit(f"failed: {', '.join(report.failed)}")


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


def vision(
    shape: dict[str, Any], device: Device, dtype: torch.dtype = torch.float32
) -> ImageBackbone:
    """A vision transformer of CLIP's layout with random weights, the same on every device."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    torch.manual_seed(0)
    model = CLIPVisionModel(CLIPVisionConfig(**shape)).to(dtype)
    made = ImageBackbone(model, Squeeze(shape["image_size"]), name="random", revision=None)
    made.to(device.torch_device)
    return made


def see(settings: BackboneSettings, device: Device) -> SeeingBackbone:
    """The small vision transformer before a text encoder."""
    text = load_backbone(settings, device.torch_device)
    if not isinstance(text, TextBackbone):
        raise SystemExit(f"{settings.name} is no text encoder")
    eye = Eye(vision(SMALL_VISION, device), frames=8, image_grid=2, clip_grid=1)
    both = SeeingBackbone(text, eye, name="both", revision=None)
    both.to(device.torch_device)
    return both


def things_rows(style: str, size: dict[str, Any], backbone: Backbone, split: str) -> Rows:
    """Pictures of one thing each, in a style."""
    count = size["rows"][("train", "validation", "test").index(split)]
    drawn = [
        draw_scene(Draw("gpu", style, split, n), 1, [style], [THINGS[n % 3]], sizes=("huge",))
        for n in range(count)
    ]
    pictures = [png(paint(each)) for each in drawn]
    return Rows(backbone.encode({"image": pictures}), torch.arange(count) % 3)


def question_rows(
    medium: str, family: str, size: dict[str, Any], backbone: Backbone, split: str
) -> Rows:
    """Questions of a family about pictures or clips, a quarter as many as of other rows."""
    count = max(size["rows"][("train", "validation", "test").index(split)] // 4, 8)
    shown, questions, labels = [], [], []
    for n in range(count):
        draw = Draw("gpu", family, split, n)
        if medium == "video":
            answer = CLIP_FAMILIES[family].answers[n % 4]
            clip = ask_clip(family, draw, answer)
            shown.append(animation([paint(each) for each in clip.frames], 0.25))
            questions.append(clip.question)
        else:
            answer = FAMILIES[family].answers[n % 8]
            asked = ask(family, draw, answer)
            shown.append(png(paint(asked.scene)))
            questions.append(asked.question)
        labels.append(ANSWERS.index(answer))
    rows = backbone.encode({"question": questions, medium: shown})
    return Rows(rows, torch.tensor(labels))


# 3. The published sizes


class Kept:
    """Random visual tokens, as many as frames."""

    tokens = FRAMES

    def __init__(self, rows: int, width: int) -> None:
        self.features = torch.randn(rows, FRAMES, width)

    def __len__(self) -> int:
        return len(self.features)

    def see(self, rows: Sequence[int]) -> Sights:
        """The tokens of some rows."""
        return Sights(self.features[list(rows)], torch.full((len(rows),), FRAMES))


def measure_published(report: Report, device: Device, quick: bool) -> None:
    """ViT-L/14 and DeBERTa-v2-XL, random weights in bf16."""
    steps, batches = (2, (2,)) if quick else (20, (8, 32))
    eye = vision(SMALL_VISION if quick else VISION_L14, device, torch.bfloat16)
    both = SeeingBackbone(
        random_text(SMALL_TEXT if quick else DEBERTA_XL),
        Eye(eye, FRAMES, 0, 0),
        name="published",
        revision=None,
    )
    both.to(device.torch_device)
    count = sum(each.numel() for each in both.parameters())
    report.notes.append(f"published sizes: {count / 1e6:.0f} million frozen weights, bf16")
    adapter = new_weights(both, 2).adapter
    report.notes.append(f"one adapter with its projection: {adapter.parameter_count:,} numbers")
    for batch in batches:
        rows = asked_rows(both, (steps + 2) * batch)
        work: dict[str, Callable[[], float]] = {
            "training on questions, ViT-L/14 tokens kept": lambda rows=rows, batch=batch: (
                fitting_speed(both, device, rows, batch, steps)
            ),
            f"routed inference on questions, K={K}, k=2": lambda rows=rows, batch=batch: (
                routed_speed(both, device, rows, batch, steps)
            ),
            "pictures at full size through the vision encoder": lambda batch=batch: picture_speed(
                eye, device, batch, steps
            ),
        }
        for name, measure in work.items():
            reset_peak(device)
            row = {"work": name, "precision": "bfloat16", "batch": batch}
            row |= {"samples_per_second": measure(), "peak_memory_bytes": peak_memory(device)}
            report.speeds.append(row)


def random_text(shape: dict[str, Any]) -> TextBackbone:
    """DeBERTa-v2 with random weights in bf16; its tokenizer knows numbers alone."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import DebertaV2Config, DebertaV2Model, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = {word: number for number, word in enumerate([*special, *map(str, range(1000))])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))  # noqa: S106 - a token
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    roles = ("pad", "unk", "cls", "sep", "mask")
    names = {f"{role}_token": token for role, token in zip(roles, special, strict=True)}
    torch.manual_seed(0)
    model = DebertaV2Model(DebertaV2Config(**shape)).to(torch.bfloat16)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    return TextBackbone(
        model, fast, name="random", revision=None, fingerprint="random", max_length=TEXT_TOKENS
    )


def asked_rows(backbone: SeeingBackbone, count: int) -> Rows:
    """Questions of the same length about kept visual tokens, two classes."""
    question = " ".join(map(str, range(TEXT_TOKENS)))
    columns = {"question": [question] * count, "video": [b""] * count}
    rows = backbone.encode(columns, Kept(count, backbone.visual_size))
    return Rows(rows, torch.arange(count) % 2)


@torch.no_grad()
def routed_speed(
    backbone: SeeingBackbone, device: Device, rows: Rows, batch: int, steps: int
) -> float:
    """Samples per second through a merge of two of five adapters, each sample its own."""
    bank = Bank.stack([new_weights(backbone, 2).adapter for _ in range(K)])
    bank, weights = bank.to(device.torch_device), routes(batch, K, 2).to(device.torch_device)
    return timed(
        lambda: backbone(
            backbone.collate(rows.encoding, range(batch)), compose(bank, weights, "merge")
        ),
        device,
        batch,
        steps,
    )


@torch.no_grad()
def picture_speed(backbone: ImageBackbone, device: Device, batch: int, steps: int) -> float:
    """Pictures per second through the vision encoder, decoding left out."""
    side = backbone.preprocess.side  # type: ignore[attr-defined]
    pixels = torch.randn(batch, 3, side, side, device=device.torch_device)
    mask = torch.ones(batch, backbone.tokens, device=device.torch_device)
    return timed(lambda: backbone(PictureBatch(pixels, mask)), device, batch, steps)


def timed(call: Callable[[], object], device: Device, batch: int, steps: int) -> float:
    """Samples per second over `steps` calls, two more before the clock starts."""
    began = 0.0
    for step in range(steps + 2):
        if step == 2:
            device.synchronise()
            began = time.perf_counter()
        with device.autocast():
            call()
    device.synchronise()
    return steps * batch / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
