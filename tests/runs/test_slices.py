"""Slices: named samples in the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from cl_core.errors import UserError
from cl_core.runs.slices import Slice, save_slice, slices
from cl_core.runs.workspace import Workspace


def test_a_slice_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first_slice = Slice(
        name="films to shops", run="one", split="test", after=2, samples=("a/1", "b/2")
    )
    save_slice(workspace, first_slice)
    save_slice(workspace, first_slice.model_copy(update={"name": "other", "run": "two"}))
    assert slices(workspace, "one") == [first_slice]
    assert [saved_slice.name for saved_slice in slices(workspace)] == ["films to shops", "other"]


@pytest.mark.parametrize("name", ["../out", "", "a/b", ".hidden", "x" * 81])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="slice name"):
        save_slice(
            Workspace(tmp_path), Slice(name=name, run="one", split="test", after=1, samples=("a",))
        )
    assert not list(tmp_path.iterdir())


def test_an_empty_slice_is_refused_and_other_files_are_passed_over(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(UserError, match="no sample"):
        save_slice(workspace, Slice(name="none", run="one", split="test", after=1, samples=()))
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices" / "broken.json").write_text("{")
    assert slices(workspace) == []


def test_a_slice_of_another_run_is_never_replaced_and_one_of_the_same_run_is(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    hard = Slice(name="hard", run="one", split="test", after=2, samples=("a/1",))
    file = save_slice(workspace, hard)
    left = file.read_bytes()
    with pytest.raises(UserError, match="run 'one' has a slice called 'hard' already") as refusal:
        save_slice(workspace, hard.model_copy(update={"run": "two", "samples": ("b/2",)}))
    assert "choose another name" in str(refusal.value)
    assert file.read_bytes() == left
    save_slice(workspace, hard.model_copy(update={"samples": ("a/3",)}))
    assert [saved_slice.samples for saved_slice in slices(workspace)] == [("a/3",)]
