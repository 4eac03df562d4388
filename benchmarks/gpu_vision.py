"""What must hold on a GPU of pictures and questions, compared with the CPU, and the published sizes' speed and memory.

    python benchmarks/gpu_vision.py --output DIR           # on a machine with a GPU
    python benchmarks/gpu_vision.py --device cpu --quick   # tries the script; measures no GPU
    python benchmarks/gpu_vision.py --device cpu --quick --published   # that the published sizes work, in 8 GB or so

As `gpu_check.py`, whose second and third parts it carries out on two streams more:

1. Pictures: drawn things in three styles, a small vision transformer with random weights.
2. Questions: colours in pictures and ways in clips, MiniLM with the same vision transformer in front of it.
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

import torch
from gpu_backbones import SMALL_VISION, random_vision, small_seeing
from gpu_published import measure_published
from gpu_report import Report
from gpu_streams import FULL, QUICK, Size, Stream, compare_bfloat16, compare_streams

from cl_core.backbones.encoder import Backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.device import choose_device
from cl_core.tasks.draw import Draw
from cl_core.tasks.encode import animation, png
from cl_core.tasks.scenes.clips import CLIP_FAMILIES, ask_clip
from cl_core.tasks.scenes.paint import paint
from cl_core.tasks.scenes.questions import FAMILIES, ask
from cl_core.tasks.scenes.scene import draw_scene
from cl_core.train.data import Rows

STYLES, THINGS = ("flat", "neon", "mosaic"), ("star", "ring", "moon")
ASKED = (("image", "colour"), ("video", "which-way"))
ANSWERS = (*FAMILIES["colour"].answers, *CLIP_FAMILIES["which-way"].answers)


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

    tasks = [partial(things_rows, style, size) for style in STYLES]
    things = Stream(tasks, len(THINGS), size.epochs, "pictures: ")
    on_cpu, on_device = (random_vision(SMALL_VISION, each) for each in (cpu, device))
    compare_streams(report, (on_cpu, cpu), (on_device, device), things)
    compare_bfloat16(report, on_device, device, things)

    tasks = [partial(question_rows, *each, size) for each in ASKED]
    asked = Stream(tasks, len(ANSWERS), size.epochs, "questions: ")
    settings = BackboneSettings(name=chosen.text, max_length=32)
    seeing_on_cpu, seeing = (small_seeing(settings, each) for each in (cpu, device))
    before = seeing.weight_hash()
    compare_streams(report, (seeing_on_cpu, cpu), (seeing, device), asked)
    compare_bfloat16(report, seeing, device, asked)
    changed = float(seeing.weight_hash() != before)
    report.check("questions: backbone's bytes unchanged", changed, 0.0)

    small = chosen.quick and not chosen.published
    measure_published(report, choose_device(chosen.device, "bfloat16"), chosen.quick, small)
    print(report.markdown())
    report.finish(chosen.output, "gpu_vision")


def things_rows(style: str, size: Size, backbone: Backbone, split: str) -> Rows:
    """Pictures of one thing each, in a style."""
    count = size.rows[split]
    drawn = [
        draw_scene(Draw("gpu", style, split, n), 1, [style], [THINGS[n % 3]], sizes=("huge",))
        for n in range(count)
    ]
    pictures = [png(paint(each)) for each in drawn]
    return Rows(backbone.encode({"image": pictures}), torch.arange(count) % 3)


def question_rows(medium: str, family: str, size: Size, backbone: Backbone, split: str) -> Rows:
    """Questions of a family about pictures or clips, a quarter as many as of other rows."""
    count = max(size.rows[split] // 4, 8)
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


if __name__ == "__main__":
    main()
