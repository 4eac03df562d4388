"""A run's adapters merged once, scored and saved."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
import torch

from cl_core.adapters.merging import MERGES
from cl_core.analysis.static_merge import load_merged, merge_run, task_shares
from cl_core.errors import UserError
from tests.small_runs import Carry

QUICK = {"epochs": 1, "fisher_rows": 4}


def test_the_static_mean_of_dams_adapters_is_the_recipe_average_merge(carry: Carry) -> None:
    for protocol in ("cil", "dil", "til"):
        options = {**QUICK, "protocol": protocol}
        dam = carry("domains-dil", "dam", name=f"dam-{protocol}", **options)
        uniform = carry("domains-dil", "average-merge", name=f"uniform-{protocol}", **options)
        merged = merge_run(dam.workspace, dam.folder, device="cpu")
        np.testing.assert_allclose(list(merged.scores.values()), uniform.matrix[-1], atol=1e-12)
        np.testing.assert_allclose(list(merged.run_scores.values()), dam.matrix[-1])


def test_all_weight_on_one_task_is_its_adapter(carry: Carry) -> None:
    run = carry("domains-dil", "adapters", name="run", **QUICK)
    merged = merge_run(run.workspace, run.folder, "slerp", [0, 2, 0], device="cpu")
    second = run.folder.config.tasks[1].name
    artifact = run.workspace.store.read("adapter", run.folder.artifacts()[f"adapter/{second}"])
    assert artifact is not None
    assert torch.equal(merged.adapter.down, artifact.tensors["adapter.down"])
    assert merged.scores[second] == run.matrix[1, 1]  # the oracle gives it its own adapter


@pytest.mark.parametrize("how", MERGES)
def test_every_merge_can_be_saved_and_read_back(carry: Carry, tmp_path: Path, how: str) -> None:
    run = carry("domains-dil", "dam", name="run", **QUICK)
    merged = merge_run(run.workspace, run.folder, how, settings={"ties_keep": 0.5}, device="cpu")
    assert all(0 <= score <= 1 for score in merged.scores.values())
    merged.save(tmp_path / "merged")
    adapter, heads = load_merged(tmp_path / "merged")
    assert adapter.site_names == merged.adapter.site_names
    for mine, theirs in zip(adapter.parameters(), merged.adapter.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert len(heads) == 1
    assert torch.equal(heads[0].weight, merged.heads[0].weight)


def test_what_cannot_be_merged_is_refused_with_the_reason(carry: Carry, tmp_path: Path) -> None:
    run = carry("domains-dil", "dam", name="run", **QUICK)
    with pytest.raises(UserError, match="one number of 0 or more for each of"):
        merge_run(run.workspace, run.folder, "mean", [1.0])
    with pytest.raises(UserError, match="there is no merge 'tie'"):
        merge_run(run.workspace, run.folder, "tie")
    shared = carry("domains-dil", "sequential", name="shared", **QUICK)
    with pytest.raises(UserError, match="keeps one adapter already"):
        merge_run(shared.workspace, shared.folder)
    with pytest.raises(UserError, match="no merged adapter in"):
        load_merged(tmp_path)


@pytest.mark.parametrize(
    "weights", [[1.0], [0.0, 0.0], [-1.0, 2.0], [nan, 1.0], [1e308, 1e308], [inf, 1.0]]
)
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(UserError, match="give one number of 0 or more for each of one, two"):
        task_shares(weights, ["one", "two"])


def test_weights_are_shares_of_their_sum() -> None:
    assert task_shares([1e300, 3e300], ["one", "two"]).tolist() == [0.25, 0.75]
    assert task_shares(None, ["one", "two"]).tolist() == [0.5, 0.5]
