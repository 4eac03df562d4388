"""Which runs the bundled demonstration has; `python -m app.demonstration_assets` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SEED = 0
TEXTS: Mapping[str, Any] = {
    "limit_train": 160,
    "limit_validation": 40,
    "limit_test": 60,
    "epochs": 5,
    "learning_rate": 4e-3,
    "reduction": 48,
    "max_length": 48,
    "unseen": True,
}
"""Few rows and narrow adapters (8 of 384): the whole of it has to fit into a package."""
CLIPS: Mapping[str, Any] = {
    "backbone": "scene-qa",
    "answers": "embeddings",
    "init": "backbone",
    "limit_train": 200,
    "limit_validation": 40,
    "limit_test": 60,
    "epochs": 4,
    "max_length": 32,
    "unseen": True,
}
"""Adapters go on from those that the backbone was trained with; answers are what they are called."""


@dataclass(frozen=True)
class BundledRun:
    """One run of the demonstration.

    Attributes:
        name: of the run; lessons link to it.
        stream: built-in, with its knobs.
        recipe: its name.
        settings: by their flat names, over the recipe's.
    """

    name: str
    stream: str
    recipe: str
    settings: Mapping[str, Any]


def _on(
    stream: str, shared: Mapping[str, Any], runs: Mapping[str, tuple[str, Mapping[str, Any]]]
) -> tuple[BundledRun, ...]:
    return tuple(
        BundledRun(name, stream, recipe, {**shared, **settings})
        for name, (recipe, settings) in runs.items()
    )


RUNS: tuple[BundledRun, ...] = (
    *_on(
        "domains:n=5",
        TEXTS,
        {
            "dam": ("dam", {}),
            "sequential": ("sequential", {}),
            "adapters": ("adapters", {}),
            "l2r-wavg": ("l2r-wavg", {"router_epochs": 12}),
            "i2i-ff": ("i2i-ff", {"improvise_epochs": 3, "distil_epochs": 3}),
        },
    ),
    *_on(
        "clips-qa",
        CLIPS,
        {"clips-dam": ("dam", {}), "clips-sequential": ("sequential", {})},
    ),
)
"""In the order in which menus list them: the first is shown first."""
NAMES = tuple(run.name for run in RUNS)
