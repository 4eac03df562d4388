"""An address that names what is not here: the page says so, shows nothing in its place, and keeps the address."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import ROOT, Open
from tests.app.pages.test_navigation import chosen, turn_to
from tests.patience import PATIENCE


@pytest.fixture
def follow(small_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """follow("forgetting", ws="Mine", run="nope") -> that page, as a link in a new tab opens it."""

    def one(page: str = "start", workspace: Path = small_workspace, **address: str) -> AppTest:
        monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(workspace))
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
        test.query_params.update(address)
        test.run()
        if page != "start":
            test.query_params.update(address)
            turn_to(test, page)
        assert not test.exception, test.exception
        return test

    return one


def on_the_page(page: AppTest) -> list[str]:
    """Warnings of the page itself, not of the sidebar."""
    return [str(element.value).replace("\\", "") for element in page.main.warning]


def links(page: AppTest) -> dict[str, str]:
    """By label, what links of the page itself say."""
    return {
        element.proto.label: element.proto.query_string for element in page.main.get("page_link")
    }


@pytest.mark.parametrize("name", ["forgetting", "map", "routing", "sample"])
def test_an_unknown_run_is_said_and_no_other_is_shown(follow: Open, name: str) -> None:
    page = follow(name, ws="Mine", run="nope")
    (said,) = on_the_page(page)
    assert "There is no run nope in the workspace Mine. Choose one of these." in said
    assert page.title[0].value
    assert not page.metric
    assert not page.main.get("plotly_chart")
    assert page.selectbox(key="run").value is None
    assert page.query_params == {"ws": "Mine", "run": "nope"}
    assert links(page) == {"dam": "ws=Mine&run=dam", "l2r": "ws=Mine&run=l2r"}


def test_it_is_said_until_a_run_is_chosen(follow: Open) -> None:
    page = follow("forgetting", ws="Mine", run="nope")
    page.toggle(key="lesson").set_value(True).run()
    assert "no run nope" in on_the_page(page)[0]
    assert page.query_params["run"] == "nope"
    assert "no run nope" in on_the_page(turn_to(page, "routing"))[0]
    page.selectbox(key="run").set_value("l2r").run()
    assert not on_the_page(page)
    assert chosen(page) == ("Mine", "l2r")
    assert page.query_params["run"] == "l2r"


def test_a_run_that_is_removed_meanwhile_is_said(
    follow: Open, small_workspace: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_workspace, tmp_path / "own")
    page = follow("forgetting", workspace=tmp_path / "own", ws="Mine", run="dam")
    assert page.metric
    shutil.rmtree(tmp_path / "own" / "runs" / "dam")
    page.run()
    assert "no run dam" in on_the_page(page)[0]
    assert not page.metric
    assert page.query_params["run"] == "dam"


def test_an_unknown_workspace_is_said(follow: Open) -> None:
    page = follow("forgetting", ws="Nobody", run="dam")
    (said,) = on_the_page(page)
    assert "There is no workspace Nobody; there are Demonstration and Mine." in said
    assert not page.metric
    assert page.query_params == {"ws": "Nobody", "run": "dam"}
    page.segmented_control(key="ws").set_value("Mine").run()
    page.selectbox(key="run").set_value("dam").run()
    assert page.metric


@pytest.mark.parametrize("which", ["after", "task"])
def test_an_unknown_task_is_said(follow: Open, which: str) -> None:
    address = {"ws": "Mine", "run": "dam", which: "9 nothing"}
    page = follow("forgetting", **address)
    (said,) = on_the_page(page)
    assert "This run has no task 9 nothing." in said
    assert not page.metric
    assert page.query_params == address
    assert links(page)["2 films"] == f"ws=Mine&run=dam&{which}=2+films"
    page.toggle(key="lesson").set_value(True).run()
    assert page.query_params[which] == "9 nothing"
    page.query_params[which] = "2 films"
    page.run()
    assert page.metric
    assert page.query_params[which] == "2 films"


@pytest.mark.parametrize(
    ("name", "key", "there"),
    [("stream", "stream", "domains"), ("train", "on", "domains"), ("train", "job", "")],
)
def test_what_a_menu_of_the_page_does_not_have_is_said(
    follow: Open, name: str, key: str, there: str
) -> None:
    asked = {key: "streams/nope.yaml"} | ({"show": "Jobs"} if key == "job" else {})
    page = follow(name, ws="Mine", run="dam", **asked)
    for _ in range(2):
        (said,) = on_the_page(page)
        assert said.startswith("There is no ")
        assert "'streams/nope.yaml'" in said
        assert not [element for element in page.selectbox if element.key == key]
        assert page.query_params[key] == "streams/nope.yaml"
        page.toggle(key="lesson").set_value(True).run()
    if there:
        assert f"{key}={there}" in links(page)[there]
        page.query_params[key] = there
        page.run()
        assert not on_the_page(page)
        assert page.selectbox(key=key).value == there


def test_an_unknown_sample_is_said(follow: Open) -> None:
    page = follow("sample", ws="Mine", run="dam", sample="gone/test/1")
    for _ in range(2):
        (said,) = on_the_page(page)
        assert said.startswith("'gone/test/1' was not scored in this run. Choose one of these.")
        assert not [element for element in page.selectbox if element.key == "sample"]
        assert not page.main.get("plotly_chart")
        assert page.query_params["sample"] == "gone/test/1"
        page.toggle(key="lesson").set_value(True).run()
    first = next(label for label in links(page) if label.startswith("restaurants/"))
    page.query_params["sample"] = first
    page.run()
    assert not on_the_page(page)
    assert page.selectbox(key="sample").value == first
