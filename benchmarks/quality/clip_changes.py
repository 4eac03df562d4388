"""Whether MiniLM learns which way a thing slides, from frames alone and from frames with what changed between them.

    python benchmarks/quality/clip_changes.py --clips 3000 --epochs 5

One thing slides in every clip; the question is "a red star slides what". `scene-clip` looks, MiniLM with a fresh
adapter and a fresh projection (r = 48, all twelve sites) answers by frozen embeddings of the four ways. Both trainings
have the same clips, seed and settings and differ in `clip_changes` alone. Prints held-out accuracy after every epoch,
and that of a ridge probe which reads all tokens at once: what is there to be learnt.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from sklearn.linear_model import RidgeClassifier

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "pretraining"))

from scene_questions import evenly_loud, kept

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.heads import Head
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.device import choose_device
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import animation
from cl_core.synthetic.scenes.clips import WAYS, ask_clip
from cl_core.synthetic.scenes.painter import paint
from cl_core.train.checkpoint import EpochRecord
from cl_core.train.classification import fit
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.loop import TrainingCallbacks
from cl_core.train.settings import TrainSettings

HELD_OUT, RIDGE = 0.1, 100.0


def sliding(count: int) -> tuple[list[bytes], list[str], list[int]]:
    """Clips of one thing that slides, questions, and which of WAYS it slides."""
    clips, questions, labels = [], [], []
    for number in range(count):
        draw, way = Draw("sliding", number), tuple(WAYS)[number % len(WAYS)]
        frames = [
            replace(scene, things=scene.things[:1])
            for scene in ask_clip("which-way", draw, way).frames
        ]
        thing = frames[0].things[0]
        clips.append(animation([paint(scene) for scene in frames], 0.25))
        questions.append(f"a {thing.colour} {thing.figure} slides what")
        labels.append(number % len(WAYS))
    return clips, questions, labels


def learn(
    changes: bool,
    clips: Sequence[bytes],
    questions: Sequence[str],
    labels: Sequence[int],
    epochs: int,
) -> None:
    """Trains one adapter and projection, and prints the accuracy on the last tenth of the clips."""
    device = choose_device("cpu", "bfloat16")
    settings = BackboneSettings(vision="scene-clip", max_length=32, clip_changes=changes)
    backbone = load_backbone(settings, device.torch_device)
    if not isinstance(backbone, VisionLanguageBackbone):
        raise SystemExit("minilm with scene-clip is expected to see")
    with device.autocast():
        token_source = kept(backbone, "video", clips)
    rows = Rows(
        backbone.encode({"question": list(questions), "video": list(clips)}, token_source),
        torch.tensor(labels),
    )
    learnt = int((1 - HELD_OUT) * len(clips))
    generator = torch.Generator().manual_seed(0)
    seen = token_source.visual_tokens.features[:learnt].flatten(0, 1)
    adapter = replace(
        Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator),
        projection=evenly_loud(seen, backbone.words.weight.detach(), generator),
    )
    flat = token_source.visual_tokens.features.flatten(1).numpy()
    probe = RidgeClassifier(RIDGE).fit(flat[:learnt], labels[:learnt])
    share = 100 * probe.score(flat[learnt:], labels[learnt:])
    print(f"clip_changes={changes}, ridge probe: held out {share:.1f} %", flush=True)
    named = backbone.label_head(list(WAYS))
    assert named is not None
    head = Head(named.weight, named.bias, frozen=True)

    def epoch(record: EpochRecord) -> None:
        accuracy = 100 * record.validation_accuracy
        print(
            f"clip_changes={changes}, epoch {record.epoch}: held out {accuracy:.1f} %", flush=True
        )

    context = TrainingContext(
        backbone,
        rows.subset(range(learnt)),
        rows.subset(range(learnt, len(clips))),
        TrainSettings(epochs=epochs, batch_size=32, learning_rate=1e-3, clip=1.0, patience=None),
        device,
        0,
        callbacks=TrainingCallbacks(epoch=epoch),
    )
    fit(context, TaskWeights(adapter, head), 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=5)
    asked = parser.parse_args()
    clips = sliding(asked.clips)
    for changes in (False, True):
        learn(changes, *clips, asked.epochs)


if __name__ == "__main__":
    main()
