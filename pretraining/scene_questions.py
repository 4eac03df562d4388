"""Trains what `scene-qa` starts from: a visual projection and adapters that let MiniLM read what `scene-clip` sees.

    python pretraining/scene_questions.py --vision cl_core/backbones/scene_clip --output cl_core/backbones/scene_qa \
        | tee pretraining/scene_questions.log

Both encoders are frozen, and so are the answers' embeddings: what MiniLM makes of the words themselves. The questions
are generic: captions of scenes and clips with one word left out, as DAM starts from a language model that was shown
videos with masked captions (FrozenBiLM, Yang et al. 2022), and questions of kinds that the built-in streams do not ask.
Scenes are drawn under other names than those of the streams. The same seed gives the same bytes on one machine. Prints,
and so logs, the loss, the accuracy on held-out questions, and that of each kind.
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
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
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
from cl_core.tasks.scenes.captions import MANNERS, NUMBERS, PLACES, caption, relation
from cl_core.tasks.scenes.clips import WAYS, ask_clip
from cl_core.tasks.scenes.figures import FIGURES, SHAPES
from cl_core.tasks.scenes.paint import paint
from cl_core.tasks.scenes.scene import COLOURS, TEXTURES, Scene, Thing, draw_scene
from cl_core.train.checkpoint import EpochRecord
from cl_core.train.classification import fit
from cl_core.train.data import Rows
from cl_core.train.lesson import Lesson
from cl_core.train.loop import Watch
from cl_core.train.settings import TrainSettings

BLANK = "what"
KINDS: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "figure": tuple(FIGURES),
    "number": NUMBERS,
    "way": tuple(WAYS),
    "relation": ("left", "right", "above", "below"),
    "place": tuple(PLACES),
    "manner": tuple(MANNERS),
    "texture": TEXTURES,
    "size": ("small", "big"),
    "yes or no": ("no", "yes"),
}
"""Answers, by what they say."""
ANSWERS = tuple(dict.fromkeys(word for words in KINDS.values() for word in words))


@dataclass(frozen=True)
class Asked:
    """A question about a picture or a clip.

    Attributes:
        medium: which of the two.
        shown: its bytes.
        question: in words.
        answer: the right one.
        kind: what the answer says.
    """

    medium: Medium
    shown: bytes
    question: str
    answer: str
    kind: str


def lot(seed: int, number: int) -> Asked:
    """Of every four one is a clip, one a question about a scene, two a caption with a word left out."""
    draw = Draw("scene-questions", seed, number)
    match number % 4:
        case 3:
            return _clip(draw)
        case 2:
            return _question(draw)
        case _:
            return _caption(draw)


def _clip(draw: Draw) -> Asked:
    """Two things slide in different ways: which way goes the one, or which of them goes this way?"""
    way = draw.choice(tuple(WAYS))
    clip = ask_clip("which-way", draw, way)
    figure = clip.question.removeprefix("Which way did the ").removesuffix(" move?")
    shown = animation([paint(frame) for frame in clip.frames], 0.25)
    if draw.chance(0.5):
        return Asked("video", shown, f"the {figure} slides {BLANK}", way, "way")
    return Asked("video", shown, f"the {BLANK} slides {way}", figure, "figure")


def _caption(draw: Draw) -> Asked:
    """A true sentence about a scene, without one of its words."""
    while True:
        alone = draw.chance(0.3)
        scene = (
            draw_scene(draw, 1, sizes=("big", "huge"))
            if alone
            else draw_scene(draw, 1 + draw.below(4))
        )
        words = caption(scene, draw).split()
        kinds = {place: kind for place, word in enumerate(words) if (kind := _kind(word))}
        if kinds:
            kind = draw.choice(tuple(dict.fromkeys(kinds.values())))
            place = draw.choice([place for place in kinds if kinds[place] == kind])
            answer, words[place] = words[place], BLANK
            return Asked("image", png(paint(scene)), " ".join(words), answer, kind)


def _kind(word: str) -> str | None:
    return next((kind for kind, words in KINDS.items() if word in words), None)


def _question(draw: Draw) -> Asked:
    """About one thing of a scene, its place or how it is drawn."""
    while True:
        scene = draw_scene(draw, 2 + draw.below(2), figures=draw.shuffled(tuple(SHAPES))[:6])
        one, other = scene.things[:2] if len(scene.things) > 1 else (None, None)
        names = [thing.figure for thing in scene.things]
        if one is None or other is None or len(set(names)) < len(names):
            continue
        question, answer, kind = _about(draw, scene, one, other)
        return Asked("image", png(paint(scene)), question, answer, kind)


def _about(draw: Draw, scene: Scene, one: Thing, other: Thing) -> tuple[str, str, str]:
    match draw.below(6):
        case 0:
            return f"How is the {one.figure} patterned?", one.texture, "texture"
        case 1:
            return f"How large is the {one.figure}?", one.size, "size"
        case 2:
            return "Where is this?", scene.background, "place"
        case 3:
            return "How is this drawn?", scene.style, "manner"
        case 4:
            where = relation(one, other)
            word = where.split()[0]
            rest = where.removeprefix(word)
            return f"The {one.figure} is {BLANK}{rest} the {other.figure}.", word, "relation"
        case _:
            there = draw.chance(0.5)
            absent = [name for name in SHAPES if name not in {t.figure for t in scene.things}]
            figure = one.figure if there else draw.choice(absent)
            return f"Is there a {figure}?", "yes" if there else "no", "yes or no"


def lots(asked: tuple[int, int, int]) -> list[Asked]:
    """Those numbered begin..end - 1."""
    seed, begin, end = asked
    return [lot(seed, number) for number in range(begin, end)]


def make(seed: int, begin: int, count: int) -> list[Asked]:
    """`count` questions, made by all cores, those about pictures first."""
    step = 250
    parts = [(seed, b, min(b + step, begin + count)) for b in range(begin, begin + count, step)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = [each for part in pool.map(lots, parts) for each in part]
    return sorted(found, key=lambda each: each.medium)


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


def rows_of(backbone: SeeingBackbone, asked: Sequence[Asked]) -> tuple[Rows, Tensor]:
    """Questions as training rows, in their order, and (n, v) all tokens that are seen of pictures."""
    parts, pictures = [], []
    for medium in dict.fromkeys(each.medium for each in asked):
        own = [each for each in asked if each.medium == medium]
        seen = [
            backbone.eye.look(medium, [each.shown for each in own[begin : begin + 64]])
            for begin in range(0, len(own), 64)
        ]
        sights = Sights(
            torch.cat([each.features for each in seen]).cpu(),
            torch.cat([each.counts for each in seen]).cpu(),
        )
        if medium == "image":
            pictures.append(sights.features.flatten(0, 1))
        columns = {"question": [each.question for each in own], medium: [b""] * len(own)}
        parts.append(backbone.encode(columns, Kept(sights)))
    labels = torch.tensor([ANSWERS.index(each.answer) for each in asked])
    return Rows(Samples.concat(parts), labels), torch.cat(pictures)


def evenly_loud(seen: Tensor, words: Tensor, generator: torch.Generator) -> Projection:
    """A random projection of what is seen, whitened, as loud as words are.

    A few directions of what a CLIP sees are thirty times as loud as most others: a plain random projection drowns in
    them, and shapes were not learnt.

    Args:
        seen: (n, v) visual tokens.
        words: (m, d) word embeddings.
        generator: a CPU generator.
    """
    mean, covariance = seen.mean(dim=0), torch.cov(seen.T)
    strength, directions = torch.linalg.eigh(covariance)
    whiten = directions @ torch.diag((strength + 1e-3 * strength.max()).rsqrt()) @ directions.T
    wide, narrow = words.shape[1], seen.shape[1]
    random = torch.empty(wide, narrow).normal_(generator=generator) / narrow**0.5
    weight = random @ whiten * (words.norm(dim=1).mean() / wide**0.5)
    return Projection(weight, -weight @ mean)


@torch.no_grad()
def by_kind(lesson: Lesson[Rows], weights: TaskWeights, asked: Sequence[Asked]) -> dict[str, float]:
    """Share of the validation rows of each kind that are answered rightly."""
    rows = lesson.validation
    here = transforms(weights.adapter)
    right: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for begin in range(0, len(asked), 50):
        places = range(begin, min(begin + 50, len(asked)))
        found = weights.head.logits(lesson.states(rows, places, here)).argmax(dim=1).cpu()
        for place, answer in zip(places, found.tolist(), strict=True):
            right[asked[place].kind].append(answer == int(rows.labels[place]))
    return {kind: sum(each) / len(each) for kind, each in right.items() if each}


def main() -> None:
    """Makes questions, trains, and writes what `scene-qa` starts from."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vision", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    asked = parser.parse_args()
    device = choose_device(asked.device, "bfloat16")
    began = time.perf_counter()
    settings = BackboneSettings(vision=str(asked.vision), max_length=32)
    backbone = load_backbone(settings, device.torch_device)
    if not isinstance(backbone, SeeingBackbone):
        raise SystemExit(f"{asked.vision} is no vision backbone")
    held_out = make(asked.seed, 10**9, asked.held_out)
    with device.autocast():
        train, seen = rows_of(backbone, make(asked.seed, 0, asked.questions))
        judged, _ = rows_of(backbone, held_out)
    print(f"{asked.questions} questions in {time.perf_counter() - began:.0f} s", flush=True)
    generator = torch.Generator().manual_seed(asked.seed)
    adapter = Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator)
    projection = evenly_loud(seen, backbone.words.weight.detach().cpu(), generator)
    named = backbone.label_head(ANSWERS)
    head = Head(named.weight.cpu(), named.bias.cpu(), frozen=True)
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
    for kind, share in by_kind(lesson, fitted.weights.to(device.torch_device), held_out).items():
        print(f"held out, {kind}, {len(KINDS[kind])} answers: {100 * share:.1f} %", flush=True)
    asked.output.mkdir(parents=True, exist_ok=True)
    tensors = fitted.weights.adapter.tensors()
    halves = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    save_file(halves, asked.output / "start.safetensors")
    print(f"written to {asked.output} after {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
