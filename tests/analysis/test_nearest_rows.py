"""The training samples nearest to a sample, by the features that the router reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cl_core.analysis.embeddings import find_embeddings
from cl_core.analysis.nearest_rows import TrainingFeatures
from cl_core.runs.workspace import Workspace
from tests.small_runs import SMALL, Carry


def test_they_are_those_that_a_plain_search_finds(carry: Carry, tmp_path: Path) -> None:
    carry(name="one")
    workspace = Workspace(tmp_path / "workspace")
    run = workspace.find("one")
    training = TrainingFeatures(workspace, run)
    assert sorted(training.keys) == [0, 1, 2]
    stored = [workspace.store.read("features", training.keys[task]) for task in range(3)]
    rows = [
        artifact.arrays["features"].astype(np.float64)
        for artifact in stored
        if artifact is not None
    ]
    assert [len(features) for features in rows] == [SMALL["limit_train"]] * 3
    scored = find_embeddings(workspace, run)
    assert scored is not None
    assert not set(scored.keys) & set(training.keys.values())
    for query in scored.features(workspace)[1][:4]:
        wanted = sorted(
            (
                -float(row @ query) / (np.linalg.norm(row) * np.linalg.norm(query)),
                task,
                number,
            )
            for task, task_rows in enumerate(rows)
            for number, row in enumerate(task_rows)
        )[:7]
        nearest = training.nearest(query, 7, stage=3)
        assert [neighbour.cosine for neighbour in nearest] == pytest.approx(
            [-cosine for cosine, _, _ in wanted], abs=1e-5
        )
        exact = {(task, number): -cosine for cosine, task, number in wanted}
        rows_near = {(neighbour.task, neighbour.row) for neighbour in nearest}
        assert len(rows_near & set(exact)) >= 6  # but for ties


def test_a_training_row_is_nearest_to_itself(carry: Carry, tmp_path: Path) -> None:
    carry(name="one")
    workspace = Workspace(tmp_path / "workspace")
    training = TrainingFeatures(workspace, workspace.find("one"))
    row = training.features[2][5]
    first, second = training.nearest(3 * row, 2, stage=3)  # the length does not matter
    assert first.cosine == pytest.approx(1, abs=1e-6)
    assert np.allclose(training.features[first.task][first.row], row)
    assert first.cosine >= second.cosine


def test_tasks_to_come_are_left_out_and_few_rows_give_few(carry: Carry, tmp_path: Path) -> None:
    carry(name="one")
    workspace = Workspace(tmp_path / "workspace")
    training = TrainingFeatures(workspace, workspace.find("one"))
    query = training.features[2][0]
    assert {neighbour.task for neighbour in training.nearest(query, 20, stage=1)} == {0}
    assert len(training.nearest(query, 500, stage=2)) == 2 * SMALL["limit_train"]
    with pytest.raises(ValueError, match="cannot be compared"):
        training.nearest(query[:-1], 3, stage=3)


@pytest.mark.parametrize("recipe", ["sequential", "joint"])
def test_a_baseline_finds_those_that_another_run_has_made(
    carry: Carry, tmp_path: Path, recipe: str
) -> None:
    carry("domains-dil", recipe, name="alone")
    workspace = Workspace(tmp_path / "workspace")
    assert TrainingFeatures(workspace, workspace.find("alone")).keys == {}
    carry(name="one")
    alone, one = (TrainingFeatures(workspace, workspace.find(name)) for name in ("alone", "one"))
    assert alone.keys == one.keys
    assert len(alone.keys) == 3


def test_finding_them_imports_no_torch() -> None:
    code = "import sys, cl_core.analysis.nearest_rows; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
