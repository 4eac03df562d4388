"""What axe-core says of every page, in both themes: nothing."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_FILE_PATH

from tests.browser.conftest import Arrive
from tests.browser.test_journeys import PAGES
from tests.browser.visiting import Visitor

STREAMLITS_OWN = {
    # The uploader's drop zone has the role "presentation" and a name; neither can be set from outside.
    "presentation-role-conflict": 'data-testid="stFileUploaderDropzone"',
}
"""Rules that Streamlit's own markup breaks, and what is in the HTML of every element that does."""

RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.flatMap((rule) => rule.nodes.map((node) => [rule.id, node.html, node.failureSummary]));
}"""


def violations(visitor: Visitor) -> list[str]:
    """Of the whole page: its window is made as high as the page, for axe looks at what is in sight."""
    height = visitor.page.evaluate(
        """() => document.querySelector('[data-testid="stMain"]').scrollHeight"""
    )
    visitor.page.set_viewport_size({"width": 1440, "height": max(900, min(height + 40, 9000))})
    visitor.settle()
    visitor.page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    return [
        f"{rule}: {html[:200]} ({why})"
        for rule, html, why in visitor.page.evaluate(RUN)
        if STREAMLITS_OWN.get(rule, "\0") not in html
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("place", "pages"),
    [("Demonstration", PAGES), ("Mine", ("", "settings"))],
    ids=["bundled", "own"],
)
def test_axe_finds_nothing(arrive: Arrive, place: str, pages: tuple[str, ...], dark: bool) -> None:
    visitor = arrive(dark=dark)
    found: list[str] = []
    for page in pages:
        visitor.go(page, ws=place, run="dam")
        found += [f"{page or 'start'}: {each}" for each in violations(visitor)]
    assert not found, "\n".join(found)
