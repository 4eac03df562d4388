"""Pages of a run with 22 tasks, 1,200 classes and long names of everything: all can be read, at four widths, or heard.

A text that is shortened shows the whole when it is pointed at, a wide figure is scrolled within its own box.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.app.crowded import RUNS, STREAM, crowd
from tests.browser.layout import fitted, unreadable
from tests.browser.serving import Server
from tests.browser.test_journeys import PAGES
from tests.browser.visiting import Visitor

WIDE, PHONE = (1440, 1024, 1920), (390,)
UNNAMED = """() => [...document.querySelectorAll(
    'button, a[href], input, textarea, [role=combobox], [role=slider], [role=radio]'
  )].filter((each) => each.checkVisibility() && !(
    each.getAttribute('aria-label') || each.getAttribute('aria-labelledby') || each.innerText
    || each.labels?.length || each.title || each.placeholder
  )).map((each) => each.outerHTML.slice(0, 160))"""
"""Controls without a word for those who do not see them."""


@pytest.fixture(scope="module")
def crowded(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = crowd(tmp_path_factory.mktemp("crowded") / "workspace", tiny)
    with Server(root, root.parent / "server.log") as started:
        yield started


@pytest.mark.parametrize(
    ("widths", "dark"), [(WIDE, False), (PHONE, True)], ids=["wide", "phone, dark"]
)
def test_everything_can_be_read_and_every_control_has_a_name(
    browser: Browser, crowded: Server, widths: tuple[int, ...], dark: bool
) -> None:
    visitor = Visitor(browser, crowded.url, width=widths[0], dark=dark)
    seen = {"ws": "Mine", "run": next(iter(RUNS)), "projection": "PCA"}
    unreadable_lines: list[str] = []
    for page in PAGES:
        visitor.page.set_viewport_size({"width": widths[0], "height": 900})
        address = {"stream": f"streams/{STREAM}.yaml"} if page == "stream" else {}
        visitor.go(page, **seen, **address)
        for width in widths:
            if width != widths[0]:
                # Plotly places a legend by the lines that it had before the window changed.
                visitor.page.set_viewport_size({"width": width + 12, "height": 900})
                fitted(visitor.page)
                visitor.page.set_viewport_size({"width": width, "height": 900})
            unreadable_lines += [
                f"{page or 'start'} at {width}: {fault}" for fault in unreadable(visitor.page)
            ]
        unnamed = visitor.page.evaluate(UNNAMED)
        unreadable_lines += [f"{page or 'start'}: no name: {control}" for control in unnamed]
    faults = visitor.faults
    visitor.leave()
    assert not unreadable_lines, "\n".join(unreadable_lines)
    assert not faults, faults


def test_a_menu_shows_long_names_whole(browser: Browser, crowded: Server) -> None:
    visitor = Visitor(browser, crowded.url)
    visitor.go("forgetting", ws="Mine", run=next(iter(RUNS)))
    visitor.by("run").get_by_role("combobox").click()
    options = visitor.page.get_by_role("option")
    options.first.wait_for()
    assert sorted(options.all_inner_texts()) == sorted(RUNS)
    cut = "(options) => options.some((each) => each.scrollWidth > each.clientWidth + 1)"
    assert not options.evaluate_all(cut)
    visitor.leave()
