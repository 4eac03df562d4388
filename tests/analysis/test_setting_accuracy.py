"""Accuracy under another k or temperature is that of a run that was made with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cl_core as cl
from cl_core.analysis.setting_accuracy import (
    KIND,
    RoutingSetting,
    SettingAccuracy,
    grid,
    inputs_of,
    read,
    setting_of,
    shares,
)
from cl_core.analysis.setting_measurement import measure_settings, task_rows
from cl_core.archive.prune import unused
from cl_core.errors import UserError
from cl_core.evaluate.intervals import wilson_mean
from cl_core.model.loaded_model import load_model
from cl_core.recipes.named import load_recipe
from cl_core.reports.report import Report
from cl_core.runs.workspace import Workspace
from tests.small_runs import Carry

WAYS = (
    ("domains-dil", "centroid", "merge"),
    ("domains", "corrupted", "ties"),  # CIL, where the heads are weighed too
    ("domains-dil", "centroid", "ensemble"),
)
OTHERS = (RoutingSetting(1, 0.5), RoutingSetting(3, 0.5), RoutingSetting(2, 5.0))


@pytest.mark.parametrize(("stream", "route", "compose"), WAYS)
def test_every_accuracy_is_that_of_a_run_made_with_the_setting(
    carry: Carry, stream: str, route: str, compose: str
) -> None:
    """The slow twin: runs of the same store with another k or temperature, which train nothing anew."""
    recipe = load_recipe("dam", route=route, compose=compose)

    def run_with(name: str, setting: RoutingSetting) -> cl.Run:
        asked = {"k": setting.k, "temperature": setting.temperature}
        return carry(stream, recipe, name=name, batch_size=4, router_accuracy=0.6, **asked)

    run = run_with("own", RoutingSetting(2, 0.5))
    workspace = run.workspace
    accuracies = {
        stage: measure_settings(workspace, workspace, run.folder, stage, OTHERS, device="cpu")
        for stage in (2, 3)
    }
    for number, setting in enumerate(OTHERS):
        twin = run_with(f"twin{number}", setting)
        adapters = [
            named for named in twin.folder.artifacts().items() if named[0].startswith("adapter/")
        ]
        assert set(adapters) <= set(run.folder.artifacts().items())
        for stage, at_stage in accuracies.items():
            accuracy, stored = at_stage[number], Report(twin.folder).matrix[stage - 1, :stage]
            np.testing.assert_allclose(accuracy.accuracy, stored, atol=1e-7, err_msg=f"{setting}")
            assert accuracy.samples == accuracy.of == (12,) * stage


def test_the_runs_own_setting_is_its_stored_score_and_nothing_is_answered_twice(
    carry: Carry,
) -> None:
    run = carry(name="own", temperature=0.5, batch_size=4)
    workspace, folder = run.workspace, run.folder
    run_setting = setting_of(folder, 3)
    assert run_setting == RoutingSetting(2, 0.5)
    matrix = Report(folder).matrix
    for stage in (1, 2, 3):
        # A k of more adapters than there are is all of them.
        (accuracy,) = measure_settings(
            workspace, workspace, folder, stage, [setting_of(folder, stage)], device="cpu"
        )
        np.testing.assert_allclose(accuracy.accuracy, matrix[stage - 1, :stage], atol=1e-7)
    loaded = load_model(workspace, folder, 3, "cpu")
    for rows in task_rows(workspace, workspace, folder, loaded, 1000):
        counts = []
        for k, temperature in ((2, 0.5), (1, 0.5), (3, 0.5), (1, 0.5), (2, 0.5), (2, 5.0)):
            rows.credit(RoutingSetting(k, temperature))
            counts.append(rows.computed)
        assert counts == [0, 12, 24, 24, 24, 36]
    ks, taus = grid(folder, 3)
    assert [setting.k for setting in ks] == [1, 2, 3]
    assert run_setting in ks
    assert run_setting in taus
    assert len(taus) == 8
    assert read((workspace,), folder, 3, run_setting) is not None
    assert read((workspace,), folder, 3, ks[0]) is None
    # A sample of the rows is a result of its own, and says so.
    (few,) = measure_settings(workspace, workspace, folder, 3, [run_setting], 10, "cpu")
    assert (few.samples, few.of) == ((3, 3, 4), (12, 12, 12))
    progress: list[tuple[int, int]] = []
    swept = measure_settings(
        workspace, workspace, folder, 3, ks, 1000, "cpu", lambda *done: progress.append(done)
    )
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert [read((workspace,), folder, 3, setting) for setting in ks] == swept
    assert KIND not in {artifact.kind for artifact in unused(workspace)}


def test_tasks_count_alike_and_the_interval_is_of_the_samples_that_were_answered() -> None:
    accuracy = SettingAccuracy(RoutingSetting(1, 1.0), (0.5, 1.0), (10, 40), (600, 40))
    assert accuracy.mean == 0.75
    assert accuracy.interval == wilson_mean((0.5, 1.0), (10, 40))


def test_only_what_ranks_by_k_and_temperature_has_them_varied(carry: Carry) -> None:
    run = carry("domains-dil", "adapters", name="told")
    with pytest.raises(UserError, match="does not weigh its adapters by k and temperature"):
        measure_settings(run.workspace, run.workspace, run.folder, 3, [RoutingSetting(1, 1.0)])


def test_a_stage_that_there_is_not_is_refused() -> None:
    from app.data.runs import DEMONSTRATION

    run = Workspace(DEMONSTRATION).find("dam")
    with pytest.raises(UserError, match="no router of stage 9; it has 5 tasks"):
        read((), run, 9, RoutingSetting(1, 1.0))


def test_what_is_kept_of_one_setting_is_not_taken_for_another() -> None:
    from app.data.runs import DEMONSTRATION

    run = Workspace(DEMONSTRATION).find("dam")
    settings = [RoutingSetting(1, 0.5), RoutingSetting(1, 5.0), RoutingSetting(2, 0.5)]
    kept = [inputs_of(run, 5, setting, most) for setting in settings for most in (100, 200)]
    assert all(kept.count(inputs) == 1 for inputs in kept)
    assert run.config.settings.router.k > 1
    assert setting_of(run, 1).k == 1, "after the first task there is one adapter"
    assert inputs_of(run, 1, RoutingSetting(1, 0.5), 100) == inputs_of(
        run, 1, RoutingSetting(4, 0.5), 100
    )


def test_every_task_gives_as_many_samples_and_none_more_than_it_has() -> None:
    assert shares([60, 60, 60], 1000) == [60, 60, 60]
    assert shares([10, 5000, 400], 1000) == [10, 590, 400]
    assert sum(shares([7600, 7600, 7600], 1000)) == 1000
    assert shares([5, 5], 1) == [1, 1], "every task is asked at least once"


def test_many_adapters_are_spread_over_few_ks(tmp_path: Path) -> None:
    from tests.remade_runs import bundled

    config = bundled("dam")
    router = config.settings.router.model_copy(update={"k": 5})
    many = config.model_copy(
        update={
            "name": "many",
            "tasks": tuple(config.tasks[0] for _ in range(200)),
            "settings": config.settings.model_copy(update={"router": router}),
        }
    )
    run = Workspace(tmp_path).run("many")
    run.create(many)
    ks = [setting.k for setting in grid(run, 200)[0]]
    assert ks == sorted(set(ks))
    assert {1, 5, 200} <= set(ks)
    assert len(ks) <= 17
