"""What looking costs on this machine: pictures and clips to features, and training on questions beside texts.

    python benchmarks/speed/vision.py [--vision scene-clip]

    pictures   encoded PNG at 64 x 64 to router features, per second                       wanted: 150 or more
    clips      mp4 of 8 frames at 64 x 64, from the file to visual tokens                  wanted: under 50 ms
    training   a step on questions with visual tokens from files, as the share of the speed of a step
               on texts alone of the same length in tokens                                  wanted: 0.8 or more
    memory     peak of a run on 4 n clips in files over that of one on n

Steps of both kinds take turns in one process, and a ratio is taken within each turn; printed are medians and quartiles.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import torch
from safetensors.torch import save_file

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.vision_encoder import StoredTokens
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.device import choose_device
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import png
from cl_core.synthetic.scenes.clips import CLIP_FAMILIES, ask_clip
from cl_core.synthetic.scenes.painter import paint
from cl_core.synthetic.scenes.scene import draw_scene
from cl_core.train.classification import Classification
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.settings import TrainSettings

BATCH, PICTURES, CLIPS, ANSWERS = 16, 512, 24, 10


def write_clip(path: Path, number: int) -> str:
    """An mp4 of eight frames; returns the answer to its question."""
    import av

    family = CLIP_FAMILIES["which-way"]
    answer = family.answers[number % len(family.answers)]
    clip = ask_clip("which-way", Draw("benchmark", number), answer)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for frame in clip.frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(paint(frame), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return answer


def turns(first: Callable[[], None], second: Callable[[], None], rounds: int) -> list[float]:
    """Time of the first over time of the second, turn by turn."""
    ratios = []
    for turn in range(rounds + 2):
        spent = {}
        for call in (first, second) if turn % 2 else (second, first):
            began = time.perf_counter()
            call()
            spent[call] = time.perf_counter() - began
        if turn >= 2:
            ratios.append(spent[first] / spent[second])
    return ratios


def measure_pictures(vision: str) -> None:
    """Pictures to features."""
    device = choose_device("auto", "auto")
    backbone = load_backbone(BackboneSettings(name=vision), device.torch_device)
    shown = [png(paint(draw_scene(Draw("benchmark", n), 3))) for n in range(PICTURES)]
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        extract_features(
            backbone, backbone.encode({"image": shown}), -1, "cls", 64, device.autocast
        )
        spent.append(time.perf_counter() - began)
    print(f"pictures: {PICTURES / median(spent):.0f} a second ({device.name})")


def measure_clips(vision: str, folder: Path) -> None:
    """Clips to visual tokens, one by one."""
    device = choose_device("auto", "auto")
    backbone = load_backbone(BackboneSettings(vision=vision), device.torch_device)
    assert isinstance(backbone, VisionLanguageBackbone)
    spent = []
    for number in range(CLIPS):
        path = folder / f"{number}.mp4"
        write_clip(path, number)
        began = time.perf_counter()
        backbone.vision_encoder.encode("video", [path])
        spent.append(1000 * (time.perf_counter() - began))
    low, middle, high = quantiles(spent[4:], n=4)
    print(f"clips: {middle:.1f} ms each ({low:.1f} to {high:.1f})")


def measure_training(vision: str, folder: Path, rounds: int) -> None:
    """Steps on questions against steps on texts of as many tokens."""
    device = choose_device("auto", "auto")
    backbone = load_backbone(BackboneSettings(vision=vision), device.torch_device)
    assert isinstance(backbone, VisionLanguageBackbone)
    count = 4 * BATCH
    tokens = backbone.vision_encoder.tokens("image")
    file = folder / "seen.safetensors"
    features = torch.randn(count, tokens, backbone.visual_size)
    save_file({"features": features, "counts": torch.full((count,), tokens)}, file)
    seen = StoredTokens((file,), count, tuple(range(count)), tokens)
    questions = ["What colour is the triangle, and where does it lie?"] * count
    asked = backbone.encode({"question": questions, "image": [b""] * count}, seen)
    length = asked.lengths[0]
    text = "the " * (length - 2)
    texts = backbone.encode({"text": [text] * count})
    assert texts.lengths == asked.lengths
    generator = torch.Generator().manual_seed(0)
    adapter = Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator)
    projection = Projection.initialise(backbone.embedding_size, backbone.visual_size, generator)
    weights = TaskWeights(
        replace(adapter, projection=projection),
        Head.initialise(ANSWERS, backbone.hidden_size, generator),
    ).to(device.torch_device)
    for parameter in weights.parameters():
        parameter.requires_grad_(True)
    labels = torch.arange(count) % ANSWERS

    def step(rows: Rows) -> Callable[[], None]:
        context = TrainingContext(backbone, rows, rows, TrainSettings(), device, 0)
        objective = Classification(context, weights, 0.1)

        def once() -> None:
            for begin in range(0, count, BATCH):
                torch.autograd.backward(objective.loss(range(begin, begin + BATCH)))
            device.synchronise()

        return once

    ratios = turns(step(Rows(texts, labels)), step(Rows(asked, labels)), rounds)
    low, middle, high = quantiles(ratios, n=4)
    print(
        f"training: {middle:.3f} of the speed of texts alone ({low:.3f} to {high:.3f}), "
        f"{length} tokens, {tokens} of them seen"
    )


def measure_memory(vision: str, folder: Path, clips: int) -> None:
    """Peaks of two runs on clips in files, each in a process of its own."""
    peaks = []
    for times in (1, 4):
        folder_of_run = folder / f"run{times}"
        folder_of_run.mkdir()
        task = folder_of_run / "t"
        task.mkdir()
        number = 0
        for split, share in {"train": 1.0, "validation": 0.1, "test": 0.1}.items():
            rows = []
            for _ in range(round(share * clips * times)):
                answer = write_clip(task / f"{number}.mp4", number)
                rows.append({"video": f"{number}.mp4", "question": "Which way?", "answer": answer})
                number += 1
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (task / f"{split}.jsonl").write_text(lines)
        stream = folder_of_run / "stream.yaml"
        stream.write_text(
            "name: s\nprotocol: til\ntasks:\n  - {name: t, kind: video-qa, path: t}\n"
        )
        code = (
            "import sys, cl_core as cl\n"
            "from cl_core.reports.report import Report\n"
            "stream, vision, workspace = sys.argv[1:]\n"
            "run = cl.run(stream, 'dam', name='r', epochs=1, vision=vision, workspace=workspace)\n"
            "print(int(Report(run.folder).cost['peak_memory_bytes']))"
        )
        command = [sys.executable, "-c", code, str(stream), vision, str(folder_of_run / "w")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[-1]))
    print(
        f"memory: {peaks[1] / 2**20:.0f} MiB with {4 * clips} clips over {peaks[0] / 2**20:.0f} with {clips}: "
        f"{peaks[1] / peaks[0]:.3f}"
    )


def main() -> None:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vision", default="scene-clip")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    np.random.seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_pictures(asked.vision)
        measure_clips(asked.vision, folder)
        measure_training(asked.vision, folder, asked.rounds)
        measure_memory(asked.vision, folder, asked.clips)


if __name__ == "__main__":
    main()
