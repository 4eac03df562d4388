"""Names in figures: what is left out is left out in the middle, and many names become numbers."""

from __future__ import annotations

import numpy as np
import pytest

from app.base.styles import box
from app.base.theme import LIGHT, numbered
from app.figures.bars import outcomes, usage
from app.figures.base import least_width
from app.figures.curves import task_lines
from app.figures.heatmap import heatmap
from app.figures.merges import merges
from app.figures.names import MOST_TICKS, across, beside, listed, short, thinned, ticks
from app.figures.similarity import similarity

LONG = [numbered(index, f"questions about shop {index} and all around it") for index in range(22)]


def test_a_long_name_keeps_its_ends() -> None:
    assert short("films", 10) == "films"
    assert short("a long name of a task", 11) == "a lon…task"
    assert len(short("x" * 60, 26)) == 26


def test_names_from_data_are_no_markup() -> None:
    assert beside(["1 <b>films</b>"]) == across(["1 <b>films</b>"]) == listed(["1 <b>films</b>"])
    assert "<" not in beside(["1 <b>films</b>"])[0]


def test_few_columns_are_named_and_many_are_numbered() -> None:
    assert across(["1 films", "2 news"]) == ["1 films", "2 news"]
    assert across(LONG) == [str(index + 1) for index in range(22)]
    assert across(["router 1", "router 2"]) == ["router 1", "router 2"]


@pytest.mark.parametrize("count", [1, 2, 12, 13, 22, 200])
def test_an_axis_has_its_ends_and_not_too_many_ticks(count: int) -> None:
    values = list(range(count))
    assert len(thinned(values)) <= MOST_TICKS
    assert (thinned(values)[0], thinned(values)[-1]) == (0, count - 1)
    assert len(ticks([str(value) for value in values])["ticktext"]) == len(thinned(values))


def test_a_legend_of_many_tasks_has_their_numbers() -> None:
    assert listed(["1 films", "2 news"]) == ["1 films", "2 news"]
    assert listed(LONG)[21] == "22"


def test_no_figure_writes_a_long_name_out() -> None:
    """Only where it is pointed at."""
    square = np.full((22, 22), 50.0)
    figures = [
        heatmap(
            square, LONG, LONG, LIGHT, row_title="row", column_title="column", value_title="value"
        ),
        similarity(square / 100, LONG, LIGHT),
        outcomes(np.full((22, 4), 25), LONG, LIGHT),
        usage(np.full(22, 5.0), np.full(22, 5.0), LONG, LIGHT, 300),
        task_lines({name: [1.0] for name in LONG}, LONG[:1], LIGHT, x_title="x", y_title="y"),
        merges(["one"], [[1.0] + [0.0] * 21], ["x" * 60], LONG, LIGHT),
    ]
    for figure in figures:
        said = [
            *(figure.layout.xaxis.ticktext or ()),
            *(figure.layout.yaxis.ticktext or ()),
            *(trace.name or "" for trace in figure.data),
            *(note.text for note in figure.layout.annotations),
        ]
        assert all(len(line) <= 48 for text in said for line in text.split("<br>"))


def test_a_figure_that_needs_more_room_than_there_is_scrolls_in_its_own_box() -> None:
    wide = heatmap(
        np.full((22, 22), 50.0), LONG, LONG, LIGHT, row_title="", column_title="", value_title=""
    )
    assert least_width(wide) > 390
    assert box("scores", least_width(wide)).startswith("box-")
    assert box("scores", 0) == "box-scores"


@pytest.mark.parametrize("signed", [False, True])
def test_a_matrix_of_six_tasks_and_its_colour_bar_are_within_a_phone(signed: bool) -> None:
    """A window of 390 pixels leaves a figure 358; what stands beside the cells would begin out of sight."""
    six = [numbered(index, "restaurants") for index in range(6)]
    figure = heatmap(
        np.full((6, 6), 50.0),
        six,
        six,
        LIGHT,
        row_title="after",
        column_title="on",
        value_title="accuracy (%)",
        signed=signed,
        empty=~np.tri(6, dtype=bool),
        empty_because="not learnt yet: no right prediction could be made",
    )
    assert int(box("scores", least_width(figure)).split("-")[1]) <= 358
    bar = figure.data[0].colorbar
    assert (bar.orientation, bar.yref) == ("h", "container")
    said = [note.text for note in figure.layout.annotations]
    assert "accuracy (%)" in said
    assert all(len(line) <= 38 for text in said for line in text.split("<br>"))


def test_no_box_cuts_a_figure_that_fits_its_column() -> None:
    """Beside the map there are about 350 pixels in a window of 1440."""
    five = similarity(np.eye(5), [f"{index} restaurants" for index in range(1, 6)], LIGHT)
    assert least_width(five) < 350
    assert box("centroids", least_width(five)) == "box-320-centroids"
