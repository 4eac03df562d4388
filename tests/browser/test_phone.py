"""Figures in a window of 390 pixels: what fits is whole, and what does not is scrolled in a box that shows it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from app.base.theme import DARK, LIGHT, Look
from app.figures import standalone
from app.figures.bars import usage
from app.figures.curves import task_lines
from app.figures.heatmap import heatmap
from app.figures.scatter import MapView, feature_map
from tests.app.scattered import scattered

DRAWN = "document.querySelector('.js-plotly-plot .main-svg')"
BUTTONS = """() => [...document.querySelectorAll('.updatemenu-button')].map((each) => {
  const {left, right} = each.querySelector('rect').getBoundingClientRect();
  const words = each.querySelector('text').getBoundingClientRect();
  return [left, right, words.left, words.right];
})"""


def opened(browser: Browser, tmp_path: Path, figure: object, look: Look) -> Page:
    """A figure's own page, on a phone."""
    file = tmp_path / "figure.html"
    file.write_bytes(standalone.alone("figure", figure, look, "a figure", "made here"))
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(file.as_uri())
    page.wait_for_function(DRAWN)
    return page


def test_the_maps_buttons_stand_side_by_side(browser: Browser, tmp_path: Path) -> None:
    places = np.array([[0.0, 0.0], [1.0, 0.2], [0.2, 1.0]])
    figure = feature_map(
        scattered(places), places, ["1 a", "2 b", "3 c"], LIGHT, MapView("Entropy", stage=3)
    )
    page = opened(browser, tmp_path, figure, LIGHT)
    buttons = page.evaluate(BUTTONS)
    assert len(buttons) == 5
    for left, right, words_left, words_right in buttons:
        assert 0 <= left < words_left < words_right < right <= 390 - 16
    assert page.evaluate("document.querySelector('.scroll').scrollWidth") <= 390 - 32
    page.close()


LAST = """() => {
  const named = [...document.querySelectorAll('.xtick text')].at(-1), {left, right} = named.getBoundingClientRect();
  return [named.textContent.trim(), getComputedStyle(named).display, left, right];
}"""
NAMES = ["1 books", "2 films", "3 kitchen", "4 mail", "5 travel", "6 products"]
SIX = np.full(len(NAMES), 16.0)


@pytest.mark.parametrize(
    "figure",
    [
        task_lines({"1 books": SIX}, NAMES, LIGHT, x_title="stage", y_title="accuracy (%)"),
        usage(SIX, SIX, NAMES, LIGHT, 60),
    ],
    ids=["lines", "bars"],
)
def test_the_last_name_along_an_axis_is_there(
    browser: Browser, tmp_path: Path, figure: go.Figure
) -> None:
    page = opened(browser, tmp_path, figure, LIGHT)
    name, display, left, right = page.evaluate(LAST)
    assert (name, display) == ("6 products", "block")
    assert 0 <= left < right <= 390 - 16
    page.close()


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_a_wide_matrix_is_scrolled_in_its_box_which_shows_that_there_is_more(
    browser: Browser, tmp_path: Path, look: Look
) -> None:
    names = [f"{index + 1} task of twenty-two" for index in range(22)]
    figure = heatmap(
        np.full((22, 22), 50.0),
        names,
        names,
        look,
        row_title="after",
        column_title="on",
        value_title="accuracy (%)",
    )
    page = opened(browser, tmp_path, figure, look)
    box = page.locator(".scroll")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert box.evaluate("(each) => each.scrollWidth > each.clientWidth + 100")

    def shaded() -> tuple[bool, bool]:
        """Whether the paper at the box's left and right edge is darker, or lighter, than in its middle."""
        shot = Image.open(io.BytesIO(box.screenshot())).convert("L")
        row = shot.height - 2  # below the colour bar and its numbers
        paper = shot.getpixel((shot.width // 2, row))
        left, right = (abs(shot.getpixel((x, row)) - paper) > 15 for x in (1, shot.width - 2))
        return left, right

    assert shaded() == (False, True)
    box.evaluate("(each) => { each.scrollLeft = each.scrollWidth }")
    assert shaded() == (True, False)
    page.close()
