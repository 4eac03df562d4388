"""Text from outside stays text in a browser, which has the last word on what is a link, a picture or an icon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.app.hostile_workspace import hostile_workspace
from tests.browser.serving import Server
from tests.browser.visiting import Visitor

PAYLOAD = (
    "![a](http://evil.example/a.png) [b](http://evil.example/b) <img src=http://evil.example/c.png> "
    "<a href=http://evil.example/d>e</a> http://evil.example/f :material/skull: :smiley: $x^2$ :red[g] www.evil.example"
)
FOLDER = "![a](www.evil.example) <b>b<b> :material#skull: :smiley: $x^2$ :red[g]"
"""The same without what no folder can be called."""
LIVE = """() => [
  ...[...document.querySelectorAll('[href], [src]')].filter((element) =>
    new URL(element.getAttribute('href') ?? element.getAttribute('src'), document.baseURI).hostname.includes('evil')),
  ...document.querySelectorAll('.katex'),
  ...[...document.querySelectorAll('[data-testid="stIconMaterial"]')].filter((icon) => icon.textContent === 'skull'),
].map((element) => element.outerHTML)"""
"""What was made of it."""
SAID = """() => document.body.innerText.replaceAll('\\u2060', '')"""


@pytest.fixture(scope="module")
def visitor(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """At a lab whose every name is a payload."""
    folder = tmp_path_factory.mktemp("outside")
    workspace = hostile_workspace(folder / "workspace", PAYLOAD, FOLDER)
    with Server(workspace.root, folder / "server.log") as server:
        come = Visitor(browser, server.url)
        yield come
        come.leave()


@pytest.mark.parametrize(
    ("page", "address", "text"),
    [
        ("forgetting", {"run": FOLDER}, f"0 {PAYLOAD}"),
        ("forgetting", {"run": PAYLOAD}, PAYLOAD),
        ("train", {"show": "Jobs"}, PAYLOAD),
    ],
    ids=["names", "address", "message"],
)
def test_names_labels_messages_and_addresses_are_text(
    visitor: Visitor, page: str, address: dict[str, str], text: str
) -> None:
    visitor.go(page, ws="Mine", **address)
    said = visitor.page.evaluate(SAID)
    assert text in said
    assert "\N{SMILING FACE WITH OPEN MOUTH}" not in said
    assert visitor.page.evaluate(LIVE) == []
    assert visitor.faults == []
