"""What the address says is what is shown: workspace, run, stage and highlighted task, from page to page."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.base.links import FORMER
from app.data.routing_records import ONLY
from app.figures.colour_modes import COLOURS
from app.sample.what_ifs import ALIKE
from cl_core.jobs.job import Outcome, Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from tests.app.conftest import ROOT, Open
from tests.patience import PATIENCE


@pytest.fixture
def follow(small_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """follow(ws="Mine", run="dam") -> the first page as a link in a new tab opens it."""

    def one(**address: str) -> AppTest:
        monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(small_workspace))
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
        test.query_params.update(address)
        return test.run()

    return one


def turn_to(page: AppTest, name: str) -> AppTest:
    """To another page, as a link in the page leads there: with what the address says."""
    page.switch_page(f"../pages/{name}.py").run()
    assert not page.exception, page.exception
    return page


def chosen(page: AppTest) -> tuple[str, str]:
    """Workspace and run."""
    return str(page.segmented_control(key="ws").value), str(page.selectbox(key="run").value)


def test_the_address_names_workspace_and_run_from_the_first_page_on(follow: Open) -> None:
    page = follow()
    workspace_name, run = chosen(page)
    assert page.query_params == {"ws": workspace_name, "run": run}


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("sample", {"by": "all alike", "only": "wrong answers"}),
        ("map", {"color": "Chosen adapter"}),
    ],
)
def test_a_link_from_before_an_option_was_renamed_leads_there(
    follow: Open, name: str, before: dict[str, str]
) -> None:
    page = follow(ws="Mine", run="dam", **before)
    page.query_params.update(before)
    page = turn_to(page, name)
    now = {key: FORMER[key][label] for key, label in before.items()}
    assert {key: page.selectbox(key=key).value for key in before} == now
    assert not page.warning


def test_renamed_options_are_options() -> None:
    assert set(FORMER["only"].values()) <= set(ONLY)
    assert set(FORMER["color"].values()) <= set(COLOURS)
    assert set(FORMER["by"].values()) <= {ALIKE}


def test_another_workspace_shows_a_run_of_its_own_without_a_warning(follow: Open) -> None:
    page = turn_to(follow(ws="Mine", run="l2r"), "forgetting")
    page.segmented_control(key="ws").set_value("Demonstration").run()
    assert not page.exception, page.exception
    assert not page.warning
    workspace_name, run = chosen(page)
    assert (workspace_name, run != "l2r") == ("Demonstration", True)
    assert page.query_params == {"ws": workspace_name, "run": run}
    page.segmented_control(key="ws").set_value("Mine").run()
    assert chosen(page)[0] == "Mine"
    assert not page.warning


def test_another_run_is_shown_whole_and_without_a_highlighted_task(follow: Open) -> None:
    page = turn_to(follow(ws="Mine", run="dam"), "forgetting")
    last = page.select_slider(key="after").value
    page.select_slider(key="after").set_value("1 restaurants").run()
    page.button_group(key="task").set_value("2 films").run()
    assert page.query_params["after"] == "1 restaurants"
    assert page.query_params["task"] == "2 films"
    page.selectbox(key="run").set_value("l2r").run()
    assert page.select_slider(key="after").value == last
    assert page.query_params == {"ws": "Mine", "run": "l2r"}


def test_a_stage_goes_along_with_its_run_over_pages_that_have_none(follow: Open) -> None:
    page = turn_to(follow(ws="Mine", run="dam"), "forgetting")
    page.select_slider(key="after").set_value("2 films").run()
    turn_to(page, "compare")
    assert "after" not in page.query_params
    page.query_params.clear()  # as the names in the sidebar lead to a page
    assert turn_to(page, "routing").select_slider(key="after").value == "2 films"


def test_a_link_restores_the_stage_and_the_task(follow: Open) -> None:
    page = follow(ws="Mine", run="dam", after="2 films", task="1 restaurants", lesson="true")
    page.query_params.update(after="2 films", task="1 restaurants")
    turn_to(page, "forgetting")
    assert page.select_slider(key="after").value == "2 films"
    assert page.button_group(key="task").value == "1 restaurants"
    assert page.toggle(key="lesson").value is True


def test_a_stage_that_a_run_does_not_have_is_said(follow: Open) -> None:
    page = follow(ws="Mine", run="dam", after="9 nothing")
    assert "no task 9 nothing" in page.warning[0].value


def test_the_address_is_obeyed_on_the_way_back(follow: Open) -> None:
    page = turn_to(follow(ws="Mine", run="dam"), "forgetting")
    page.selectbox(key="run").set_value("l2r").run()
    page.query_params.update(ws="Mine", run="dam")
    assert chosen(turn_to(page, "routing")) == ("Mine", "dam")


def test_a_run_is_found_in_whichever_workspace_it_is(follow: Open) -> None:
    assert chosen(follow(run="l2r")) == ("Mine", "l2r")
    assert chosen(follow(run="sequential")) == ("Demonstration", "sequential")


def test_stream_and_train_open_on_the_stream_of_the_run(follow: Open) -> None:
    page = turn_to(follow(ws="Mine", run="dam"), "stream")
    assert page.selectbox(key="stream").value == "domains-dil"
    assert turn_to(page, "train").selectbox(key="on").value == "domains-dil"
    page.selectbox(key="on").set_value("domains").run()
    assert turn_to(page, "stream").selectbox(key="stream").value == "domains-dil"
    assert turn_to(page, "train").selectbox(key="on").value == "domains"


def test_a_run_of_a_stream_with_knobs_shows_that_stream(follow: Open) -> None:
    page = turn_to(follow(ws="Demonstration", run="dam"), "stream")
    assert page.selectbox(key="stream").value == "domains:n=5"
    assert (
        sum("train" in element.value and "test" in element.value for element in page.markdown) == 5
    )
    assert turn_to(page, "train").selectbox(key="on").value == "domains:n=5"
    assert any("5 tasks" in element.value for element in page.markdown)


@pytest.mark.parametrize("label", ["domains:n=5", "domains:n=many", "domains:size=3"])
def test_a_link_may_name_a_stream_with_knobs_that_can_be(follow: Open, label: str) -> None:
    page = turn_to(follow(ws="Mine", run="dam"), "start")
    page.query_params["stream"] = label
    shown = turn_to(page, "stream")
    can_be = label == "domains:n=5"
    chosen = [box.value for box in shown.selectbox if box.key == "stream"]
    assert (chosen == [label]) == can_be, "no other one is shown in its place"
    assert any("no stream" in element.value for element in shown.warning) != can_be


def test_a_stream_that_is_not_here_is_said_and_not_another_ones_name(
    small_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follow: Open
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(small_workspace, moved)
    run = Workspace(moved).find("dam")
    elsewhere = {"stream": "/gone/odd.yaml", "stream_name": "odd"}
    run.create(run.config.model_copy(update=elsewhere))
    first = follow(ws="Mine", run="dam")
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(moved))
    page = turn_to(first, "stream")
    assert any("stream 'odd'" in element.value for element in page.caption)


def test_a_link_to_the_form_opens_the_form_whatever_was_shown_there(
    small_workspace: Path, tmp_path: Path, follow: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jobs, "wake", lambda self: None)
    job = Jobs(Workspace(small_workspace)).submit(
        Request(run="old", stream="domains-dil", recipe="dam")
    )
    try:
        job.begin()
        job.end(Outcome(state="failed", message="ValueError: odd"))
        page = turn_to(follow(ws="Mine", run="dam"), "train")
        page.segmented_control(key="show").set_value("Jobs").run()
        turn_to(page, "stream")
        page.button(key="train-on-it").click().run()
        assert page.segmented_control(key="show").value == "New run"
        assert page.selectbox(key="on").value == "domains-dil"
    finally:
        Jobs(Workspace(small_workspace)).remove(job)
