"""What axe-core says of every page, in both themes, also of what opens on it: nothing."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from PIL import ImageColor

from app.base.theme import DARK, LIGHT, Look
from tests.browser.conftest import Arrive
from tests.browser.test_journeys import PAGES
from tests.browser.visiting import Visitor

STREAMLITS_OWN = {
    # The uploader's drop zone has the role "presentation" and a name; neither can be set from outside.
    "presentation-role-conflict": 'data-testid="stFileUploaderDropzone"',
    # An open list lies at the end of the page's body, beside its landmarks.
    "region": 'role="listbox"',
}
"""Rules that Streamlit's own markup breaks, and what is in the HTML of every element that does."""

RUN = """async (part) => {
  const found = await axe.run(part, {resultTypes: ['violations']});
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
    return said_of(visitor, "html")


COME_IN = """(part) => {
  const shown = document.querySelector(part), moving = shown.getAnimations({subtree: true});
  for (let around = shown; around; around = around.parentElement) {
    if (getComputedStyle(around).opacity !== '1') return false;
    moving.push(...around.getAnimations());
  }
  return moving.every((animation) => animation.playState !== 'running');
}"""
"""It has come in wholly: while it does, its colours are those of what lies below it too."""


def said_of(visitor: Visitor, part: str) -> list[str]:
    """Of one part of a page that axe has been brought to, by its selector."""
    return [
        f"{rule}: {html[:200]} ({why})"
        for rule, html, why in visitor.page.evaluate(RUN, part)
        if STREAMLITS_OWN.get(rule, "\0") not in html
    ]


def said_of_opened(visitor: Visitor, part: str) -> list[str]:
    """The same of what has just been opened."""
    visitor.page.wait_for_function(COME_IN, arg=part)
    return said_of(visitor, part)


def opened(visitor: Visitor) -> list[str]:
    """Of what opens on a page: the menu of its first figure, and the list of each field that chooses several."""
    page, faults = visitor.page, []
    menus = visitor.page.get_by_role("button", name=re.compile("About, table, files: "))
    if menus.count():
        menus.first.click()
        page.get_by_test_id("stPopoverBody").get_by_role("button").last.wait_for()
        visitor.settle()
        faults += [
            f"menu: {fault}" for fault in said_of_opened(visitor, '[data-testid="stPopoverBody"]')
        ]
        page.keyboard.press("Escape")
    for field in page.get_by_test_id("stMultiSelect").get_by_role("combobox").all():
        field.click()
        page.get_by_role("option").first.wait_for()
        faults += [f"list: {fault}" for fault in said_of_opened(visitor, '[role="listbox"]')]
        page.keyboard.press("Escape")
    return faults


INK = """() => getComputedStyle(document.querySelector('.js-plotly-plot .xtick text')).fill"""


def turn_dark(visitor: Visitor) -> None:
    """The system's theme changes while the page is open, and the page is drawn anew in it."""
    visitor.page.emulate_media(color_scheme="dark")
    visitor.page.locator('[data-drawn-for="dark"]').wait_for(state="attached")
    visitor.settle()


@pytest.mark.parametrize(
    ("workspace", "pages"),
    [("Demonstration", PAGES), ("Mine", ("", "settings"))],
    ids=["bundled", "own"],
)
def test_axe_finds_nothing(arrive: Arrive, workspace: str, pages: tuple[str, ...]) -> None:
    visitor = arrive()
    faults: list[str] = []
    for page in pages:
        visitor.page.emulate_media(color_scheme="light")
        visitor.go(page, ws=workspace, run="dam")
        said = [*violations(visitor), *opened(visitor)]
        faults += [f"{page or 'start'}, light: {fault}" for fault in said]
        turn_dark(visitor)
        said = [*violations(visitor), *opened(visitor)]
        faults += [f"{page or 'start'}, dark: {fault}" for fault in said]
    assert not faults, "\n".join(faults)


def written(look: Look) -> str:
    """Its colour of text, as a browser says it."""
    return "rgb({}, {}, {})".format(*ImageColor.getrgb(look.text))


def test_figures_have_the_ink_of_the_theme_that_the_system_changes_to(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.go("forgetting", ws="Demonstration", run="dam")
    assert visitor.page.evaluate(INK) == written(LIGHT)
    turn_dark(visitor)
    assert visitor.page.evaluate(INK) == written(DARK)
