"""A shared lab in a real browser: the form, the cookies and the policies as a browser reads them."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.app.serving.sharing_server import SharingServer
from tests.patience import PATIENCE


def test_a_guest_types_the_code_and_looks_and_the_host_opens_the_link(
    browser: Browser, tmp_path: Path
) -> None:
    with SharingServer(tmp_path / "workspace", tmp_path, "--share") as server:
        guest = browser.new_context()
        page = guest.new_page()
        page.goto(f"{server.url}/forgetting?ws=Demonstration&run=dam&after=2+films")
        expect(page.get_by_label("Code")).to_be_focused()
        page.keyboard.type("nonsense")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("That is not the code.")
        page.get_by_label("Code").fill(server.code)
        page.get_by_role("button").click()
        expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible(timeout=1000 * PATIENCE)
        assert page.url.endswith("/forgetting?ws=Demonstration&run=dam&after=2+films")
        page.goto(f"{server.url}/train?show=New+run")
        expect(page.get_by_text("Guests have read-only access")).to_be_visible(
            timeout=1000 * PATIENCE
        )
        assert page.evaluate("document.cookie").count("adapter-lab") == 0, "no script can read it"
        host = browser.new_context().new_page()
        host.goto(f"{server.url}{server.host_path}")
        expect(host.get_by_test_id("stSidebarNav")).to_be_visible(timeout=1000 * PATIENCE)
        assert "key" not in host.url
        host.goto(f"{server.url}/train?show=New+run")
        expect(host.get_by_text("Start training")).to_be_visible(timeout=1000 * PATIENCE)
        for context in browser.contexts:
            context.close()
