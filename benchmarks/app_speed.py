"""How long visitors of the app wait, on this machine, for pages and answers.

    python benchmarks/app_speed.py
    python benchmarks/app_speed.py --workspace workspace --run first --rounds 10

Measured in headless Chromium against the real server, from the click to the page being drawn, its figures included:
the server's start to its first page; a switch to each page, again and again; on *Sample* a what-if of the router, and
one that asks the model, from the click to the new answer on the screen; and ten visitors at once, each in a context of
its own, over the loopback interface. The targets are those of the lab: what-ifs within 0.3 s and 1.5 s, and with ten
visitors no error and 95 of 100 pages within 2 s. The browser runs on the same cores as the server, so that these are
upper bounds. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the tests' server and browser

from playwright.sync_api import Browser, Error, sync_playwright

from app.runs import DEMONSTRATION
from benchmarks.screenshots import runs_of, served
from tests.browser.chromium import provide
from tests.browser.visiting import Visitor, launch

NAMES = {
    "Start": "",
    "Stream": "stream",
    "Train": "train",
    "Feature map": "map",
    "Routing": "routing",
    "Sample": "sample",
    "Forgetting & transfer": "forgetting",
    "Compare": "compare",
    "Learn": "learn",
    "Settings": "settings",
}
"""Pages as the navigation calls them."""
VISITORS = 10
MOST_VISITORS = 20
"""A measurement, no attack: on the loopback interface alone, and never more."""


def seconds(act: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def switches(visitor: Visitor, rounds: int) -> dict[str, list[float]]:
    """Seconds of every switch to each page, by page; the first round, in which the server imports, is left out."""
    order = random.Random(0)  # noqa: S311 - the order of clicks is no secret
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    here = "Start"
    for number in range(rounds + 1):
        names = list(NAMES)
        order.shuffle(names)
        for name in names:
            if name != here:
                taken = seconds(lambda name=name: visitor.turn_to(name))
                here = name
                if number:
                    times[name].append(taken)
    return times


def what_ifs(visitor: Visitor, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds from a click on *Sample* to the new answer: another k's figure, and the model's under another adapter."""
    figure, prediction = [], []

    def change(act: Callable[[], object]) -> None:
        before = said()
        act()
        visitor.page.wait_for_function(
            "before => document.querySelector('[data-testid=\"stMain\"]').innerText !== before",
            arg=before,
        )
        visitor.settle()

    def said() -> str:
        return str(visitor.page.get_by_test_id("stMain").inner_text())

    for _ in range(rounds):
        thumb = visitor.by("k").get_by_role("slider").first
        thumb.focus()
        for key in ("ArrowLeft", "ArrowRight"):
            figure.append(seconds(lambda key=key: change(lambda: visitor.page.keyboard.press(key))))
        for option in ("all alike", "the router"):
            prediction.append(
                seconds(lambda option=option: change(lambda: visitor.choose("by", option)))
            )
    return figure, prediction


def crowd(
    browser: Browser, url: str, address: dict[str, str], visitors: int, rounds: int
) -> tuple[list[float], list[str]]:
    """Several visitors at once: all click, then each waits; seconds of every page, and what went wrong.

    All of them click before the first is waited for, so that the server has their pages to draw at the same time.
    """
    there = [Visitor(browser, url) for _ in range(visitors)]
    times, faults = [], []
    for visitor in there:
        visitor.go("", **address)
    pages = [name for name in NAMES if name != "Start"]
    for number in range(rounds):
        began = []
        for place, visitor in enumerate(there):
            name = pages[(number + place) % len(pages)]
            nav = visitor.page.get_by_test_id("stSidebarNav")
            began.append(time.perf_counter())
            nav.get_by_role("link", name=name).first.click()
            visitor.page.evaluate(WHEN_DRAWN)
        for visitor, start in zip(there, began, strict=True):
            try:
                # The page notes by itself when it was drawn: waiting for one after the other adds nothing.
                drawn = visitor.page.evaluate("() => window.drawn")
                times.append(drawn / 1000 - _offset() - start)
                visitor.settle()
            except Error as error:
                faults.append(str(error).splitlines()[0])
    for visitor in there:
        faults += visitor.faults
        visitor.leave()
    return times, faults


WHEN_DRAWN = """() => {
  window.drawn = new Promise((done) => {
    const look = () => {
      const app = document.querySelector('[data-testid="stApp"]');
      const charts = [...document.querySelectorAll('[data-testid="stPlotlyChart"]')];
      const ready = app?.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-stale="true"], [data-testid="stSpinner"], [data-testid="stSkeleton"]')
        && charts.every((chart) => chart.querySelector('.main-svg'));
      ready ? done(performance.timeOrigin + performance.now()) : setTimeout(look, 20);
    };
    setTimeout(look, 50);  // the click's own rerun begins before that
  });
}"""


def _offset() -> float:
    """Seconds between the browser's clock, which counts from 1970, and this process's."""
    return time.time() - time.perf_counter()


def row(what: str, times: Sequence[float], target: str = "") -> str:
    """A line of the table: median, 95th percentile, largest, count."""
    if not times:
        return f"| {what} | - | - | - | 0 | {target} |"
    values = np.asarray(times)
    return (
        f"| {what} | {np.median(values):.2f} | {np.quantile(values, 0.95):.2f} | {values.max():.2f} | {len(values)} "
        f"| {target} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--workspace", type=Path, default=DEMONSTRATION, help="whose run is looked at"
    )
    parser.add_argument("--run", help="its name; else the newest")
    parser.add_argument("--rounds", type=int, default=5, help="of switches over all pages")
    parser.add_argument(
        "--visitors", type=int, default=VISITORS, help=f"at once, at most {MOST_VISITORS}"
    )
    asked = parser.parse_args()
    run = asked.run or runs_of(asked.workspace)[0]
    lines = ["| what | median s | p95 s | most s | n | target |", "|---|---|---|---|---|---|"]
    with sync_playwright() as playwright:
        browser = launch(playwright, provide())
        began = time.perf_counter()
        with served(asked.workspace) as (server, place):
            address = {"ws": place, "run": run}
            visitor = Visitor(browser, server.url)
            visitor.go("", **address)
            lines.append(row("server start to first page", [time.perf_counter() - began]))
            times = switches(visitor, asked.rounds)
            lines.append(row("page switch", [each for page in times.values() for each in page]))
            lines += [row(f"to {name}", each) for name, each in times.items()]
            visitor.go("sample", **address)
            figure, prediction = what_ifs(visitor, asked.rounds)
            lines.append(row("what if: k", figure, "0.3"))
            lines.append(row("what if: who chooses", prediction, "1.5"))
            faults = list(visitor.faults)
            visitor.leave()
            many = min(asked.visitors, MOST_VISITORS)
            together, wrong = crowd(browser, server.url, address, many, asked.rounds)
            lines.append(row(f"page, {many} visitors at once", together, "p95 2"))
        browser.close()
    print(f"run {run} of {asked.workspace.name}, {_machine()}\n")
    print("\n".join(lines))
    print(f"\nerrors: {len(faults + wrong)}")
    for fault in faults + wrong:
        print(f"- {fault}")
    if faults + wrong:
        raise SystemExit(1)


def _machine() -> str:
    return f"{os.cpu_count()} cores, server and browser on the same machine"


if __name__ == "__main__":
    main()
