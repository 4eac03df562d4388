"""A visitor in a browser: goes to pages, waits until they are drawn, and notes whatever goes wrong meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Playwright,
    TimeoutError,
    expect,
)

from tests.browser.chromium import FLAGS
from tests.patience import PATIENCE

LOCAL = ("127.0.0.1", "localhost")

# On a link into a page other than the first, Streamlit's own script asks for these below the page's path, is told that
# they are not there, and asks again at the root: the browser writes both into the console.
STREAMLITS_OWN = re.compile(r"http://127\.0\.0\.1:\d+/[a-z]+/_stcore/(health|host-config)")

SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  if (app?.dataset.testScriptState !== 'notRunning') return false;
  if (app.dataset.testConnectionState !== 'CONNECTED' || !document.querySelector('h1')) return false;
  const waiting = '[data-stale="true"], [data-testid="stSpinner"], [data-testid="stSkeleton"]';
  if (document.querySelector(waiting)) return false;
  const charts = [...document.querySelectorAll('[data-testid="stPlotlyChart"]')];
  return charts.every((chart) => chart.querySelector('.main-svg'));
}"""
"""Nothing runs, nothing is old, and every figure is drawn."""


def launch(playwright: Playwright, path: Path) -> Browser:
    """A browser with a profile of its own, which is gone with it."""
    return playwright.chromium.launch(executable_path=path, args=list(FLAGS))


COUNT_RUNS = """() => {
  if (window.runs === undefined) {
    window.runs = 0;
    const app = document.querySelector('[data-testid="stApp"]');
    new MutationObserver(() => { if (app.dataset.testScriptState === 'running') window.runs += 1; })
      .observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
  }
  return window.runs;
}"""
"""How often the page was begun to be drawn since this was first asked."""


def take_context(browser: Browser) -> BrowserContext:
    """A context that nobody is in; it has no cookies or storage, but may have scripts that it need not compile again.

    Half of the time that a page takes in a new context goes into Streamlit's and plotly's scripts.
    """
    for context in browser.contexts:
        if not context.pages:
            return context
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    return context


class Visitor:
    """One visitor: a tab in a context without cookies or storage.

    Args:
        browser: whose.
        url: of the server, without a slash at its end.
        width: of the window, in pixels.
        height: of the window, in pixels.
        dark: whether the system is set to dark.

    Attributes:
        page: the tab.
        faults: requests to other machines, errors of the console and of the page's scripts, exceptions on the page.
    """

    def __init__(
        self, browser: Browser, url: str, width: int = 1440, height: int = 900, dark: bool = False
    ) -> None:
        self.url = url
        self._context = take_context(browser)
        expect.set_options(timeout=1000 * PATIENCE)
        self.page: Page = self._context.new_page()
        self.page.set_viewport_size({"width": width, "height": height})
        # What moves only so that it looks well takes a tenth of a page's time where no graphics card draws it.
        self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        self.faults: list[str] = []
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", lambda socket: self._asked(socket.url))
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "file") and parts.hostname not in LOCAL:
            self.faults.append(f"a request left the machine: {url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        where = message.location.get("url", "")
        is_streamlits = STREAMLITS_OWN.fullmatch(where) and "404 (Not Found)" in message.text
        if not is_streamlits:
            self.faults.append(f"console: {message.text} ({where})")

    def go(self, page: str = "", **address: str) -> None:
        """Follows a link into the lab, and waits until it is drawn."""
        self.follow(f"/{page}?{urlencode(address)}" if address else f"/{page}")

    def follow(self, link: str) -> None:
        """The same with a link as the lab writes it, or without the server: "/sample?ws=Mine"."""
        self.page.goto(link if link.startswith("http") else self.url + link)
        self.settle()

    def settle(self) -> None:
        """Waits until the page is drawn; what it shows as an exception is a fault."""
        self.page.wait_for_function(SETTLED)
        for shown in self.page.get_by_test_id("stException").all():
            self.faults.append(f"exception on {self.page.url}: {shown.inner_text()}")

    def type_key(self, key: str) -> None:
        """Presses a key on the page, and waits until it is drawn."""
        self._do(lambda: self.page.keyboard.press(key))

    def _do(self, act: Callable[[], object]) -> None:
        """Does it, and waits until the page that it has the server draw anew, if any, is drawn."""
        before = self.page.evaluate(COUNT_RUNS)
        act()
        with suppress(TimeoutError):  # not everything has the page drawn anew
            self.page.wait_for_function(
                "before => (window.runs ?? 0) > before", arg=before, timeout=1500
            )
        self.settle()

    def by(self, key: str) -> Locator:
        """A widget by its key, which Streamlit makes a class of."""
        return self.page.locator(f".st-key-{re.sub(r'[^a-zA-Z0-9_-]', '-', key)}")

    def button(self, name: str) -> Locator:
        """The first button of this name."""
        return self.page.get_by_role("button", name=name, exact=True).first

    def option(self, name: str) -> Locator:
        """One of several that stand side by side: a pill or a segment."""
        return self.page.get_by_role("radio", name=name, exact=True).first

    def press(self, name: str) -> None:
        """Clicks a button, and waits until the page is drawn."""
        self._do(self.button(name).click)

    def press_key(self, key: str) -> None:
        """Clicks the button of a widget with this key, as soon as it can be, and waits until the page is drawn."""
        self._do(self.by(key).get_by_role("button").first.click)

    def link(self, name: str) -> None:
        """Clicks a link in the page, not in its sidebar, and waits until the page that it leads to is drawn."""
        self._follow(self.page.get_by_test_id("stMain"), name)

    def turn_to(self, name: str) -> None:
        """Clicks a page's name in the sidebar, and waits until it is drawn."""
        self._follow(self.page.get_by_test_id("stSidebarNav"), name)

    def _follow(self, within: Locator, name: str) -> None:
        before = urlsplit(self.page.url).path
        within.get_by_role("link", name=name).first.click()
        self.page.wait_for_url(lambda url: urlsplit(url).path != before)
        self.settle()

    def choose(self, key: str, option: str) -> None:
        """Takes an option of a select box."""
        self.by(key).get_by_role("combobox").click()
        self._do(self.page.get_by_role("option", name=option, exact=True).first.click)

    def fill(self, key: str, text: str) -> None:
        """Types into a field, or into a select box that takes what is not in its list."""
        field = self.by(key).locator("input").first
        field.click()
        field.fill(text)
        self._do(lambda: field.press("Enter"))

    def type_slowly(self, key: str, text: str) -> None:
        """Types over what a field says, as fast as people do, and stays in it: neither Enter nor Tab."""
        field = self.by(key).locator("input, textarea").first
        field.click(click_count=3)
        field.press_sequentially(text, delay=60)

    def click_at(self, x: float, y: float) -> None:
        """Clicks a place on the screen, and waits until the page is drawn."""
        self._do(lambda: self.page.mouse.click(x, y))

    def click_at_once(self, key: str) -> None:
        """Clicks a button straight away, the mouse down as long as people do, and waits until it is drawn."""
        self._do(lambda: self.by(key).get_by_role("button").first.click(delay=100))

    def give(self, key: str, file: Path) -> None:
        """Uploads a file, as if it had been dropped there."""
        field = self.by(key).get_by_test_id("stFileUploaderDropzoneInput")
        self._do(lambda: field.set_input_files(file))

    def see(self, text: str | re.Pattern[str], seconds: float = PATIENCE) -> None:
        """Waits until a text is on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=1000 * seconds)

    def go_back(self) -> None:
        """To the page before, as the browser's button leads there; waits until it is that page which is drawn.

        The address changes before the server is asked: what is drawn then is still the page that was left.
        """
        before, drawn = urlsplit(self.page.url).path, self.page.evaluate(COUNT_RUNS)
        self.page.go_back()
        self.page.wait_for_url(lambda url: urlsplit(url).path != before)
        begun = (
            "drawn => window.runs === undefined || window.runs > drawn"  # undefined: loaded anew
        )
        self.page.wait_for_function(begun, arg=drawn)
        self.settle()

    def leave(self) -> None:
        """Closes the tab and everything that the browser kept for it."""
        with suppress(Error):  # of an address that has no storage
            self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        for page in self._context.pages:
            page.close()
        self._context.clear_cookies()
