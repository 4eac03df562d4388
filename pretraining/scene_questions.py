"""Trains what `scene-qa` starts from: a visual projection and adapters that let MiniLM read what `scene-clip` sees.

    python pretraining/scene_questions.py --vision cl_core/backbones/scene_clip --output cl_core/backbones/scene_qa \
        | tee pretraining/scene_questions.log

Both encoders are frozen. The questions are generic: captions of scenes with one word left out, and which way things
slide in clips; as DAM starts from a language model that was shown videos with masked captions (FrozenBiLM, Yang et al.
2022). Scenes are drawn under other names than those of the built-in streams, whose kinds of questions are not asked
here. The head is thrown away. The same seed gives the same bytes on one machine. Prints, and so logs, the loss and the
accuracy on held-out questions.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.load import load_backbone
from cl_core.backbones.samples import Samples
from cl_core.backbones.seeing import SeeingBackbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.visual import Medium, Sights
from cl_core.device import choose_device
from cl_core.tasks.draw import Draw
from cl_core.tasks.encode import animation, png
from cl_core.tasks.scenes.captions import MANNERS, NUMBERS, PLACES, caption
from cl_core.tasks.scenes.clips import WAYS, ask_clip
from cl_core.tasks.scenes.figures import FIGURES
from cl_core.tasks.scenes.paint import paint
from cl_core.tasks.scenes.scene import COLOURS, draw_scene
from cl_core.train.checkpoint import EpochRecord
from cl_core.train.classification import fit
from cl_core.train.data import Rows
from cl_core.train.lesson import Lesson
from cl_core.train.loop import Watch
from cl_core.train.settings import TrainSettings

BLANK = "what"
WORDS = (*COLOURS, *FIGURES, *NUMBERS, *WAYS, "above", "below", *PLACES, *MANNERS)
"""What may be left out of a caption."""


@dataclass(frozen=True)
class Asked:
    """A caption with a word left out."""

    medium: Medium
    shown: bytes
    question: str
    answer: str


def lot(seed: int, number: int) -> Asked:
    """Of every four three are pictures and one a clip."""
    draw = Draw("scene-questions", seed, number)
    if number % 4 == 3:
        way = draw.choice(tuple(WAYS))
        clip = ask_clip("which-way", draw, way)
        figure = clip.question.removeprefix("Which way did the ").removesuffix(" move?")
        shown = animation([paint(frame) for frame in clip.frames], 0.25)
        return Asked("video", shown, f"the {figure} slides {BLANK}", way)
    while True:
        scene = draw_scene(draw, 1 + draw.below(4))
        words = caption(scene, draw).split()
        places = [place for place, word in enumerate(words) if word in WORDS]
        if places:
            place = draw.choice(places)
            answer, words[place] = words[place], BLANK
            return Asked("image", png(paint(scene)), " ".join(words), answer)


def lots(asked: tuple[int, int, int]) -> list[Asked]:
    """Those numbered begin..end - 1."""
    seed, begin, end = asked
    return [lot(seed, number) for number in range(begin, end)]


def make(seed: int, begin: int, count: int) -> list[Asked]:
    """`count` questions, made by all cores."""
    step = 250
    parts = [(seed, b, min(b + step, begin + count)) for b in range(begin, begin + count, step)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [each for part in pool.map(lots, parts) for each in part]


@dataclass(frozen=True)
class Kept:
    """What is seen, in memory: the vision encoder runs once."""

    sights: Sights

    @property
    def tokens(self) -> int:
        """V."""
        return self.sights.features.shape[1]

    def __len__(self) -> int:
        return len(self.sights.counts)

    def see(self, rows: Sequence[int]) -> Sights:
        """The tokens of some of them."""
        return Sights(self.sights.features[list(rows)], self.sights.counts[list(rows)])


def rows_of(backbone: SeeingBackbone, asked: Sequence[Asked]) -> Rows:
    """Questions as training rows, pictures first."""
    parts, answers = [], []
    for medium in ("image", "video"):
        own = [each for each in asked if each.medium == medium]
        seen = [
            backbone.eye.look(medium, [each.shown for each in own[begin : begin + 64]])
            for begin in range(0, len(own), 64)
        ]
        sights = Sights(
            torch.cat([each.features for each in seen]).cpu(),
            torch.cat([each.counts for each in seen]).cpu(),
        )
        columns = {"question": [each.question for each in own], medium: [b""] * len(own)}
        parts.append(backbone.encode(columns, Kept(sights)))
        answers += [WORDS.index(each.answer) for each in own]
    return Rows(Samples.concat(parts), torch.tensor(answers))


def main() -> None:
    """Makes questions, trains, and writes what `scene-qa` starts from."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vision", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=16_000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    asked = parser.parse_args()
    device = choose_device(asked.device, "bfloat16")
    began = time.perf_counter()
    settings = BackboneSettings(vision=str(asked.vision), max_length=32)
    backbone = load_backbone(settings, device.torch_device)
    if not isinstance(backbone, SeeingBackbone):
        raise SystemExit(f"{asked.vision} is no vision backbone")
    train = rows_of(backbone, make(asked.seed, 0, asked.questions))
    judged = rows_of(backbone, make(asked.seed, 10**9, 1000))
    print(f"{asked.questions} questions in {time.perf_counter() - began:.0f} s", flush=True)
    generator = torch.Generator().manual_seed(asked.seed)
    adapter = Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator)
    projection = Projection.initialise(backbone.embedding_size, backbone.visual_size, generator)
    head = Head.initialise(len(WORDS), backbone.hidden_size, generator)
    training = TrainSettings(
        epochs=asked.epochs, batch_size=32, learning_rate=1e-3, clip=1.0, patience=None
    )

    def epoch(record: EpochRecord) -> None:
        print(
            f"epoch {record.epoch}: loss {record.train_loss:.3f}, held out "
            f"{100 * record.validation_accuracy:.1f} %, {time.perf_counter() - began:.0f} s",
            flush=True,
        )

    watch = Watch(epoch=epoch)
    lesson = Lesson(backbone, train, judged, training, device, asked.seed, watch=watch)
    fitted = fit(lesson, TaskWeights(replace(adapter, projection=projection), head), 0.1)
    asked.output.mkdir(parents=True, exist_ok=True)
    tensors = fitted.weights.adapter.tensors()
    halves = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    save_file(halves, asked.output / "start.safetensors")
    print(f"written to {asked.output} after {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
