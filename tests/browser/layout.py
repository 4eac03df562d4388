"""What cannot be read on a page as it is drawn: overlapping texts, texts that are cut, columns that are pushed out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, TimeoutError

FITTED = """() => [...document.querySelectorAll('[data-testid="stPlotlyChart"]')].every((chart) => {
  const drawn = chart.querySelector('.main-svg');
  return drawn && Math.abs(drawn.clientWidth - chart.clientWidth) < 2;
})"""
"""Every figure has been drawn for the width that it has now."""
SCRIPT = Path(__file__).with_suffix(".js")


def unreadable(page: Page) -> list[str]:
    """Sentences, each a kind of fault and the text that it befalls; none where all can be read.

    Looked at are the visible texts of the HTML and of the SVG in figures, also where they are rotated. A text may be
    shortened where the whole of it appears when it is pointed at, and may scroll within a box of its own. Texts on a
    canvas, such as the cells of tables, are not seen.
    """
    with suppress(TimeoutError):  # a figure that does not follow its box is looked at as it is
        page.wait_for_function(FITTED, timeout=5000)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    return list(page.evaluate(SCRIPT.read_text(encoding="utf-8")))
