"""Settings, as a visitor meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import streamlit as st

from app import preferences
from app.citations import PAPERS
from cl_core.lab.workspace import Workspace
from cl_core.store import key

from .conftest import Open


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test sets, the next one begins without it; and nothing is measured too long ago."""
    monkeypatch.setenv(preferences.OFFLINE_VARIABLE, "0")
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def own(small_workspace: Path, tmp_path: Path) -> Path:
    """A workspace of the test's own, to change."""
    return shutil.copytree(small_workspace, tmp_path / "own")


def test_it_says_where_and_how_large_everything_is(open_page: Open, own: Path) -> None:
    page = open_page("settings", workspace=own)
    assert page.code[0].value == str(own.resolve())
    assert [metric.label for metric in page.metric] == ["All of it", "Runs", "Store", "Downloads"]
    assert {"store/adapter", "store/features", "runs"} <= set(page.dataframe[0].value["part"])


def test_what_no_run_needs_is_removed_after_a_confirmation(open_page: Open, own: Path) -> None:
    store = Workspace(own).store
    inputs = {"nobody": "needs this"}
    store.write("adapter", key("adapter", inputs), inputs, data={"filler": "x" * 200_000})
    page = open_page("settings", workspace=own)
    button = next(each for each in page.button if each.label == "Remove 0.2 MB")
    assert button.disabled
    page.checkbox(key="sure").check().run()
    next(each for each in page.button if each.label == "Remove 0.2 MB").click().run()
    assert not page.exception
    assert page.success[0].value.startswith("Removed 1 artifacts")
    assert not store.has("adapter", key("adapter", inputs))
    assert any("nothing to clean up" in each.value for each in page.caption)


def test_offline_holds_for_jobs_and_for_the_next_server(
    open_page: Open, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("settings", workspace=own)
    page.toggle(key="offline").set_value(True).run()
    assert preferences.offline()
    assert json.loads((own / preferences.FILE).read_text()) == {"offline": True}
    monkeypatch.setenv(preferences.OFFLINE_VARIABLE, "0")  # another server begins
    preferences.restore.clear()
    page = open_page("settings", workspace=own)
    assert preferences.offline()
    page.toggle(key="offline").set_value(False).run()
    assert not preferences.offline()


def test_the_text_size_goes_along_to_other_pages(open_page: Open, own: Path) -> None:
    page = open_page("settings", workspace=own)
    page.segmented_control(key="text").set_value("Large").run()
    page.switch_page("../pages/forgetting.py").run()
    assert any("font-size: 19px" in each.body for each in page.get("html"))


def test_diagnostics_name_versions_and_no_paths_of_data(open_page: Open, own: Path) -> None:
    page = open_page("settings", workspace=own)
    found = json.loads(next(each.value for each in page.code if '"environment"' in each.value))
    assert found["environment"]["packages"]["streamlit"]
    assert found["runs"][0]["status"] == "finished"


def test_each_paper_can_be_cited() -> None:
    numbers = {"DAM": "2403.08755", "L2R": "2408.09053", "I2I": "2304.02168"}
    for name, number in numbers.items():
        entry = PAPERS[name]
        assert f"eprint        = {{{number}}}" in entry
        assert entry.count("{") == entry.count("}")


def test_a_missing_workspace_is_no_error(open_page: Open, tmp_path: Path) -> None:
    page = open_page("settings", workspace=tmp_path / "none")
    assert not page.exception
    assert not (tmp_path / "none").exists()
