"""What an encoder's narrow cosines do to DAM's temperature: e5-small beside MiniLM, on the tasks of `domains`.

    python benchmarks/quality/narrow_cosines.py    the table of docs/backbones.md; a minute, needs e5-small fetched

Centroids are means over training texts of each task, at layer -4, means over tokens, as the router `centroid` has them.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the tests' sentences

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.settings import BackboneSettings
from cl_core.tasks.stream_loader import load_stream
from tests.backbones.fetch.meanings import MEANINGS

TEXTS, LAYER, TEMPERATURE = 60, -4, 0.01
CASES = (("minilm", ""), ("e5-small", ""), ("e5-small", "query: "))
SENTENCES = [sentence for meaning in MEANINGS for sentence in meaning]
LANGUAGES = len(MEANINGS[0])
"""The sentences of one meaning stand beside each other."""


def features(backbone: Backbone, texts: list[str], layer: int) -> Tensor:
    """(N, d) features of length 1."""
    return normalize(
        extract_features(backbone, backbone.encode({"text": texts}), layer=layer), dim=1
    )


def routing(backbone: Backbone, prefix: str) -> tuple[Tensor, Tensor]:
    """(N, K) cosines of test texts with the tasks' centroids, and (N,) their true tasks."""
    tasks = load_stream("domains", limits=2 * TEXTS).tasks
    train, test = (
        [features(backbone, _texts(task.splits[split], prefix), LAYER) for task in tasks]
        for split in ("train", "test")
    )
    centroids = normalize(torch.stack([rows.mean(dim=0) for rows in train]), dim=1)
    true = torch.arange(len(tasks)).repeat_interleave(TEXTS)
    return torch.cat(test) @ centroids.T, true


def _texts(rows: Any, prefix: str) -> list[str]:
    return [prefix + text for text in list(rows["text"])[:TEXTS]]


def main() -> None:
    """Prints the table's rows, and the cosines of sentences of one meaning and of several."""
    print("| | cosines | best less second | right | weight of the best of 2 | entropy |")
    for name, prefix in CASES:
        backbone = load_backbone(BackboneSettings(name=name), torch.device("cpu"))
        cosines, true = routing(backbone, prefix)
        best = cosines.topk(2, dim=1).values
        pair = (best / TEMPERATURE).softmax(dim=1)[:, 0].median()
        weights = (cosines / TEMPERATURE).softmax(dim=1)
        entropy = torch.special.entr(weights).sum(dim=1).mean() / math.log(cosines.shape[1])
        right = (cosines.argmax(dim=1) == true).float().mean()
        gap = (best[:, 0] - best[:, 1]).median()
        print(
            f"| {name} {prefix!r} | {cosines.min():.2f} to {cosines.max():.2f} | {gap:.3f} | {100 * right:.1f} % | "
            f"{pair:.3f} | {entropy:.2f} |"
        )
    for prefix in ("", "query: "):
        states = features(backbone, [prefix + text for text in SENTENCES], -1)
        cosines = states @ states.T
        meaning = torch.arange(len(SENTENCES)) // LANGUAGES
        same = meaning[:, None] == meaning
        strangers = cosines.masked_fill(same, -1).max(dim=1).values
        translations = cosines.masked_fill(~same, 1).min(dim=1).values
        alike = cosines[same & ~torch.eye(len(SENTENCES), dtype=torch.bool)]
        print(
            f"{prefix!r}: one meaning {alike.min():.3f} to {alike.max():.3f}, others {cosines[~same].min():.3f} to "
            f"{cosines[~same].max():.3f}, least margin {(translations - strangers).min():.3f}"
        )


if __name__ == "__main__":
    main()
