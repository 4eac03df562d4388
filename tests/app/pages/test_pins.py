"""What is pinned on the page Sample is in its address, and comes back with it."""

from __future__ import annotations

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from cl_core.runs.workspace import Workspace
from tests.app.conftest import Open
from tests.app.pages.test_states import said


def press(page: AppTest, label: str) -> None:
    """Presses the button, and has the page drawn."""
    (button,) = [element for element in page.button if element.label == label]
    button.click().run()
    assert not page.exception, page.exception


def listed(page: AppTest) -> list[str]:
    """The names beside the run's own answer."""
    (table,) = [element.value for element in page.dataframe if "this run" in element.value.index]
    return [str(name) for name in table.index if name != "this run"]


def scored(workspace: Path, run: str = "dam") -> list[str]:
    """Ids of the samples that a run was scored on."""
    return list(
        dict.fromkeys(Workspace(workspace).find(run).table("routing")["sample_id"].to_pylist())
    )


def follow(open_page: Open, pinned: list[str]) -> AppTest:
    """A link to the page with these pins, in a session that has none."""
    page = open_page("forgetting", run="dam")
    page.query_params["pin"] = pinned
    page.switch_page("../pages/sample.py").run()
    assert not page.exception, page.exception
    return page


def test_pinning_changes_the_address_and_unpinning_changes_it_back(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    sample_id = page.selectbox(key="sample").value
    page.segmented_control(key="k").set_value(3).run()
    assert page.button(key="unpin").disabled
    press(page, "Pin this sample")
    assert not page.button(key="unpin").disabled
    assert json.loads(page.query_params["pin"]) == {
        "told": sample_id.split("/")[0],
        "k": 3,
        "id": sample_id,
    }
    (link,) = [element.value for element in page.code if "/sample?" in element.value]
    assert "pin=%7B" in link
    press(page, "Pin this sample")
    assert any("pinned already" in element.value for element in page.error)
    press(page, "Unpin all")
    assert "pin" not in page.query_params


def test_a_link_restores_pins_with_their_what_ifs(open_page: Open, small_workspace: Path) -> None:
    one, two = scored(small_workspace)[:2]
    text = {"text": "The soup was cold", "drop": ["films"]}
    page = follow(
        open_page, [json.dumps({"id": one, "k": 3}), json.dumps({"id": two}), json.dumps(text)]
    )
    names = [f"{one[:28]}, k = 3", two[:28], "The soup was cold, without 2 films"]
    assert listed(page) == names
    assert [json.loads(element) for element in page.query_params["pin"]] == [
        {"k": 3, "id": one},
        {"id": two},
        {"drop": ["films"], **text},
    ]
    page.selectbox(key="run").set_value("l2r").run()
    assert "pin" not in page.query_params, "they are of the run that is shown"
    page.selectbox(key="run").set_value("dam").run()
    assert listed(page) == names
    assert len(page.query_params["pin"]) == 3


def test_what_an_address_pins_and_is_no_pin_is_left_out_and_said(
    open_page: Open, small_workspace: Path
) -> None:
    sample_id = scored(small_workspace)[0]
    forced = json.dumps({"id": sample_id, "force": "gone"})
    page = follow(
        open_page,
        ["[" * 9999, forced, json.dumps({"id": "gone/test/1"}), json.dumps({"id": sample_id})],
    )
    assert listed(page) == [sample_id[:28]]
    assert "Some of what the address pins cannot be read" in said(page)
    assert "The pinned gone/test/1 has no prediction here" in said(page).replace("\\", "")


def test_a_pin_of_a_task_that_is_not_learnt_yet_is_answered_by_those_that_are(
    open_page: Open, small_workspace: Path
) -> None:
    later = scored(small_workspace)[-1]
    page = follow(open_page, [json.dumps({"told": later.split("/")[0], "id": later})])
    page.select_slider(key="after").set_value("1 restaurants").run()
    assert listed(page) == [later[:28]]
    assert "has no prediction here" not in said(page)


def test_a_recipe_that_is_told_the_task_is_told_none_that_is_not_learnt_yet(
    open_page: Open,
) -> None:
    page = open_page("forgetting", ws="Demonstration", run="adapters")
    page.query_params["pin"] = [json.dumps({"told": "travel", "text": "a dull train"})]
    page.switch_page("../pages/sample.py").run()
    page.select_slider(key="after").set_value("2 films").run()
    (warning,) = [element.value for element in page.warning]
    assert "must be told the true task, one of restaurants, films " in warning
