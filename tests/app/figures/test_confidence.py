"""Every interval that is shown is of its own share and its own samples, as numbers: on hover and in tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from app.base.theme import LIGHT
from app.data.matrices import Matrices
from app.figures.bars import outcomes, usage
from app.figures.confidence import interval
from app.figures.curves import setting_lines, task_lines
from app.shell.figure_table import setting_table, share_table
from cl_core.evaluate.intervals import wilson
from cl_core.reports.report import Report
from cl_core.runs.workspace import Workspace
from tests.remade_runs import remade


@pytest.fixture
def matrices(tmp_path: Path) -> Matrices:
    """Stage 4 of five, where no two cells are of as many samples."""
    run = remade(Workspace(tmp_path), "dam", "uneven")
    table = run.table("scores")
    index_of = {task.name: number for number, task in enumerate(run.config.tasks)}
    samples = [count(row["stage"], index_of[row["task"]] + 1) for row in table.to_pylist()]
    at = table.schema.get_field_index("samples")
    pq.write_table(
        table.set_column(at, table.schema.field(at), pa.array(samples)),
        run.path / "scores.parquet",
    )
    return Matrices(Report(run), 4)


def count(stage: int, task: int) -> int:
    return 100 * stage + 7 * task


def said(share: float, n: int) -> str:
    low, high = wilson(share, n)
    return f"95 % interval {100 * low:.1f} to {100 * high:.1f}, n = {n}"


def test_an_interval_in_words_is_in_per_cent_from_low_to_high() -> None:
    twin = stats.binomtest(45, 60).proportion_ci(method="wilson")
    assert interval(0.75, 60) == (
        f"95 % interval {100 * twin.low:.1f} to {100 * twin.high:.1f}, n = 60"
    )
    assert interval(0.75, 0) == interval(float("nan"), 60) == ""


def test_a_cell_says_the_interval_of_its_own_samples(matrices: Matrices) -> None:
    cells = next(trace for trace in matrices.score_figure(LIGHT).data if trace.name == "cells")
    assert len(cells.customdata) == np.isfinite(matrices.scores).sum()
    for (i, j), hover in zip(cells.customdata, cells.hovertemplate, strict=True):
        assert said(matrices.report.matrix[i, j], count(i + 1, j + 1)) in hover
    table = matrices.score_table
    assert len(table) == len(cells.customdata)
    for (stage, task), row in table.iterrows():
        i, j = matrices.tasks.index(stage), matrices.tasks.index(task)
        low, high = wilson(matrices.report.matrix[i, j], count(i + 1, j + 1))
        shown = [100 * matrices.report.matrix[i, j], 100 * low, 100 * high, count(i + 1, j + 1)]
        assert row.tolist() == pytest.approx(shown, abs=0.006)


def test_a_point_of_a_tasks_line_says_the_interval_of_its_own_samples(matrices: Matrices) -> None:
    lines = {name: matrices.scores[:, j].tolist() for j, name in enumerate(matrices.tasks)}
    figure = task_lines(
        lines,
        matrices.tasks,
        LIGHT,
        x_title="stage",
        y_title="accuracy (%)",
        intervals=matrices.interval,
        counts=matrices.counts,
    )
    for j, line in enumerate(figure.data):
        for i in range(j, 4):
            assert said(matrices.report.matrix[i, j], count(i + 1, j + 1)) in line.text[i]


def test_shares_of_a_row_are_as_sure_as_the_row_is_long() -> None:
    counts = np.array([[30, 10], [5, 0], [0, 0]])
    table = share_table(counts, ["a", "b", "c"], ["x", "y"], "task", "adapter")
    ends = table[["share (%)", "share, 95 % from (%)", "share, 95 % to (%)"]]
    for (row, column), (right, n) in {
        ("a", "x"): (30, 40),
        ("a", "y"): (10, 40),
        ("b", "x"): (5, 5),
        ("b", "y"): (0, 5),
    }.items():
        twin = stats.binomtest(right, n).proportion_ci(method="wilson")
        shown = [100 * right / n, 100 * twin.low, 100 * twin.high]
        assert ends.loc[(row, column)].tolist() == pytest.approx(shown, abs=0.006)
    assert ends.loc["c"].isna().all(axis=None)
    four = np.array([[6, 0, 3, 3], [20, 10, 5, 5]])
    for column, trace in enumerate(outcomes(four, ["1 a", "2 b"], LIGHT).data):
        shares = four[:, column] / four.sum(axis=1)
        assert [point[1] for point in trace.customdata] == [
            said(shares[0], 12),
            said(shares[1], 40),
        ]


def test_shares_of_all_samples_say_how_sure_they_are_and_weights_do_not() -> None:
    mean, first = np.array([60.0, 40.0]), np.array([75.0, 25.0])
    diamonds = usage(mean, first, ["1 a", "2 b"], LIGHT, 80).data[1]
    assert [point[1] for point in diamonds.customdata] == [said(0.75, 80), said(0.25, 80)]
    lines = {"routing accuracy": [75.0, 25.0], "mean weight": [60.0, 40.0]}
    route, weight = setting_lines(
        lines, [1, 2], 1, LIGHT, x_title="k", counted=["routing accuracy"], samples=80
    ).data[:2]
    assert [text.removeprefix("<br>") for text in route.text] == [said(0.75, 80), said(0.25, 80)]
    assert list(weight.text) == ["", ""]
    table = setting_table(lines, [1, 2], "k", ["routing accuracy"], 80)
    assert list(table.columns) == [
        "routing accuracy (%)",
        "routing accuracy, 95 % from (%)",
        "routing accuracy, 95 % to (%)",
        "mean weight (%)",
    ]
    low, high = wilson(0.25, 80)
    assert table.loc[2].tolist() == pytest.approx([25, 100 * low, 100 * high, 40], abs=0.006)


def test_bars_of_a_setting_reach_from_low_to_high() -> None:
    lines, ends = {"accuracy": [70.0, 80.0]}, {"accuracy": ([60.0, 75.0], [78.0, 84.0])}
    line = setting_lines(lines, [1, 2], 2, LIGHT, x_title="k", intervals=ends).data[0]
    assert list(line.error_y.array) == [8, 4]
    assert list(line.error_y.arrayminus) == [10, 5]
