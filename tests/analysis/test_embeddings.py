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
    embeddings = find_embeddings(workspace, workspace.find("one"))
    assert embeddings is not None
    assert embeddings.split == "test"
    assert embeddings.rows == (SMALL["limit_test"],) * 3
    features = embeddings.features(workspace)
    assert [len(feature) for feature in features] == list(embeddings.rows)
    # Training samples and test samples of a task are alike, but not the same.
    centroids, means = (
        embeddings.centroids(workspace, features),
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
    of_alone, of_one = (
        find_embeddings(workspace, workspace.find(name)) for name in ("alone", "one")
    )
    assert of_alone is not None
    assert of_one is not None
    assert of_alone.keys == of_one.keys
    assert of_alone.router is None


def test_finding_imports_no_torch() -> None:
    code = "import sys, cl_core.analysis.embeddings, cl_core.runs.slices; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
