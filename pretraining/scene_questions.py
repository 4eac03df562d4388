"""Trains what `scene-qa` starts from: a visual projection and adapters that let MiniLM read what `scene-clip` sees.

    python pretraining/scene_questions.py --vision cl_core/backbones/scene_clip --output cl_core/backbones/scene_qa \
        | tee pretraining/scene_questions.log

Both encoders are frozen, and so are the answers' embeddings: what MiniLM makes of the words themselves. The questions
are those of `generic_questions.py`, as DAM starts from a language model that was shown videos with masked captions
(FrozenBiLM, Yang et al. 2022). The same seed gives the same bytes on one machine. Prints, and so logs, the loss, the
accuracy on held-out questions, and that of each kind.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import torch
from generic_questions import ANSWERS, KINDS, GenericQuestion, make
from safetensors.torch import save_file
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.samples import Samples
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.vision_encoder import Medium, VisualTokens
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.device import Precision, choose_device
from cl_core.train.checkpoint import EpochRecord
from cl_core.train.classification import fit
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.loop import TrainingCallbacks
from cl_core.train.settings import TrainSettings

SOME, AT_ONCE = 2000, 64
"""Pictures, and clips, by which the projection's first scale is set, and those that are looked at in one pass."""


@dataclass(frozen=True)
class StoredTokens:
    """What is seen, in memory: the vision encoder runs once."""

    visual_tokens: VisualTokens

    @property
    def tokens(self) -> int:
        """V."""
        return self.visual_tokens.features.shape[1]

    def __len__(self) -> int:
        return len(self.visual_tokens.counts)

    def see(self, rows: Sequence[int]) -> VisualTokens:
        """The tokens of some of them."""
        return VisualTokens(
            self.visual_tokens.features[list(rows)], self.visual_tokens.counts[list(rows)]
        )


def kept(backbone: VisionLanguageBackbone, medium: Medium, shown: Sequence[bytes]) -> StoredTokens:
    """What is seen of pictures or clips, given as their bytes."""
    seen = [
        backbone.vision_encoder.encode(medium, shown[begin : begin + AT_ONCE])
        for begin in range(0, len(shown), AT_ONCE)
    ]
    features = torch.cat([visual_tokens.features for visual_tokens in seen]).cpu()
    return StoredTokens(
        VisualTokens(features, torch.cat([visual_tokens.counts for visual_tokens in seen]).cpu())
    )


def rows_of(
    backbone: VisionLanguageBackbone, asked: Sequence[GenericQuestion]
) -> tuple[Rows, Tensor]:
    """Questions as training rows, in their order, and (n, v) tokens that are seen of some pictures and clips."""
    parts, some = [], []
    for medium in dict.fromkeys(question.medium for question in asked):
        of_medium = [question for question in asked if question.medium == medium]
        seen = kept(backbone, medium, [question.shown for question in of_medium])
        some.append(seen.visual_tokens.features[:SOME].flatten(0, 1))
        columns: dict[str, list[Any]] = {
            "question": [question.question for question in of_medium],
            medium: [b""] * len(of_medium),
        }
        parts.append(backbone.encode(columns, seen))
    labels = torch.tensor([ANSWERS.index(question.answer) for question in asked])
    return Rows(Samples.concat(parts), labels), torch.cat(some)


def evenly_loud(seen: Tensor, words: Tensor, generator: torch.Generator) -> Projection:
    """A random projection of what is seen, whitened, as loud as words are.

    What a CLIP sees is far louder in a few directions than in the others: a plain random projection drowns in them.

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
def by_kind(
    context: TrainingContext[Rows], weights: TaskWeights, asked: Sequence[GenericQuestion]
) -> dict[str, float]:
    """Share of the validation rows of each kind that are answered rightly."""
    rows = context.validation
    here = transforms(weights.adapter)
    right: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for begin in range(0, len(asked), 50):
        places = range(begin, min(begin + 50, len(asked)))
        predicted = weights.head.logits(context.states(rows, places, here)).argmax(dim=1).cpu()
        for index, answer in zip(places, predicted.tolist(), strict=True):
            right[asked[index].kind].append(answer == int(rows.labels[index]))
    return {kind: sum(answered) / len(answered) for kind, answered in right.items() if answered}


def main() -> None:
    """Makes questions, trains, and writes what `scene-qa` starts from."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vision", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=64_000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", choices=get_args(Precision), default="bfloat16")
    asked = parser.parse_args()
    device = choose_device(asked.device, asked.precision)
    began = time.perf_counter()
    settings = BackboneSettings(vision=str(asked.vision), max_length=32, clip_changes=True)
    backbone = load_backbone(settings, device.torch_device)
    if not isinstance(backbone, VisionLanguageBackbone):
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
    if named is None:
        raise ValueError("the backbone has no way to score answers by what they are called")
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

    callbacks = TrainingCallbacks(epoch=epoch)
    context = TrainingContext(
        backbone, train, judged, training, device, asked.seed, callbacks=callbacks
    )
    fitted = fit(context, TaskWeights(replace(adapter, projection=projection), head), 0.1)
    for kind, share in by_kind(context, fitted.weights.to(device.torch_device), held_out).items():
        print(f"held out, {kind}, {len(KINDS[kind])} answers: {100 * share:.1f} %", flush=True)
    asked.output.mkdir(parents=True, exist_ok=True)
    tensors = fitted.weights.adapter.tensors()
    halves = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    save_file(halves, asked.output / "start.safetensors")
    print(f"written after {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
