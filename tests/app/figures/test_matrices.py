"""Changes on one scale, grey where they are nothing; hatched cells that mean nothing; accuracies with intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.colors import get_colorscale, sample_colorscale

from app.base.theme import DARK, LIGHT
from app.data.matrices import Matrices, accuracy_table
from app.data.runs import DEMONSTRATION
from app.figures.heatmap import heatmap, thumbnail, written
from app.train.job_view import live_figure
from cl_core.evaluate.statistics import MINUS
from cl_core.reports.report import Report
from cl_core.runs.certainty import change_errors
from cl_core.runs.progress import read_progress
from cl_core.runs.undefined_scores import answerable
from cl_core.runs.workspace import Workspace

NAMES = ["1 a", "2 b"]


def drawn(values: list[list[float]], **more: object) -> go.Figure:
    """A figure of changes."""
    titles = {"row_title": "after", "column_title": "on", "value_title": "change (points)"}
    return heatmap(np.array(values), NAMES, NAMES, LIGHT, signed=True, **titles, **more)


def test_a_change_has_the_same_colour_in_every_run() -> None:
    small = drawn([[0.0, np.nan], [-0.1, 0.0]])
    large = drawn([[0.0, np.nan], [-80.0, 0.0]])
    assert (small.data[0].zmin, small.data[0].zmax) == (large.data[0].zmin, large.data[0].zmax)
    assert small.data[0].colorbar.ticktext == large.data[0].colorbar.ticktext
    assert small.data[0].colorbar.ticktext[0] == f"≤ {MINUS}50"


def test_what_is_within_one_standard_error_is_grey_and_said_to_be() -> None:
    figure = drawn([[0.0, np.nan], [-3.0, 9.0]], errors=np.array([[0.0, np.nan], [4.0, 4.0]]))
    coloured, grey = (np.array(trace.z, float) for trace in figure.data[:2])
    assert np.isfinite(grey).tolist() == [[True, False], [True, False]]
    assert np.isfinite(coloured).tolist() == [[False, False], [False, True]]
    assert "grey: within one standard error of 0" in figure.layout.annotations[0].text


def test_the_bar_is_there_where_all_is_grey() -> None:
    """A heatmap without a value has none of its own."""
    figure = drawn([[0.0, np.nan], [0.0, 0.0]], errors=np.zeros((2, 2)))
    assert not np.isfinite(np.array(figure.data[0].z, float)).any()
    (bar,) = [
        candidate
        for candidate in figure.data
        if candidate.type == "scatter" and candidate.marker.showscale
    ]
    assert (bar.marker.cmin, bar.marker.cmax) == (figure.data[0].zmin, figure.data[0].zmax)
    assert bar.marker.colorbar.to_plotly_json() == figure.data[0].colorbar.to_plotly_json()
    some = drawn([[0.0, np.nan], [9.0, 0.0]], errors=np.zeros((2, 2)))
    assert not any(
        candidate.marker.showscale for candidate in some.data if candidate.type == "scatter"
    )


@pytest.mark.parametrize(
    ("value", "said"), [(-0.2, "0"), (0.0, "0"), (0.3, "0"), (-2.6, f"{MINUS}3"), (2.6, "+3")]
)
def test_nothing_is_written_as_minus_nothing(value: float, said: str) -> None:
    assert written(value, signed=True) == said


def test_a_cell_without_meaning_is_hatched_and_has_no_number() -> None:
    empty = np.array([[False, True], [False, False]])
    figure = drawn([[0.0, 0.0], [-3.0, 0.0]], empty=empty)
    hatch = next(trace for trace in figure.data if trace.name == "hatched")
    assert (list(hatch.x), list(hatch.base)) == ([1], [pytest.approx(-0.47)])
    assert hatch.marker.pattern.shape == "/"
    assert np.isnan(figure.data[0].z[0][1])
    assert "not learnt yet" in hatch.hovertemplate[0]


def test_a_cell_can_be_pointed_at_from_edge_to_edge() -> None:
    figure = drawn([[0.0, np.nan], [-3.0, 9.0]])
    cells = next(trace for trace in figure.data if trace.name == "cells")
    assert [list(cell) for cell in cells.customdata] == [[0, 0], [1, 0], [1, 1]]
    edges = [
        (x - cells.width / 2, x + cells.width / 2, low, low + size)
        for x, low, size in zip(cells.x, cells.base, cells.y, strict=True)
    ]
    assert edges == [(j - 0.5, j + 0.5, i - 0.5, i + 0.5) for i, j in ((0, 0), (1, 0), (1, 1))]


def test_no_hover_speaks_of_traces() -> None:
    shown = drawn([[0.0, np.nan], [-3.0, 9.0]], errors=np.full((2, 2), 4.0))
    for trace in (*shown.data, *thumbnail(np.array([[50.0]]), LIGHT).data):
        said = trace.hovertemplate or ()
        assert trace.hoverinfo == "skip" or all(one.endswith("<extra></extra>") for one in said)
        assert trace.hoverinfo == "skip" or said


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("signed", [True, False])
def test_numbers_can_be_read_on_their_cells(look: object, signed: bool) -> None:
    values = np.linspace(-60 if signed else 0, 60 if signed else 100, 16).reshape(4, 4)
    names = list("abcd")
    titles = {"row_title": "", "column_title": "", "value_title": ""}
    figure = heatmap(values, names, names, look, signed=signed, **titles)
    scale, low, high = (look.diverging, -50, 50) if signed else (get_colorscale("Cividis"), 0, 100)
    seen = 0
    for trace in figure.data:
        if trace.type != "scatter":
            continue
        for j, i in zip(trace.x, trace.y, strict=True):
            fraction = float(np.clip((values[i, j] - low) / (high - low), 0, 1))
            fill = sample_colorscale(scale, [fraction], colortype="tuple")[0]
            assert contrast(fill, hexadecimal(trace.textfont.color)) >= 4.5
            seen += 1
    assert seen == 16


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Of two colours, as WCAG 2 has it."""
    lights = sorted(
        sum(
            share * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
            for share, c in zip((0.2126, 0.7152, 0.0722), colour, strict=True)
        )
        for colour in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def hexadecimal(colour: str) -> tuple[float, ...]:
    """Of "#rrggbb", 0 to 1 each."""
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def test_errors_come_from_the_same_samples_outcomes(small_workspace: Path) -> None:
    run = Workspace(small_workspace).find("dam")
    matrix = Report(run).matrix
    errors = change_errors(run, matrix)
    rows = run.table("routing").to_pylist()
    right = {(row["stage"], row["sample_id"]): float(row["correct"]) for row in rows}
    for i, j in zip(*np.tril_indices(3), strict=True):
        sample_ids = sorted({row["sample_id"] for row in rows if row["true_task"] == j})
        gaps = np.array([right[i + 1, one] - right[j + 1, one] for one in sample_ids])
        assert gaps.mean() == pytest.approx(matrix[i, j] - matrix[j, j])
        assert errors.values[i, j] == pytest.approx(gaps.std(ddof=1) / np.sqrt(len(gaps)))
        assert errors.paired[i, j]


def test_labels_that_do_not_exist_yet_cannot_be_answered(small_workspace: Path) -> None:
    config = Workspace(small_workspace).find("dam").config
    assert answerable(config).all()  # one label space, known from the start
    labels = [(0, 1), (2, 3), (1, 4)]
    tasks = tuple(
        task.model_copy(update={"labels": task_labels})
        for task, task_labels in zip(config.tasks, labels, strict=True)
    )
    cil = config.model_copy(update={"protocol": "cil", "tasks": tasks})
    assert answerable(cil).tolist() == [
        [True, False, False],  # task 3 has a label of task 1, and one of its own
        [True, True, False],
        [True, True, True],
    ]
    grown = config.settings.answers.model_copy(update={"vocabulary": "seen"})
    settings = config.settings.model_copy(update={"answers": grown})
    dil = config.model_copy(update={"tasks": tasks, "settings": settings})
    assert answerable(dil).tolist() == [
        [True, False, True],  # some questions of task 3 have an answer of task 1
        [True, True, True],
        [True, True, True],
    ]
    til = config.model_copy(update={"protocol": "til", "tasks": tasks})
    assert answerable(til).tolist() == np.tri(3, dtype=bool).tolist()


def test_of_a_run_all_that_means_nothing_is_hatched_and_nothing_else() -> None:
    """In CIL; the demonstration's first two tasks have the same labels, and the three others have other ones."""
    run = Workspace(DEMONSTRATION).find("dam")
    matrices = Matrices(Report(run), 3)
    without = {(i, j) for i, j in np.argwhere(~answerable(run.config)) if i < 3}
    before = {(i, j) for i in range(3) for j in range(i + 1, 5)}
    assert without < before
    assert hatches(matrices.score_figure(LIGHT)) == without
    assert hatches(matrices.change_figure(LIGHT)) == before
    events = run.events
    last = max(index for index, event in enumerate(events) if getattr(event, "stage", 0) == 3)
    live = read_progress(run.config, events[: last + 1])
    assert np.isfinite(live.matrix).any(axis=1).tolist() == [True, True, True, False, False]
    assert hatches(live_figure(run.config, live, LIGHT)) == without


def test_the_table_of_changes_has_the_figures_sign_and_points() -> None:
    matrices = Matrices(Report(Workspace(DEMONSTRATION).find("sequential")), 4)
    points, errors = 100 * matrices.report.matrix, 100 * matrices.errors.values
    table = matrices.change_table
    assert len(table) == 10
    assert (table["change (points)"] < 0).any(), "something is forgotten"
    for (stage, task), row in table.iterrows():
        i, j = matrices.tasks.index(stage), matrices.tasks.index(task)
        shown = [points[i, j] - points[j, j], errors[i, j], matrices.counts[i, j]]
        assert row.tolist() == pytest.approx(shown, abs=0.006)
    figure = matrices.change_figure(LIGHT)
    nothing = np.abs(matrices.change) <= errors + 1e-6
    assert 0 < nothing.sum() < len(table), "some changes are something, and some are not"
    coloured, grey = (np.isfinite(np.array(trace.z, float)) for trace in figure.data[:2])
    assert np.array_equal(grey, nothing)
    assert np.array_equal(coloured, np.isfinite(matrices.change) & ~nothing)
    cells = next(trace for trace in figure.data if trace.name == "cells")
    for (i, j), said in zip(cells.customdata, cells.hovertemplate, strict=True):
        assert f"change (points): {written(points[i, j] - points[j, j], True, 1)}" in said
        assert f"standard error {errors[i, j]:.1f} points" in said


def hatches(figure: go.Figure) -> set[tuple[int, int]]:
    """Rows and columns of the cells that are hatched."""
    (trace,) = (candidate for candidate in figure.data if candidate.name == "hatched")
    return {(round(base + 0.47), j) for j, base in zip(trace.x, trace.base, strict=True)}


def test_every_accuracy_has_its_interval_on_hover_and_in_the_table(small_workspace: Path) -> None:
    matrices = Matrices(Report(Workspace(small_workspace).find("dam")), 2)
    cells = next(trace for trace in matrices.score_figure(LIGHT).data if trace.name == "cells")
    assert len(cells.hovertemplate) == 3
    assert all("95 % interval" in said and "n = 12" in said for said in cells.hovertemplate)
    table = matrices.score_table
    assert len(table) == 3  # of two stages
    assert (table["95 % from (%)"] <= table["accuracy (%)"]).all()
    assert (table["accuracy (%)"] <= table["95 % to (%)"]).all()
    assert set(table["n (samples)"]) == {12}


def test_the_live_matrix_knows_of_how_many_rows_each_accuracy_is() -> None:
    run = Workspace(DEMONSTRATION).find("dam")
    progress = read_progress(run.config, run.events)
    matrices = Matrices(Report(run), len(run.config.tasks))
    assert np.array_equal(progress.counts, matrices.counts)
    table = accuracy_table(100 * progress.matrix, progress.counts, matrices.tasks)
    assert table.equals(matrices.score_table)
    assert len(read_progress(run.config, []).counts.nonzero()[0]) == 0


def test_the_average_is_as_sure_as_the_tasks_learnt_by_the_stage() -> None:
    report = Report(Workspace(DEMONSTRATION).find("dam"))
    assert [Matrices(report, stage).average_is.rpartition("= ")[2] for stage in (1, 2, 5)] == [
        "60",
        "120",
        "300",
    ]
    assert report.transfer_after(5) == pytest.approx(report.transfer, nan_ok=True)
    assert "one task has been learnt" in report.undefined_after(1)["forgetting"]
