"""Centroids, rings and stars lie over the points of a map, also of one that WebGL draws."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor
from playwright.sync_api import Browser

from app.base.theme import DARK
from app.figures import standalone
from app.figures.scatter import MOST_SVG, MapView, feature_map
from tests.app.scattered import scattered

INSIDE = 8
"""Pixels from the middle of a centroid's ring: beside its number, within its white."""
WHITE, PAPER = (255, 255, 255), ImageColor.getrgb(DARK.paper)
HIDE = "(trace) => Plotly.restyle(document.querySelector('.js-plotly-plot'), {visible: false}, [trace])"
AT = """(place) => {
  const drawn = document.querySelector('.js-plotly-plot'), {xaxis, yaxis} = drawn._fullLayout;
  const box = drawn.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.d2p(place[0]), box.top + yaxis._offset + yaxis.d2p(place[1])];
}"""


def test_centroids_cover_the_points_under_them(browser: Browser, tmp_path: Path) -> None:
    """What WebGL draws covers what SVG draws, so that more points may not hide what stands above fewer."""
    count, middle = MOST_SVG + 100, [0.0, 0.0]
    line = np.column_stack([np.linspace(-0.5, 0.5, 100), np.zeros(100)])  # through its ring
    places = np.vstack([np.random.default_rng(0).normal(size=(count - 100, 2)), line])
    figure = feature_map(
        scattered(places), np.array([middle]), ["1 a"], DARK, MapView("Task", stage=1)
    )
    file = tmp_path / "map.html"
    file.write_bytes(standalone.alone("map", figure, DARK, "a map", "made here"))
    page = browser.new_page()
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelector('.js-plotly-plot .main-svg')")
    x, y = page.evaluate(AT, middle)

    def seen() -> set[tuple[int, ...]]:
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        return {shot.getpixel((round(x + side), round(y))) for side in (-INSIDE, INSIDE)}

    assert seen() == {WHITE}
    page.evaluate(HIDE, len(figure.data) - 1)
    assert not seen() & {WHITE, PAPER}, "without the ring its points are seen"
    page.close()
