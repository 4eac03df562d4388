"""Names, texts and addresses that would be markup, on every page: nothing of them is read as any."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from app.base.navigation import PAGES
from cl_core.runs.workspace import Workspace
from tests.app.conftest import ROOT
from tests.app.hostile_workspace import hostile_workspace
from tests.app.pages.test_navigation import turn_to
from tests.patience import PATIENCE

PAYLOAD = "![x](http://evil.example) <b>x</b> www.evil.example"
FOLDER = "![x](www.evil.example) <b>x<b>"
"""The same without what no folder can be called."""
LIVE = re.compile(r"http://evil|www\.evil|(?<!\\)\]\(|(?<!\\)<b>x")
LIVE_HTML = re.compile(r"<b>x|(href|src)=[^ >]*evil")
"""In HTML an address is a text like any other, where nothing leads to it."""
READ = ("body", "label", "help", "text", "content", "message", "caption")
"""Fields of Streamlit's messages that are Markdown, or HTML, where they are texts at all."""
AS_THEY_ARE = ("text", "code", "json", "arrow_data_frame", "selectbox", "multiselect")
"""Elements whose texts are shown as they are."""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Every name in it is a payload."""
    workspace = hostile_workspace(tmp_path / "workspace", PAYLOAD, FOLDER)
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(workspace.root))
    return workspace


def opened(**address: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
    test.query_params.update(address)
    test.run()
    return test


def strings(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a message with the name of its field."""
    match value:
        case str():
            yield field, value
        case dict():
            for inner, other in value.items():
                yield from strings(other, inner)
        case list():
            for other in value:
                yield from strings(other, field)


def live(test: AppTest) -> list[str]:
    """Whatever of the payloads is read as markup: in Markdown, in HTML, and by plotly, which reads tags."""
    shown = []
    for element in (*_elements(test.main), *_elements(test.sidebar)):
        kind = element.type
        message = MessageToDict(element.proto, preserving_proto_field_name=True)
        if kind == "plotly_chart":
            spec = json.loads(message.get("spec") or message["figure"]["spec"])
            shown += [text for _, text in strings(spec) if "<b>x" in text]
        elif kind not in AS_THEY_ARE:
            shown += [
                f"{kind}: {text}"
                for field, text in strings(message)
                if field in READ and (LIVE_HTML if kind == "html" else LIVE).search(text)
            ]
    return shown


def _elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            if getattr(child, "label", None) is not None and LIVE.search(str(child.label)):
                yield child
            yield from _elements(child)
        else:
            yield child


def _within(block: Any, kinds: tuple[str, ...]) -> Iterator[str]:
    """The kind of each element that lies in a container of one of these kinds."""
    for child in block.children.values():
        if hasattr(child, "children"):
            inside = [element.type for element in _elements(child)] if child.type in kinds else []
            yield from inside or _within(child, kinds)


def test_on_every_page_names_are_text(hostile: Workspace) -> None:
    page = opened(ws="Mine", run=FOLDER)
    assert not page.exception
    assert page.selectbox(key="run").value == FOLDER
    assert "evil" in str(page.main)
    assert live(page) == []
    closed: set[str] = set()
    for other in [entry.name for entry in PAGES]:
        turn_to(page, other)
        assert not page.exception, (other, page.exception)
        assert (other, live(page)) == (other, [])
        closed |= set(_within(page.main, ("popover", "expander")))
    assert closed >= {"markdown", "download_button", "number_input", "text_input"}, "menus are open"


def arrived(page: str, address: dict[str, str]) -> AppTest:
    """A page as a link leads to it; nothing may have failed on it."""
    given = {"ws": "Mine", **address}
    test = opened(**given)
    if page != "start":
        test.query_params.update(given)
        turn_to(test, page)
    assert not test.exception, test.exception
    return test


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("train", {"show": "Jobs", "job": "failed"}),
        ("train", {"show": "New run", "on": "domains-dil"}),
        ("stream", {"stream": "streams/bad.yaml"}),
        ("stream", {"stream": "streams/mine.yaml"}),
        ("start", {"run": "failed"}),
        ("settings", {}),
        *(("forgetting", {"run": run}) for run in (FOLDER, "failed", f"{FOLDER}2")),
        ("sample", {"run": FOLDER, "task": f"1 {PAYLOAD}"}),
        ("routing", {"run": FOLDER, "task": f"1 {PAYLOAD}", "after": "2"}),
    ],
)
def test_with_all_that_is_closed_opened(
    hostile: Workspace, page: str, address: dict[str, str]
) -> None:
    tasks = [{"name": "films", "path": f"{FOLDER}.csv", "kind": "text"}]
    (hostile.root / "streams" / f"{FOLDER}.csv").write_text(
        f"split,text,label,{PAYLOAD}\n"
        + "".join(
            f"{split},{PAYLOAD} {row},{PAYLOAD} {row % 2},x\n"
            for split in ("train", "validation", "test")
            for row in range(4)
        )
    )
    written = {"name": "mine", "protocol": "dil", "tasks": tasks}
    (hostile.root / "streams" / "mine.yaml").write_text(json.dumps(written))
    assert live(arrived(page, address)) == []


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("forgetting", {"run": PAYLOAD}),
        ("start", {"ws": PAYLOAD}),
        ("routing", {"run": "failed", "task": PAYLOAD}),
        ("map", {"run": "failed", "after": PAYLOAD}),
        ("stream", {"stream": PAYLOAD}),
        ("train", {"show": "Jobs", "job": PAYLOAD}),
        ("sample", {"run": "failed", "sample": PAYLOAD}),
    ],
)
def test_in_the_address_too(hostile: Workspace, page: str, address: dict[str, str]) -> None:
    assert live(arrived(page, address)) == []
