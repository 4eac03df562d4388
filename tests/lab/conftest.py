"""A small world for whole runs: a tiny random backbone, three tasks of short sentences, a workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cl_core as cl

SMALL: dict[str, Any] = {
    "limit_train": 24,
    "limit_validation": 8,
    "limit_test": 12,
    "epochs": 2,
    "batch_size": 8,
    "max_length": 24,
    "layer": -2,
    "learning_rate": 1e-2,
}

Carry = Callable[..., cl.Run]


@pytest.fixture
def carry(tiny: Path, tmp_path: Path) -> Carry:
    """carry(stream, recipe, **settings) -> a finished run of the test's own workspace."""

    def run(stream: str = "domains-dil", recipe: str = "dam", **options: Any) -> cl.Run:
        place = {"workspace": tmp_path / "workspace", "device": "cpu", "backbone": str(tiny)}
        return cl.run(stream, recipe, **{**place, **SMALL, **options})

    return run
