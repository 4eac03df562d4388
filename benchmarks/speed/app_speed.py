"""How long visitors of the app wait, on this machine, for pages and answers.

    python benchmarks/speed/app_speed.py
    python benchmarks/speed/app_speed.py --workspace workspace --run first --rounds 10

Measured in headless Chromium against the real server, from the click to the page being drawn, its figures included:
the server's start to its first page; a switch to each page, again and again; on *Sample* what-ifs, from the click to
the new weights and the model's answer under them on the screen. Then ten visitors browse at once, over the loopback
interface: one in the browser, nine that cost the machine nothing but what the server does for them
(`light_visitors.py`), each with a pause of one to three seconds between a page and the next click; and, as the worst
that can happen, all of them without any pause. The targets are those of the lab: what-ifs within 0.3 s (figures) and
1.5 s (predictions), and with ten visitors no error and 95 of 100 pages within 2 s. The browser runs on the same cores
as the server, so that these are upper bounds. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the tests' server and browser

from light_visitors import THINK, crowd
from playwright.sync_api import Browser, Locator, sync_playwright
from screenshots import runs_of, served

from app.data.runs import DEMONSTRATION
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
CLICKS = 12
"""Of each of them."""


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
                taken = seconds(partial(visitor.turn_to, name))
                here = name
                if number:
                    times[name].append(taken)
    return times


def what_ifs(visitor: Visitor, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds from a click on *Sample* to the answer on the screen, its figures drawn: another k, another chooser."""
    ranked, chosen = [], []

    def click(option: Locator, words: str) -> float:
        visitor.page.evaluate(WHEN_ANSWERED, words)
        option.click()
        taken = visitor.page.evaluate("() => window.answered")
        visitor.settle()
        return float(taken) / 1000

    for _ in range(rounds):
        for k in ("1", "3"):
            option = visitor.by("k").get_by_role("radio", name=k, exact=True)
            ranked.append(click(option, f"What if: k = {k}:"))
        for name, words in (("uniform", "What if: uniform:"), ("the router", "k = 3:")):
            visitor.by("by").get_by_role("combobox").click()
            chosen.append(click(visitor.page.get_by_role("option", name=name, exact=True), words))
    return ranked, chosen


def browse(
    browser: Browser, url: str, address: dict[str, str], clicks: int
) -> tuple[list[float], list[str]]:
    """One visitor in a browser, who pauses as the light ones do; seconds of every page, and what went wrong."""
    draw = random.Random(1000)  # noqa: S311 - the order of clicks is no secret
    visitor = Visitor(browser, url)
    visitor.go("", **address)
    times, here = [], "Start"
    for _ in range(clicks):
        time.sleep(draw.uniform(*THINK))
        here = draw.choice([name for name in NAMES if name != here])
        times.append(seconds(lambda: visitor.turn_to(here)))  # noqa: B023 - called at once
    visitor.leave()
    return times, visitor.faults


WHEN_ANSWERED = """(words) => {
  window.answered = new Promise((done) => addEventListener('click', () => {
    const began = performance.now();
    const look = () => {
      const app = document.querySelector('[data-testid="stApp"]');
      const said = document.querySelector('[data-testid="stMain"]').innerText.includes(words);
      const ready = said && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-stale="true"], [data-testid="stSpinner"]');
      ready ? done(performance.now() - began) : requestAnimationFrame(look);
    };
    look();
  }, {capture: true, once: true}));
}"""
"""Milliseconds from the next click in the page to these words on it, with everything drawn."""


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
        with served(asked.workspace) as (server, name):
            address = {"ws": name, "run": run}
            visitor = Visitor(browser, server.url)
            visitor.go("", **address)
            lines.append(row("server start to first page", [time.perf_counter() - began]))
            times = switches(visitor, asked.rounds)
            lines.append(
                row("page switch", [seconds for page in times.values() for seconds in page])
            )
            lines += [row(f"to {name}", waits) for name, waits in times.items()]
            visitor.go("sample", **address)
            ranked, chosen = what_ifs(visitor, asked.rounds)
            lines.append(row("what if: k, weights and prediction", ranked, "0.3 / 1.5"))
            lines.append(row("what if: who chooses, the same", chosen, "0.3 / 1.5"))
            faults = list(visitor.faults)
            visitor.leave()
            many = min(asked.visitors, MOST_VISITORS)
            names = list(NAMES.values())
            light = partial(crowd, server.url, address, names)
            with ThreadPoolExecutor(1) as pool:
                nine = pool.submit(light, many - 1, CLICKS)
                seen, wrong = browse(browser, server.url, address, CLICKS)
                others, more = nine.result()
            lines.append(row(f"page in a browser, beside {many - 1} others", seen, "p95 2"))
            lines.append(row(f"page of those {many - 1}", others, "p95 2"))
            rush, most = light(many, CLICKS, together=True)
            lines.append(row(f"page, {many} visitors who never pause", rush))
            faults += wrong + more + most
        browser.close()
    print(f"run {run} of {asked.workspace.name}, {_machine()}\n")
    print("\n".join(lines))
    print(f"\nerrors: {len(faults)}")
    for fault in faults:
        print(f"- {fault}")
    if faults:
        raise SystemExit(1)


def _machine() -> str:
    return f"{os.cpu_count()} cores, server and browser on the same machine"


if __name__ == "__main__":
    main()
