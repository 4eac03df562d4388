"""A choice and a click straight after it: what is done is what was chosen, never what the page was drawn with.

A browser sends both before the page has been drawn anew, and so do these tests: nothing is run in between.
"""

from __future__ import annotations

import ast
import base64
import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.data import stream_files
from app.shell import uploads
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream_file import dump_stream
from cl_core.tasks.stream_loader import find_stream
from tests.app.conftest import ROOT, Open
from tests.app.pages.test_actions import modules
from tests.app.pages.test_pins import listed, scored


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception, page.exception
    return page


def handed_over(page: AppTest) -> tuple[str, str]:
    """Name and content of the file that the browser is given."""
    (script,) = [element.proto.body for element in page.get("html") if "atob" in element.proto.body]
    content, _, name = re.findall(r'atob\((".*?")\)|type: (".*?")|download = (".*?");', script)
    return json.loads(name[2]), base64.b64decode(json.loads(content[0])).decode()


def test_train_on_it_is_on_the_stream_that_was_chosen(open_page: Open) -> None:
    page = open_page("stream")
    page.selectbox(key="stream").set_value("scenes")
    assert click(page, "train-on-it").selectbox(key="on").value == "scenes"


def test_look_inside_is_inside_the_stream_that_was_chosen(open_page: Open) -> None:
    page = open_page("train")
    page.selectbox(key="on").set_value("scenes")
    assert click(page, "look-inside").selectbox(key="stream").value == "scenes"


def test_the_file_of_a_stream_is_of_the_one_that_was_chosen(open_page: Open) -> None:
    page = open_page("stream")
    page.selectbox(key="stream").set_value("digits")
    spec, _ = find_stream("digits")
    assert handed_over(click(page, "yaml-stream")) == ("digits.yaml", dump_stream(spec))
    page.run()
    assert not [element for element in page.get("html") if "atob" in element.proto.body]


@pytest.mark.parametrize("key", ["take-latex", "take-csv"])
def test_a_comparison_is_taken_along_with_the_columns_that_were_chosen(
    open_page: Open, key: str
) -> None:
    page = open_page("compare", run="dam")
    page.multiselect(key="columns").set_value(["forgetting"])
    name, content = handed_over(click(page, key))
    assert name.startswith("comparison.")
    assert re.search("forgetting", content, re.IGNORECASE)
    assert not re.search("average.accuracy", content, re.IGNORECASE)


def test_the_samples_behind_a_cell_lead_to_the_one_that_was_chosen(open_page: Open) -> None:
    page = open_page("routing", run="dam")
    page.selectbox(key="true").set_value("1 restaurants")
    for adapter in page.selectbox(key="got").options:
        page.selectbox(key="got").set_value(adapter).run()
        boxes = [box for box in page.selectbox if box.key == "one"]
        if boxes and len(boxes[0].options) > 1:
            break
    last = page.selectbox(key="one").options[-1]
    page.selectbox(key="one").set_value(last)
    assert click(page, "ask-one").selectbox(key="sample").value == last


def test_a_pin_is_of_the_sample_that_was_chosen_and_never_of_one_that_was_stepped_to_unseen(
    open_page: Open, small_workspace: Path
) -> None:
    page = open_page("sample", run="dam")
    chosen = scored(small_workspace)[3]
    page.selectbox(key="sample").set_value(chosen)
    assert listed(click(page, "pin")) == [chosen[:28]]
    page.button(key="step1").click()
    click(page, "pin")
    assert listed(page) == [chosen[:28]]
    assert any("nothing was done" in element.value for element in page.error)


def test_the_hub_is_asked_once_a_data_set_is_named_and_loaded_once_its_revision_is(
    open_page: Open, tmp_path: Path
) -> None:
    stream_files.begin_draft(Workspace(tmp_path), "begun", "cil")
    page = open_page("stream", workspace=tmp_path)
    page.selectbox(key="stream").set_value("streams/begun.yaml").run()
    page.segmented_control(key="add_from").set_value("Hub").run()
    assert "data set's name first" in click(page, "hub-ask").error[0].value
    page.text_input(key="hub-name").set_value("somebody/rows")
    assert "and its revision first" in click(page, "hub-load").error[0].value


def test_an_upload_is_found_again_until_it_is_added_or_forgotten(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    first = uploads.receive(workspace, "My rows.csv", b"text,label\n" + b"x,a\ny,b\n" * 20)
    second = uploads.receive(workspace, "others.csv", b"text,label\n" + b"x,a\nz,b\n" * 20)
    assert uploads.waiting(workspace) == [
        uploads.Upload(second, "others.csv"),
        uploads.Upload(first, "My rows.csv"),
    ]
    uploads.keep(workspace, first, "rows")
    uploads.forget(workspace, second)
    assert uploads.waiting(workspace) == []
    assert uploads.receive(workspace, "others.csv", second.read_bytes()) == second
    assert [upload.name for upload in uploads.waiting(workspace)] == ["others.csv"]


ALLOWED = {
    "download_button": {"app/shell/downloads.py": "for those who `hold` a file"},
    "hold": {
        "app/settings/archive.py": "its label says what is in the file",
        "app/shell/widgets.py": "of the figure above it, as it stands on the screen",
    },
    "popover": {
        "app/shell/frame.py": "a link to copy",
        "app/base/popovers.py": "closes them",
        "app/stream/stream_cards.py": "a list to read",
        "app/shell/widgets.py": "what belongs to a figure",
        "pages/map.py": "what is typed is on the map beside it at once",
    },
}
"""By what Streamlit calls it, the modules that may use it, and why."""


@pytest.mark.parametrize("name", ALLOWED)
def test_downloads_hold_what_is_chosen_and_popovers_close(name: str) -> None:
    stores = {
        str(file.relative_to(ROOT))
        for file in modules()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == name
    }
    assert stores == ALLOWED[name].keys()
