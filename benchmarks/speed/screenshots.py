"""Pictures of every page of the app, light and dark, of one or more runs.

    python benchmarks/speed/screenshots.py --out screenshots
    python benchmarks/speed/screenshots.py --workspace workspace --run first --run second --width 800 --width 1280

Each page is drawn by the real server in headless Chromium, waited for until its figures stand, and saved as
`<run>-<page>-<theme>-<width>.png`. It fails where a page shows an exception, the console an error, or a request leaves
the machine; texts that lie over one another, are cut short or reach over the window's edge are listed, and fail with
--strict. A workspace that leaves no room: `python -m tests.app.crowded WORKSPACE`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the tests' server and browser

from playwright.sync_api import Browser, sync_playwright

from app.data.runs import DEMONSTRATION
from cl_core.runs.workspace import Workspace
from tests.browser.chromium import provide
from tests.browser.layout import unreadable
from tests.browser.serving import Server
from tests.browser.visiting import Visitor, launch

PAGES = (
    "",
    "stream",
    "train",
    "map",
    "routing",
    "sample",
    "forgetting",
    "compare",
    "learn",
    "settings",
)
WIDTH, HEIGHT = 1440, 900


@contextmanager
def served(workspace: Path) -> Iterator[tuple[Server, str]]:
    """A server on the workspace, and which of the two workspaces of the app it is: the demonstration has its own."""
    bundled = workspace.resolve() == DEMONSTRATION.resolve()
    with tempfile.TemporaryDirectory(prefix="adapter-lab-") as folder:
        mine = Path(folder) / "workspace" if bundled else workspace
        with Server(mine, Path(folder) / "server.log") as server:
            yield server, "Demonstration" if bundled else "Mine"


def runs_of(workspace: Path) -> list[str]:
    """Names of the runs that can be looked at, the newest first.

    Raises:
        SystemExit: there is none.
    """
    names = [
        run.name for run in Workspace(workspace).runs() if (run.path / "scores.parquet").is_file()
    ]
    if not names:
        raise SystemExit(f"there is no scored run in {workspace}")
    return names


def take(
    browser: Browser,
    url: str,
    address: dict[str, str],
    page: str,
    width: int,
    dark: bool,
    file: Path,
) -> list[str]:
    """One picture.

    Returns:
        What is wrong with the page, and lines that begin with "unreadable".
    """
    visitor = Visitor(browser, url, width=width, height=HEIGHT, dark=dark)
    try:
        visitor.go(page, **address)
        over = [f"unreadable: {contrast}" for contrast in unreadable(visitor.page)]
        visitor.page.screenshot(path=file)
        return [*visitor.faults, *over]
    finally:
        visitor.leave()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--workspace", type=Path, default=DEMONSTRATION, help="whose runs are shown"
    )
    parser.add_argument(
        "--run", action="append", help="name of a run; several times; else the newest"
    )
    parser.add_argument("--page", action="append", choices=PAGES[1:], help="only these; else all")
    parser.add_argument("--width", action="append", type=int, help=f"of the window; else {WIDTH}")
    parser.add_argument("--theme", action="append", choices=("light", "dark"), help="else both")
    parser.add_argument(
        "--set", action="append", default=[], help="name=value, more of the address: sample=..."
    )
    parser.add_argument("--strict", action="store_true", help="fail where something cannot be read")
    parser.add_argument(
        "--out", type=Path, default=Path("screenshots"), help="folder of the pictures"
    )
    asked = parser.parse_args()
    runs = asked.run or runs_of(asked.workspace)[:1]
    asked.out.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with served(asked.workspace) as (server, name), sync_playwright() as playwright:
        browser = launch(playwright, provide())
        for run in runs:
            for page in asked.page or PAGES:
                for width in asked.width or [WIDTH]:
                    for theme in asked.theme or ("light", "dark"):
                        file = asked.out / f"{run}-{page or 'start'}-{theme}-{width}.png"
                        more = dict(pair.split("=", 1) for pair in asked.set)
                        address = {"ws": name, "run": run, **more}
                        faults_here = take(
                            browser, server.url, address, page, width, theme == "dark", file
                        )
                        faults = [
                            fault for fault in faults_here if not fault.startswith("unreadable")
                        ]
                        wrong += bool(faults or (asked.strict and faults_here))
                        print(f"{'ok  ' if not faults_here else 'look'} {file}")
                        for fault in faults_here:
                            print(f"       {fault}")
        browser.close()
    if wrong:
        raise SystemExit(f"{wrong} pages are not as they should be")


if __name__ == "__main__":
    main()
