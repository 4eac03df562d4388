"""The bundled demonstration made anew: what comes out is what is bundled."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from app.data.bundled import RUNS
from app.data.runs import DEMONSTRATION
from app.demonstration_assets import differences, make, needed, pack
from app.workers.umap_layout import SEARCH
from cl_core.runs.workspace import Workspace

WHOLE = "dam"
"""The quickest with adapters, features, a router and maps. `python -m app.demonstration_assets --check` makes all."""
ANEW = -1
"""The last adapter is trained anew, from the weights of the one before it; the others are by the same code."""


@pytest.mark.slow
def test_a_run_made_anew_is_the_one_that_is_bundled(tmp_path: Path) -> None:
    (run,) = [bundled_run for bundled_run in RUNS if bundled_run.name == WHOLE]
    workspace, bundle = Workspace(tmp_path / "workspace"), Workspace(DEMONSTRATION)
    keys = bundle.find(WHOLE).artifacts()
    for task in bundle.find(WHOLE).config.tasks[:ANEW]:
        key = keys[f"adapter/{task.name}"]
        shutil.copytree(bundle.store.folder("adapter", key), workspace.store.folder("adapter", key))
    make(workspace, [run])
    fresh, bundled = workspace.find(WHOLE), bundle.find(WHOLE)
    assert differences(fresh, bundled) == []  # positions of its maps among them
    assert SEARCH not in sys.modules, "UMAP was imported without the minute that its search takes"
    pack(workspace, tmp_path / "packed", [run])
    packed = Workspace(tmp_path / "packed")
    assert packed.read_only
    for kind in ("adapter", "features", "router", "projection", "rows"):
        bundled_keys = set(packed.store.keys(kind))
        assert bundled_keys
        assert bundled_keys <= set(bundle.store.keys(kind))
    assert all(
        packed.store.read(*artifact) is not None for artifact in needed(packed, packed.find(WHOLE))
    )


def test_differences_are_found(tmp_path: Path) -> None:
    bundle = Workspace(DEMONSTRATION)
    one, other = bundle.find("dam"), bundle.find("adapters")
    lines = differences(one, other)
    assert "run.yaml differs" in lines
    assert any(line.startswith("artifact adapter/") for line in lines)
    assert any(line.startswith("the score matrices differ") for line in lines)
    assert differences(one, one) == []
