"""What cannot be read on a page as it is drawn: overlapping texts, texts that are cut, columns that are pushed out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, TimeoutError

FITTED = """() => [...document.querySelectorAll('[data-testid="stPlotlyChart"]')].every((chart) => {
  const drawn = chart.querySelector('.main-svg'), room = chart.closest('[data-testid="stElementContainer"]');
  return drawn && Math.abs(drawn.getBoundingClientRect().width - room.clientWidth) < 3;
})"""
"""Every figure has been drawn for the width that it has now."""
STILL = """() => {
  const boxes = [...document.querySelectorAll('[data-testid="stMain"] *')].map((each) => {
    const {left, top, width} = each.getBoundingClientRect();
    return Math.round(left) + 3 * Math.round(top) + 7 * Math.round(width);
  });
  const now = boxes.reduce((sum, each, place) => sum + each * (1 + place % 97), boxes.length);
  window.stood = window.lastSeen === now ? (window.stood ?? 0) + 1 : 0;
  window.lastSeen = now;
  return window.stood >= 3;
}"""
"""Nothing has moved since it was asked the last three times."""
SCRIPT = Path(__file__).with_suffix(".js")


def unreadable(page: Page) -> list[str]:
    """Sentences, each a kind of fault and the text that it befalls; none where all can be read.

    Looked at are the visible texts of the HTML and of the SVG in figures, also where they are rotated. A text may be
    shortened where the whole of it appears when it is pointed at, and may scroll within a box of its own. Texts on a
    canvas, such as the cells of tables, are not seen.
    """
    fitted(page)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    return list(page.evaluate(SCRIPT.read_text(encoding="utf-8")))


def fitted(page: Page) -> None:
    """Waits until figures have the width of the window as it is now, and nothing moves."""
    with suppress(TimeoutError):  # a figure that does not follow its box is looked at as it is
        page.wait_for_function(FITTED, timeout=10_000)
    page.wait_for_function(STILL, polling=100)
