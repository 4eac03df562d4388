"""What a run's backbone sees: the vision encoder's tokens of every picture or clip, made once and read from files."""

from __future__ import annotations

from hashlib import sha256

import torch

from cl_core.backbones.samples import medium_of
from cl_core.backbones.vision.vision_encoder import StoredTokens, TokenSource
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, RunArtifacts
from cl_core.store.artifact import TENSORS
from cl_core.tasks.task import pixel_hashes

A_FILE, A_PASS = 512, 32
"""Pictures or clips in one artifact, and in one pass of the vision encoder."""


def stored_tokens(artifacts: RunArtifacts, task: int, split: str) -> TokenSource | None:
    """What is seen of a split; None where there is nothing to see, or nobody who sees.

    Each distinct picture or clip is looked at once, however many questions are about it.

    Args:
        artifacts: of the run.
        task: 0-based.
        split: of that task.
    """
    backbone, rows = artifacts.backbone, artifacts.stream.all_tasks[task].splits[split]
    medium = medium_of(dict.fromkeys(rows.column_names))
    if medium is None or not isinstance(backbone, VisionLanguageBackbone):
        return None
    vision_encoder, sources = backbone.vision_encoder, rows[medium]
    ground = artifacts.stream.all_tasks[task].ground
    hashes = pixel_hashes(medium, sources, ground)
    first: dict[str, int] = {}
    for row, digest in enumerate(hashes):
        first.setdefault(digest, row)
    distinct, files = list(first), []
    for begin in range(0, len(distinct), A_FILE):
        chunk = distinct[begin : begin + A_FILE]
        inputs = {
            "version": VERSIONS["sights"],
            "eye": vision_encoder.fingerprint,
            "dtype": artifacts.settings.backbone.dtype,
            "device": artifacts.device.name,
            "medium": medium,
            "shown": sha256("".join(chunk).encode()).hexdigest(),
        }

        def compute(chunk: list[str] = chunk, begin: int = begin) -> Contents:
            seen = []
            for start in range(0, len(chunk), A_PASS):
                some = [sources[first[digest]] for digest in chunk[start : start + A_PASS]]
                seen.append(vision_encoder.encode(medium, some, ground))
                artifacts.rows_done(begin + start + len(some), len(distinct))
            features = torch.cat([visual_tokens.features for visual_tokens in seen])
            counts = torch.cat([visual_tokens.counts for visual_tokens in seen])
            return {"features": features, "counts": counts}, None

        files.append(
            artifacts.get_or_compute("sights", inputs, compute, task, task).folder / TENSORS
        )
    places = {digest: position for position, digest in enumerate(distinct)}
    return StoredTokens(
        tuple(files),
        A_FILE,
        tuple(places[digest] for digest in hashes),
        vision_encoder.tokens(medium),
    )
