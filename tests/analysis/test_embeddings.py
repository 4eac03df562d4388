"""Finding what a run's router reads of its scored rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from cl_core.analysis.embeddings import find_embeddings
from cl_core.evaluate.neighbours import cosines
from cl_core.runs.workspace import Workspace
from tests.small_runs import SMALL, Carry


def test_the_scored_rows_are_found_and_the_centroids_are_the_routers(
    carry: Carry, tmp_path: Path
) -> None:
    carry(name="one")
    workspace = Workspace(tmp_path / "workspace")
    found = find_embeddings(workspace, workspace.find("one"))
    assert found is not None
    assert found.split == "test"
    assert found.rows == (SMALL["limit_test"],) * 3
    features = found.features(workspace)
    assert [len(feature) for feature in features] == list(found.rows)
    # Training samples and test samples of a task are alike, but not the same.
    centroids, means = (
        found.centroids(workspace, features),
        np.stack([f.mean(axis=0) for f in features]),
    )
    assert not np.allclose(centroids, means)
    assert (cosines(np.concatenate([centroids, means]))[:3, 3:].diagonal() > 0.9).all()


def test_a_run_without_features_has_those_that_another_run_made(
    carry: Carry, tmp_path: Path
) -> None:
    carry("domains-dil", "sequential", name="alone")
    workspace = Workspace(tmp_path / "workspace")
    assert find_embeddings(workspace, workspace.find("alone")) is None
    carry("domains-dil", "dam", name="one")
    found, own = (find_embeddings(workspace, workspace.find(name)) for name in ("alone", "one"))
    assert found is not None
    assert own is not None
    assert found.keys == own.keys
    assert found.router is None


def test_finding_imports_no_torch() -> None:
    code = "import sys, cl_core.analysis.embeddings, cl_core.runs.slices; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
