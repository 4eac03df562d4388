"""Settings, as a visitor meets them."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.base.escaped_text import plain
from app.settings import archive
from app.settings.citations import PAPERS
from app.shell import preferences
from cl_core.archive.prune import clean
from cl_core.runs.variables import DATA_ROOTS
from cl_core.runs.workspace import Workspace
from cl_core.store import key
from tests.app.conftest import Open


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test sets, the next one begins without it; and nothing is measured too long ago."""
    monkeypatch.setenv(preferences.OFFLINE_VARIABLE, "0")
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def workspace_copy(small_workspace: Path, tmp_path: Path) -> Path:
    """A workspace of the test's own, to change, without what other tests' pages left in the store."""
    copy = shutil.copytree(small_workspace, tmp_path / "own")
    clean(Workspace(copy))
    return copy


def test_it_says_where_and_how_large_everything_is(open_page: Open, workspace_copy: Path) -> None:
    page = open_page("settings", workspace=workspace_copy)
    assert page.code[0].value == str(workspace_copy.resolve())
    assert [metric.label for metric in page.metric] == ["Total", "Runs", "Store", "Downloads"]
    assert {"store/adapter", "store/features", "runs"} <= set(page.dataframe[0].value["part"])


def test_it_says_which_folders_may_be_named_and_how_to_allow_more(
    open_page: Open, workspace_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_ROOTS, str(tmp_path / "more"))
    page = open_page("settings", workspace=workspace_copy)
    listed = {code.value for code in page.code}
    assert {str(workspace_copy.resolve() / "data"), str((tmp_path / "more").resolve())} <= listed
    assert any(DATA_ROOTS in caption.value for caption in page.caption)


def test_what_no_run_needs_is_removed_after_a_confirmation(
    open_page: Open, workspace_copy: Path
) -> None:
    store = Workspace(workspace_copy).store
    inputs = {"nobody": "needs this"}
    store.write("adapter", key("adapter", inputs), inputs, data={"filler": "x" * 200_000})
    page = open_page("settings", workspace=workspace_copy)
    next(element for element in page.button if element.label == "Remove 0.2 MB").click().run()
    assert "tick the box" in page.error[0].value
    assert store.has("adapter", key("adapter", inputs))
    page.checkbox(key="sure").check().run()
    next(element for element in page.button if element.label == "Remove 0.2 MB").click().run()
    assert not page.exception
    assert page.success[0].value.startswith("Removed 1 artifact,")
    assert not store.has("adapter", key("adapter", inputs))
    assert any("nothing to clean up" in element.value for element in page.caption)


def test_nothing_is_offered_to_be_removed_while_a_run_cannot_say_what_it_needs(
    open_page: Open, workspace_copy: Path
) -> None:
    run = next(iter(Workspace(workspace_copy).runs()))
    (run.path / "artifacts.json").write_text("null")
    page = open_page("settings", workspace=workspace_copy)
    assert not page.exception
    said = plain(f"run '{run.name}': artifacts.json ")
    assert said in [element.value[: len(said)] for element in page.warning]
    assert not any(element.label.startswith("Remove ") for element in page.button)


def test_offline_holds_for_jobs_and_for_the_next_server(
    open_page: Open, workspace_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("settings", workspace=workspace_copy)
    page.toggle(key="offline").set_value(True).run()
    assert preferences.offline()
    assert json.loads((workspace_copy / preferences.FILE).read_text()) == {"offline": True}
    monkeypatch.setenv(preferences.OFFLINE_VARIABLE, "0")  # another server begins
    preferences.restore.clear()
    page = open_page("settings", workspace=workspace_copy)
    assert preferences.offline()
    page.toggle(key="offline").set_value(False).run()
    assert not preferences.offline()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("on", [True, False])
def test_a_disk_that_refuses_leaves_the_switch_as_it_was_and_says_why(
    open_page: Open, workspace_copy: Path, monkeypatch: pytest.MonkeyPatch, on: bool, number: int
) -> None:
    monkeypatch.setenv(preferences.OFFLINE_VARIABLE, "0" if on else "1")
    page = open_page("settings", workspace=workspace_copy)

    def refused(path: Path, _: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(preferences, "write_json", refused)
        page.toggle(key="offline").set_value(on).run()
    assert not page.exception
    said = {errno.ENOSPC: "no room left on the disk", errno.EROFS: "may only be read"}[number]
    (error,) = page.error
    assert said in error.value
    assert preferences.FILE.split(".")[0] in error.value
    assert preferences.offline() is not on
    assert page.toggle(key="offline").value is not on
    page.toggle(key="offline").set_value(on).run()
    assert not page.error
    assert preferences.offline() is on
    assert json.loads((workspace_copy / preferences.FILE).read_text()) == {"offline": on}


def test_the_text_size_goes_along_to_other_pages(open_page: Open, workspace_copy: Path) -> None:
    page = open_page("settings", workspace=workspace_copy)
    page.segmented_control(key="text").set_value("Large").run()
    page.switch_page("../pages/forgetting.py").run()
    assert any("font-size: 19px" in element.body for element in page.get("html"))


def test_diagnostics_name_versions_and_no_paths_of_data(
    open_page: Open, workspace_copy: Path
) -> None:
    page = open_page("settings", workspace=workspace_copy)
    diagnostics = json.loads(
        next(element.value for element in page.code if '"environment"' in element.value)
    )
    assert diagnostics["environment"]["packages"]["streamlit"]
    assert diagnostics["runs"][0]["status"] == "finished"
    backbone = Workspace(workspace_copy).find("dam").config.settings.backbone.name
    assert diagnostics["runs"][0]["backbone"] == Path(backbone).name != backbone


def test_each_paper_can_be_cited() -> None:
    numbers = {"DAM": "2403.08755", "L2R": "2408.09053", "I2I": "2304.02168"}
    for name, number in numbers.items():
        entry = PAPERS[name]
        assert f"eprint        = {{{number}}}" in entry
        assert entry.count("{") == entry.count("}")


def taken_in(page: AppTest, archive: Path) -> AppTest:
    """Settings after a zip has been taken in by its path."""
    page.text_input(key="take-in-path").set_value(str(archive)).run()
    next(element for element in page.button if element.label == "Import").click().run()
    assert not page.exception
    return page


def test_a_zip_of_chosen_runs_is_made_and_taken_in_elsewhere(
    open_page: Open, workspace_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("settings", workspace=workspace_copy)
    page.multiselect(key="pack").set_value(["l2r"]).run()
    assert not page.exception
    with archive.zipped(["l2r"]) as file:
        assert isinstance(file, io.BufferedReader)  # what Streamlit takes of a callable
        (tmp_path / "l2r.zip").write_bytes(file.read())
    monkeypatch.setenv(DATA_ROOTS, str(tmp_path))
    page = taken_in(open_page("settings", workspace=tmp_path / "new"), tmp_path / "l2r.zip")
    assert plain("1 new run: l2r") in page.success[0].value
    assert Workspace(tmp_path / "new").find("l2r").status == "finished"
    page = taken_in(page, tmp_path / "l2r.zip")
    assert plain("here already, and left as they were: l2r") in page.success[0].value


def test_a_zip_that_reaches_outside_is_refused_with_its_names(
    open_page: Open, workspace_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../<b>evil</b>.yaml", "x")
    monkeypatch.setenv(DATA_ROOTS, str(tmp_path))
    page = taken_in(open_page("settings", workspace=workspace_copy), tmp_path / "evil.zip")
    assert page.error[0].value == "Nothing was imported."
    assert any(
        "'../<b>evil</b>.yaml' would leave the folder" in element.value for element in page.text
    )
    page = taken_in(page, Path("/etc/passwd"))
    assert any("is not under a folder that may be read" in element.value for element in page.text)


def test_guests_neither_pack_nor_take_in(
    open_page: Open, workspace_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "is_guest", lambda: True)
    page = open_page("settings", workspace=workspace_copy)
    assert not [element for element in page.button if element.label == "Import"]
    assert any("Guests have read-only access" in element.value for element in page.caption)


def test_a_run_folder_that_is_dropped_in_appears(
    open_page: Open, small_workspace: Path, tmp_path: Path
) -> None:
    """Without the store it came from: what its folder holds is shown."""
    page = open_page("forgetting", workspace=tmp_path)
    assert "No run has been scored here yet." in page.markdown[-1].value
    shutil.copytree(small_workspace / "runs" / "dam", tmp_path / "runs" / "from elsewhere")
    page.run()
    assert list(page.selectbox(key="run").options) == ["from elsewhere"]
    assert not page.exception
    assert page.metric[0].value.endswith("%")


def test_a_folder_that_is_no_run_breaks_no_page(open_page: Open, workspace_copy: Path) -> None:
    for name, files in {
        "no settings": {"run.yaml": b"- 1", "scores.parquet": b""},
        "no scores": {
            "run.yaml": (workspace_copy / "runs/dam/run.yaml").read_bytes(),
            "scores.parquet": b"x",
        },
    }.items():
        (workspace_copy / "runs" / name).mkdir()
        for file, content in files.items():
            (workspace_copy / "runs" / name / file).write_bytes(content)
    page = open_page("settings", workspace=workspace_copy)
    assert {element.value for element in page.warning} == {
        f"{name} in `runs/` is no run that can be read." for name in ("no settings", "no scores")
    }
    assert set(page.selectbox(key="run").options) == {"dam", "l2r"}
    for other in ("train", "compare", "start"):
        page.switch_page(f"../pages/{other}.py").run()
        assert not page.exception


def test_a_run_that_cannot_be_read_is_not_said_to_be_absent(
    open_page: Open, workspace_copy: Path
) -> None:
    (workspace_copy / "runs/dam/scores.parquet").write_bytes(b"half of it")
    page = open_page("start", run="dam", workspace=workspace_copy)
    message, listed = [element.value for element in page.warning if "dam" in element.value]
    assert listed.startswith("dam is left out")
    assert message.startswith("The run dam cannot be read")
    assert "magic bytes" in message


def test_a_missing_workspace_is_no_error(open_page: Open, tmp_path: Path) -> None:
    page = open_page("settings", workspace=tmp_path / "none")
    assert not page.exception
    assert not (tmp_path / "none").exists()
