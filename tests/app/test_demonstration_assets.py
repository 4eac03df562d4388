"""The bundled demonstration made anew: what comes out is what is bundled."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bundled import RUNS
from app.demonstration_assets import differences, make, needed, pack
from app.runs import DEMONSTRATION
from cl_core.lab.workspace import Workspace

QUICKEST = "clips-sequential"
"""All of them take minutes: `python -m app.demonstration_assets --check` makes every one."""


@pytest.mark.slow
def test_a_run_made_anew_is_the_one_that_is_bundled(tmp_path: Path) -> None:
    (run,) = [each for each in RUNS if each.name == QUICKEST]
    workspace, bundle = Workspace(tmp_path / "workspace"), Workspace(DEMONSTRATION)
    make(workspace, [run])
    made, bundled = workspace.find(QUICKEST), bundle.find(QUICKEST)
    assert differences(made, bundled) == []
    pack(workspace, tmp_path / "packed", [run])
    packed = Workspace(tmp_path / "packed")
    assert packed.read_only
    for kind in ("shared", "adapter", "features"):
        own = set(packed.store.keys(kind))
        assert own <= set(bundle.store.keys(kind))
    assert {kind for kind, _ in needed(packed, packed.find(QUICKEST))} >= {"features", "projection"}


def test_differences_are_found(tmp_path: Path) -> None:
    bundle = Workspace(DEMONSTRATION)
    one, other = bundle.find("dam"), bundle.find("adapters")
    found = differences(one, other)
    assert "run.yaml differs" in found
    assert any(each.startswith("artifact adapter/") for each in found)
    assert any(each.startswith("the score matrices differ") for each in found)
    assert differences(one, one) == []
