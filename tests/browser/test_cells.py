"""Cells of the square figures, pointed at near their edges with a real mouse: they say what they are, and open."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive

WHERE = """(chart, [row, column]) => {
  const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.l2p(column), box.top + yaxis._offset + yaxis.l2p(row)];
}"""
"""Where on the screen a place among the cells is; the middle of a cell is at whole numbers."""


@pytest.mark.parametrize(
    ("page", "figure", "said", "boxes"),
    [
        ("forgetting", "scores", "95 % interval", ("cell_after", "cell_task")),
        ("routing", "confusion", "95 % interval", ("true", "got")),
    ],
)
def test_a_cell_says_what_it_is_and_opens_its_samples_from_edge_to_edge(
    arrive: Arrive, page: str, figure: str, said: str, boxes: tuple[str, str]
) -> None:
    visitor = arrive()
    visitor.go(page, ws="Demonstration", run="dam")
    chart = visitor.by(f"figure-{figure}").locator(".js-plotly-plot")
    names = ("1 restaurants", "2 films", "3 tickets")
    # The lower right corner of one cell, and the upper left one of another.
    for row, column, off in ((1, 1, 0.44), (2, 2, -0.44)):
        chart.scroll_into_view_if_needed()
        x, y = chart.evaluate(WHERE, [row + off, column + off])
        visitor.page.mouse.move(x - 4, y - 4)
        visitor.page.mouse.move(x, y, steps=3)
        # What a click opens is the cell that is said: not the last one, for as long as its words still stand.
        hover_text = chart.locator(".hoverlayer .hovertext")
        expect(hover_text).to_contain_text(f": {names[row]}")
        expect(hover_text).to_contain_text(said)
        visitor.click_at(x, y)
        for key, index in zip(boxes, (row, column), strict=True):
            expect(visitor.by(key).get_by_role("combobox")).to_have_value(names[index])
        # A cell without samples says so.
        visitor.see("choose one to see how it was answered")
