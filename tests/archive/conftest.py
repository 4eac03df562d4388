"""A workspace that is packed, copied and verified, and never changed."""

from __future__ import annotations

from pathlib import Path

import pytest

import cl_core as cl
from cl_core.runs.workspace import Workspace
from tests.small_runs import SMALL


@pytest.fixture(scope="session")
def workspace(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two runs of one stream; `other` with another seed has adapters of its own."""
    root = tmp_path_factory.mktemp("packing") / "workspace"
    options = {**SMALL, "epochs": 1, "backbone": str(tiny), "device": "cpu", "workspace": root}
    cl.run("domains-dil", "dam", name="one", **options)
    cl.run("domains-dil", "dam", name="other", seed=1, **options)
    return Workspace(root)
