"""Axes have no marks that mean nothing: no ticks at cells, no grid between bars, no mark cut at 100 %."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from app.base.theme import LIGHT
from app.figures.bars import outcomes, usage
from app.figures.base import PER_CENT
from app.figures.comparison_figures import differences, spread, stages
from app.figures.curves import setting_lines, task_lines
from app.figures.heatmap import heatmap
from app.figures.learning_curves import learning_curves
from app.figures.merges import merges
from app.figures.routing_diagram import routing_diagram
from app.figures.scatter import MapView, feature_map
from app.figures.similarity import similarity
from cl_core.evaluate.statistics import PairedDifference, Summary
from cl_core.runs.events import EpochEvent
from tests.app.scattered import scattered

NAMES = ["1 a", "2 b"]
CELLS = {
    "matrix": heatmap(
        np.eye(2), NAMES, NAMES, LIGHT, row_title="row", column_title="column", value_title="x (%)"
    ),
    "similarity": similarity(np.eye(2), NAMES, LIGHT),
}


@pytest.mark.parametrize("figure", CELLS.values(), ids=CELLS.keys())
def test_cells_stand_without_ticks_and_grid(figure: go.Figure) -> None:
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert axis.ticks == ""
        assert (axis.showgrid, axis.zeroline) == (False, False)


def test_names_of_bars_have_no_line_of_a_grid() -> None:
    parts = outcomes(np.array([[3, 1, 0, 0], [0, 1, 1, 2]]), NAMES, LIGHT)
    for axis in (parts.layout.xaxis, parts.layout.yaxis):
        assert (axis.showgrid, axis.zeroline) == (False, False)
    share = np.array([60.0, 40.0])
    assert usage(share, share, NAMES, LIGHT, 10).layout.xaxis.showgrid is False
    weights = merges(["one"], [[0.5, 0.5]], ["what"], NAMES, LIGHT).layout
    assert (weights.xaxis.showgrid, weights.yaxis.showgrid) == (False, False)
    values, summary = {"1 a": [60.0]}, {"1 a": Summary(1, 60.0, None, None, None)}
    gap = {"1 a": PairedDifference(1, 1.0, None, None, None)}
    for figure in (spread(values, summary, LIGHT, "x"), differences(gap, LIGHT, "x")):
        assert (figure.layout.yaxis.showgrid, figure.layout.yaxis.zeroline) == (False, False)
    rows = routing_diagram(NAMES, [0.6, 0.4], LIGHT, answer="yes", confidence=0.9).layout.yaxis
    assert (rows.ticks, rows.showgrid, rows.zeroline, rows.showline) == ("", False, False, False)


def test_a_map_has_no_axes() -> None:
    places = np.array([[0.0, 0.0], [1.0, 2.0]])
    figure = feature_map(scattered(places), places[:1], NAMES[:1], LIGHT, MapView("Task", stage=1))
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert (axis.ticks, axis.showticklabels) == ("", False)
        assert (axis.showgrid, axis.zeroline, axis.showline) == (False, False, False)


def test_the_mark_of_100_per_cent_is_drawn_whole() -> None:
    assert PER_CENT[1] > 100
    figure = task_lines({"1 a": [100.0]}, ["1 a"], LIGHT, x_title="x", y_title="y")
    assert tuple(figure.layout.yaxis.range) == PER_CENT
    assert tuple(stages({"1 a": [[100.0]]}, LIGHT).layout.yaxis.range) == PER_CENT
    scores = {"train_loss": 0.1, "validation_loss": 0.1, "validation_accuracy": 1.0}
    learnt = {"1 a": [EpochEvent(task="a", epoch=1, epochs=1, **scores)]}
    curves = learning_curves(learnt, {"1 a": 0}, LIGHT)
    assert tuple(curves.layout.yaxis2.range) == PER_CENT
    whole = np.array([100.0, 0.0])
    diamonds = usage(whole, whole, NAMES, LIGHT, 10).data[1]
    assert diamonds.cliponaxis is False


def test_the_label_of_this_run_stands_above_a_line_at_100_per_cent() -> None:
    figure = setting_lines({"route": [100.0, 100.0]}, [1, 2], 2, LIGHT, x_title="k")
    assert figure.layout.yaxis.range[1] >= 110
    assert list(figure.layout.yaxis.tickvals) == [0, 20, 40, 60, 80, 100]
    (mark,) = figure.layout.shapes
    assert (mark.x0, mark.x1) == (2, 2)
