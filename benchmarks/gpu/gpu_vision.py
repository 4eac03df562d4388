"""What must hold on a GPU of pictures and questions, compared with the CPU, and the published sizes' speed and memory.

    python benchmarks/gpu/gpu_vision.py --output DIR           # on a machine with a GPU
    python benchmarks/gpu/gpu_vision.py --device cpu --quick   # tries the script; measures no GPU
    python benchmarks/gpu/gpu_vision.py --device cpu --quick --published  # that the published sizes work, in some 8 GB

As `gpu_check.py`, whose second and third parts it carries out on two streams more:

1. Pictures: the colour of a drawn thing, in three styles, a small vision transformer with random weights.
2. Questions: the colour of a thing in pictures and in clips, MiniLM with the same vision transformer in front of it.
   Colours, because random weights do not see shapes or motion: of a stream that is not learnt, equal scores say little.
3. The published sizes with random weights (`gpu_published.py`): CLIP ViT-L/14 before DeBERTa-v2-XL (24 blocks,
   d = 1536, r = 192, both sites), a question of 48 tokens about 10 frames, one token each: samples per second of
   training, and of routed inference over K = 5 adapters, in bf16, and peak memory; and ViT-L/14 alone over pictures
   at 224 x 224.

It needs torch, transformers and Pillow; neither open_clip nor datasets nor a network.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from gpu_backbones import SMALL_VISION, random_vision, small_vision_language
from gpu_published import measure_published
from gpu_report import Report
from gpu_streams import FULL, QUICK, Size, Stream, compare_bfloat16, compare_streams
from numpy.typing import NDArray

from cl_core.backbones.encoder import Backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.device import choose_device
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import animation, png
from cl_core.synthetic.scenes.painter import paint
from cl_core.synthetic.scenes.scene import draw_scene
from cl_core.train.data import Rows

STYLES, COLOURS = ("flat", "neon", "mosaic"), ("red", "blue", "yellow")
ASKED = (
    ("image", "flat", "What colour is the thing?"),
    ("video", "neon", "What colour is what slides?"),
)


def main() -> None:
    """Reads the command line, checks and measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:n, or cpu to try the script")
    parser.add_argument("--text", default="minilm", help="a text backbone for the questions")
    parser.add_argument("--quick", action="store_true", help="little data, few turns, small sizes")
    parser.add_argument(
        "--published", action="store_true", help="with --quick: few turns, but the published sizes"
    )
    parser.add_argument("--output", type=Path, help="folder for gpu_vision.md and gpu_vision.json")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL
    cpu, device = choose_device("cpu", "float32"), choose_device(chosen.device, "float32")
    report = Report.of(device, chosen.text)

    tasks = [partial(picture_rows, style, size) for style in STYLES]
    seen = Stream(tasks, len(COLOURS), size.epochs, "pictures: ", size.wrong)
    on_cpu, on_device = (random_vision(SMALL_VISION, where) for where in (cpu, device))
    compare_streams(report, (on_cpu, cpu), (on_device, device), seen)
    compare_bfloat16(report, on_device, device, seen)

    tasks = [partial(question_rows, *asked_for, size) for asked_for in ASKED]
    asked = Stream(tasks, len(COLOURS), size.epochs, "questions: ", size.wrong)
    settings = BackboneSettings(name=chosen.text, max_length=32)
    seeing_on_cpu, seeing = (small_vision_language(settings, where) for where in (cpu, device))
    before = seeing.weight_hash()
    compare_streams(report, (seeing_on_cpu, cpu), (seeing, device), asked)
    compare_bfloat16(report, seeing, device, asked)
    changed = float(seeing.weight_hash() != before)
    report.check("questions: backbone's bytes unchanged", changed, 0.0)

    small = chosen.quick and not chosen.published
    measure_published(report, choose_device(chosen.device, "bfloat16"), chosen.quick, small)
    print(report.markdown())
    report.finish(chosen.output, "gpu_vision")


def painted(style: str, split: str, count: int) -> list[NDArray[np.uint8]]:
    """Pictures of one large thing each; its colours take turns."""
    return [
        paint(
            draw_scene(
                Draw("gpu", style, split, n),
                1,
                [style],
                colours=[COLOURS[n % 3]],
                sizes=("huge",),
                plain=True,
            )
        )
        for n in range(count)
    ]


def picture_rows(style: str, size: Size, backbone: Backbone, split: str) -> Rows:
    """Pictures in a style; the label is the colour."""
    pictures = painted(style, split, size.rows[split])
    encoding = backbone.encode({"image": [png(picture) for picture in pictures]})
    return Rows(encoding, torch.arange(len(pictures)) % 3)


def question_rows(
    medium: str, style: str, question: str, size: Size, backbone: Backbone, split: str
) -> Rows:
    """Questions about pictures, or about clips in which everything slides; half as many as of other rows."""
    pictures = painted(style, split, max(size.rows[split] // 2, 8))
    if medium == "video":
        shown = [
            animation([np.roll(picture, 4 * n, 1) for n in range(4)], 0.25) for picture in pictures
        ]
    else:
        shown = [png(picture) for picture in pictures]
    rows = backbone.encode({"question": [question] * len(shown), medium: shown})
    return Rows(rows, torch.arange(len(shown)) % 3)


if __name__ == "__main__":
    main()
