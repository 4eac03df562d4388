"""Killed three times with SIGKILL and resumed, a run ends with the bytes of one that was left alone.

`benchmarks/checks/kill_and_resume.py` does the same with twenty kills and fresh interpreters.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.checks.kill_and_resume import (
    ReferenceRun,
    compare,
    leave_alone,
    make_backbone,
    trials,
    truncate_and_resume,
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> ReferenceRun:
    """One run left alone, which all tests here compare with."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return leave_alone(folder / "workspace", make_backbone(folder / "backbone"), warm=True)


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bytes(undisturbed: ReferenceRun, tmp_path: Path) -> None:
    kills = 0
    for trial in trials(tmp_path, undisturbed, kills=3, seed=0, again=1.0):
        assert trial.differences == (), [kill.phase for kill in trial.kills]
        kills += len(trial.kills)
    assert kills == 3


@pytest.mark.slow
def test_a_truncated_adapter_is_named_and_computed_again_to_the_same_bytes(
    undisturbed: ReferenceRun, tmp_path: Path
) -> None:
    said, differences = truncate_and_resume(undisturbed, tmp_path / "before")
    assert "adapter/" in said
    assert "tensors.safetensors has" in said
    assert differences == ()


@pytest.mark.slow
def test_the_comparison_sees_a_single_byte(undisturbed: ReferenceRun, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(undisturbed.workspace, other)
    assert compare(other, undisturbed.workspace) == ()
    scores = other / "runs" / "run" / "scores.parquet"
    content = bytearray(scores.read_bytes())
    content[len(content) // 2] ^= 1
    scores.write_bytes(content)
    assert compare(other, undisturbed.workspace) == ("scores.parquet",)
