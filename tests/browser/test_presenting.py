"""Presenting: no navigation, type that is read from the last row, arrow keys for the next step."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.learn.lessons import LESSONS
from tests.browser.conftest import Arrive

PAGES = ("", "stream", "train", "routing", "sample", "forgetting", "compare", "learn", "settings")
LEAST = 18
SMALL_TEXT = """(least) => {
  const found = [];
  const main = document.querySelector('[data-testid="stMain"]');
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const words = walker.currentNode.textContent.trim(), around = walker.currentNode.parentElement;
    if (!words || ['STYLE', 'SCRIPT'].includes(around.tagName) || !around.checkVisibility()) continue;
    const pixels = parseFloat(getComputedStyle(around).fontSize);
    if (pixels < least - 0.01) found.push(`${pixels} px: ${words.slice(0, 60)}`);
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("page", PAGES, ids=[page or "start" for page in PAGES])
def test_type_is_large_and_there_is_no_navigation(arrive: Arrive, page: str) -> None:
    visitor = arrive()
    visitor.go(page, ws="Mine", run="dam", present="1")
    expect(visitor.page.get_by_test_id("stSidebar")).to_be_hidden()
    assert visitor.page.evaluate(SMALL_TEXT, LEAST) == []


def test_arrow_keys_go_from_step_to_step(arrive: Arrive) -> None:
    first, second = LESSONS[0].steps[:2]
    visitor = arrive()
    visitor.go("learn", present="1")
    visitor.see(first.says)
    visitor.type_key("ArrowRight")
    visitor.see(second.says)
    visitor.type_key("ArrowLeft")
    visitor.see(first.says)


def test_a_lessons_link_goes_on_presenting_and_the_end_leads_back(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.go("learn", present="1")
    visitor.link(LESSONS[0].steps[0].does)
    expect(visitor.page.get_by_test_id("stSidebar")).to_be_hidden()
    visitor.press("End presentation")
    expect(visitor.page.get_by_test_id("stSidebar")).to_be_visible()
