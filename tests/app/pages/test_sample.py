"""The page Sample: the chain, what-ifs, samples of one's own, pins and links."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pytest
from streamlit.testing.v1 import AppTest

import cl_core as cl
from app.base.escaped_text import plain
from app.base.theme import LIGHT
from app.data.answer_client import RoutedPrediction
from app.figures.routing_diagram import routing_diagram
from app.sample.explanation import formulas, story
from app.sample.nearest import summary
from app.sample.what_ifs import WhatIfChoice, describe, reasons
from cl_core.recipes.named import RECIPES
from cl_core.runs.workspace import Workspace
from tests.app.conftest import Open
from tests.patience import PATIENCE
from tests.remade_runs import bundled
from tests.small_runs import SMALL


@pytest.fixture
def one_adapter(tiny: Path, tmp_path: Path) -> Path:
    """A workspace with a run that keeps one adapter for all tasks."""
    options = {**SMALL, "backbone": str(tiny), "epochs": 1, "device": "cpu", "workspace": tmp_path}
    cl.run("domains-dil", "sequential", name="one", **options)
    return tmp_path


def html(page: AppTest) -> str:
    """All HTML of the page's body."""
    return " ".join(element.body for element in page.get("html"))


def what_if(page: AppTest) -> str:
    """The line that says what is asked; empty where nothing is."""
    return next((element.body for element in page.get("html") if "What if: " in element.body), "")


def test_it_shows_the_sample_its_truth_and_the_answer_on_record(
    open_page: Open, small_workspace: Path
) -> None:
    page = open_page("sample", run="dam")
    box = page.selectbox(key="sample")
    run = Workspace(small_workspace).find("dam")
    records = run.table("routing")
    last = records.filter(pc.equal(records["stage"], 3))
    (record,) = last.filter(pc.equal(last["sample_id"], box.value)).to_pylist()
    space = run.config.label_space
    assert f">{space[record['label']]}</div>" in html(page)
    verdict = "✓ right" if record["correct"] else "✗ wrong"
    assert f">{space[record['prediction']]} {verdict}</div>" in html(page)
    assert not page.error


def test_a_what_if_says_what_it_is_and_can_be_taken_back(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    assert ">this run</td>" in html(page)
    page.segmented_control(key="k").set_value(3).run()
    assert ">What if: k = 3: " in what_if(page)
    assert ">this run</td>" not in html(page), "the table has what the what-if predicts"
    assert ">k = 3</td>" in html(page)
    page.multiselect(key="drop").set_value(["2 films"]).run()
    assert "k = 3, without 2 films" in what_if(page)
    (back,) = [button for button in page.button if button.label == "As in the run"]
    back.click().run()
    assert what_if(page) == ""


def test_k_and_temperature_rest_while_the_router_is_not_asked(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    page.selectbox(key="by").set_value("uniform").run()
    assert page.segmented_control(key="k").disabled
    assert page.pills(key="t").disabled
    assert "What if: uniform" in what_if(page)


def test_the_oracle_is_the_samples_own_task(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    page.selectbox(key="by").set_value("the true task").run()
    sample_id = page.selectbox(key="sample").value.split("/")[0]
    assert sample_id in what_if(page)


def test_l2r_has_no_k_and_shows_its_blocks(open_page: Open) -> None:
    page = open_page("sample", run="l2r")
    assert page.segmented_control(key="k").disabled
    assert any(
        "its routers weigh all adapters in every block" in element.value for element in page.caption
    )
    assert "Which adapters each block uses" in [element.value for element in page.header]


def test_a_text_of_ones_own_is_data_not_markup(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    page.segmented_control(key="from").set_value("my own").run()
    page.text_area(key="own").set_value("<b>cold</b> soup & $x$").run()
    assert "&lt;b&gt;cold&lt;/b&gt; soup &amp; $x$" in html(page)
    assert "<b>cold</b>" not in html(page)
    assert not page.error


def test_a_filter_lists_its_samples_and_shows_the_first(
    open_page: Open, small_workspace: Path
) -> None:
    page = open_page("sample", run="dam")
    records = Workspace(small_workspace).find("dam").table("routing")
    last = records.filter(pc.equal(records["stage"], 3))
    wrong = last.filter(pc.invert(last["correct"]))["sample_id"].to_pylist()
    assert len(page.selectbox(key="sample").options) == last.num_rows
    page.selectbox(key="only").set_value("wrong predictions").run()
    assert list(page.selectbox(key="sample").options) == wrong
    assert page.selectbox(key="sample").value == wrong[0]


def test_a_recipe_with_one_adapter_says_that_there_is_nothing_to_choose(
    open_page: Open, one_adapter: Path
) -> None:
    page = open_page("sample", run="one", workspace=one_adapter)
    assert page.selectbox(key="by").disabled
    labels = {page.segmented_control(key="k").label, page.pills(key="t").label}
    assert labels == {"Adapters kept, k", "Temperature τ"}, "the run has neither"
    assert any("there is nothing to choose" in element.value for element in page.caption)
    assert "As in the run: one adapter for all tasks." in html(page)
    (browsed,) = [table.value for table in page.dataframe if "adapter" in table.value]
    assert set(browsed["adapter"]) == {"of all tasks"}
    figures = [element.proto.spec for element in page.get("plotly_chart")]
    assert any("1.00" in figure for figure in figures)
    assert not any("T1" in figure for figure in figures), "it is no task's"
    # What it says is the run's answer: there are no two voices that could disagree.
    assert "Each adapter alone" not in [element.value for element in page.header]
    assert "correct?" not in html(page)
    page = open_page("routing", run="one", workspace=one_adapter)
    assert "there is no route to choose" in page.markdown[-1].value


def test_a_pin_stays_while_another_sample_is_looked_at(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    first = page.selectbox(key="sample").value
    (pin,) = [button for button in page.button if button.label == "Pin this sample"]
    pin.click().run()
    (forward,) = [button for button in page.button if button.key == "step1"]
    forward.click().run()
    assert page.selectbox(key="sample").value != first
    assert [element["sample"] for element in page.session_state["pinned"]] == [{"id": first}]
    assert not page.exception


def nearest_table(page: AppTest) -> pd.DataFrame:
    """The list of training samples."""
    (table,) = [element.value for element in page.dataframe if "cosine" in element.value.columns]
    return table


def test_the_nearest_training_samples_are_shown_with_task_label_and_text(
    open_page: Open, small_workspace: Path
) -> None:
    page = open_page("sample", run="dam")
    assert "Which training samples are nearest?" in [element.value for element in page.header]
    table = nearest_table(page)
    assert len(table) == 5
    assert list(table["cosine"]) == sorted(table["cosine"], reverse=True)
    assert table["cosine"].between(-1, 1.000001).all()
    config = Workspace(small_workspace).find("dam").config
    tasks = {f"{index + 1} {task.name}": task for index, task in enumerate(config.tasks)}
    for row_id, row in table.iterrows():
        assert str(row_id).startswith(f"{tasks[row['task']].name}/train/")
        assert row["label"] in tasks[row["task"]].label_names
        assert len(row["sample"]) > 10
    assert f">{summary(table['task'].tolist())}<" in html(page)
    page.segmented_control(key="near").set_value(10).run()
    assert len(nearest_table(page)) == 10


def test_a_text_that_was_learnt_from_is_nearest_to_itself(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    first_row = nearest_table(page).iloc[0]
    page.segmented_control(key="from").set_value("my own").run()
    page.text_area(key="own").set_value(first_row["sample"]).run()
    table = nearest_table(page)
    assert table["cosine"].iloc[0] == pytest.approx(1, abs=1e-4)
    assert first_row["sample"] in list(table["sample"][table["cosine"] > 0.9999])


def test_training_samples_of_later_tasks_are_not_shown(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    page.select_slider(key="after").set_value("1 restaurants").run()
    assert set(nearest_table(page)["task"]) == {"1 restaurants"}


def test_the_stage_moves_everything_under_it(open_page: Open) -> None:
    page = open_page("sample", run="dam")
    page.select_slider(key="after").set_value("1 restaurants").run()
    assert not page.exception
    assert "As in the run: 1.00 T1." in html(page)
    by_adapter = [
        element.value for element in page.dataframe if element.value.index.name == "adapter"
    ]
    assert [table.index.tolist() for table in by_adapter] == [["1 restaurants"]]
    assert page.multiselect(key="drop").options == ["1 restaurants"]
    assert not any("2 films" in option for option in page.selectbox(key="by").options)
    sources = [element.value for element in page.caption if "run dam" in element.value]
    assert sources
    assert all("stage 1" in source for source in sources)
    listed = {sample_id.split("/")[0] for sample_id in page.selectbox(key="sample").options}
    assert listed == {"restaurants"}, "others were not routed yet"


def test_a_sample_of_ones_own_is_of_a_task_that_was_learnt_by_the_stage(open_page: Open) -> None:
    page = open_page("sample", ws="Demonstration", run="adapters")
    page.select_slider(key="after").set_value("2 films").run()
    page.segmented_control(key="from").set_value("my own").run()
    page.text_area(key="own").set_value("a dull film").run()
    assert page.selectbox(key="as").options == ["1 restaurants", "2 films"]


def test_without_stored_features_it_says_what_makes_them(
    open_page: Open, one_adapter: Path
) -> None:
    page = open_page("sample", run="one", workspace=one_adapter)
    assert any(
        "No features of this run's training samples" in element.value for element in page.caption
    )


def test_training_clips_are_looked_up_when_asked_for(open_page: Open) -> None:
    """What-ifs would wait for them: every clip of the stream is drawn anew."""
    page = open_page("sample", ws="Demonstration", run="clips-dam")
    assert not [element for element in page.dataframe if "cosine" in element.value.columns]
    page.toggle(key="look_up").set_value(True).run(timeout=PATIENCE)
    table = nearest_table(page)
    assert len(table) == 5
    assert table["picture"].str.startswith("data:image/png;base64,").all()


def test_nearest_rows_in_words() -> None:
    assert (
        summary(["2 films", "2 films", "3 news"])
        == "2 of the 3 nearest are of 2 films, 1 of 3 news."
    )
    assert summary(["2 films"]) == "The nearest is of 2 films."


def test_an_unknown_sample_in_a_link_is_said_and_another_shown(open_page: Open) -> None:
    page = open_page("forgetting", run="dam")
    page.query_params["sample"] = "films/test/123456"
    page.switch_page("../pages/sample.py").run()
    assert page.warning[0].value.startswith(plain("'films/test/123456' was not scored"))
    assert not page.exception


def test_without_a_run_it_says_what_to_do(open_page: Open, tmp_path: Path) -> None:
    page = open_page("sample", workspace=tmp_path)
    assert "No run has been scored here yet." in page.markdown[-1].value


def test_what_ifs_in_words() -> None:
    names = ["restaurants", "films"]
    assert describe({"k": 3, "temperature": 0.1}, names) == "k = 3, τ = 0.1"
    assert describe({"force": "films"}, names) == "only 2 films"


@pytest.mark.parametrize(("run", "closed"), [("dam", set()), ("l2r", {"k", "t"})])
def test_controls_that_a_recipe_has_no_place_for_say_why(
    small_workspace: Path, run: str, closed: set[str]
) -> None:
    assert set(reasons(Workspace(small_workspace).find(run).config)) == closed


@pytest.mark.parametrize("name", RECIPES)
def test_only_what_weighs_by_a_softmax_is_explained_with_one(name: str) -> None:
    recipe = RECIPES[name]
    config = bundled("dam").model_copy(update={"recipe": recipe})
    answer = RoutedPrediction("x", 0.7, (0.9, 0.1), (1.0, 0.0), ("x", "y"))
    as_in_run = WhatIfChoice({}, "")
    assert ("softmax" in story(config, answer, as_in_run)) == recipe.ranks
    assert ("tau" in formulas(config, as_in_run)) == recipe.ranks
    if not recipe.shares_adapter:
        assert plain(recipe.router.traits.explanation) in story(config, answer, as_in_run)
        for given in ({"uniform": True}, {"force": "films"}):  # the router has no say
            asked = WhatIfChoice(given, "what if")
            assert plain(recipe.router.traits.explanation) not in story(config, answer, asked)
            assert "softmax" not in story(config, answer, asked)


def test_words_of_a_merge() -> None:
    shares = [
        {"task": "b", "score": 0.9, "weight": 0.62, "alone": "x"},
        {"task": "a", "score": 0.8, "weight": 0.38, "alone": "y"},
        {"task": "c", "score": 0.1, "weight": 0.0, "alone": "y"},
    ]
    reply = {"prediction": "x", "confidence": 0.7, "per_block": None, "shares": shares}
    answer = RoutedPrediction.of(reply, ["a", "b", "c"])
    assert answer.words == "0.62 T2 + 0.38 T1"
    assert answer.alone == ("y", "x", "y")


def test_text_from_data_is_no_markup() -> None:
    assert plain("**a** <b> $x$ [l](u)") == r"\*\*a\*\* \<b\> \$x\$ \[l\]\(u\)"


@pytest.mark.parametrize("adapters", [1, 2, 12])
def test_the_chain_is_drawn_for_any_number_of_adapters(adapters: int) -> None:
    tasks = [f"{index + 1} <i>t</i>" for index in range(adapters)]
    weights = [1.0] + [0.0] * (adapters - 1)
    before = [1 / adapters] * adapters
    figure = routing_diagram(
        tasks, weights, LIGHT, answer="<b>x</b>", confidence=0.5, scores=before, before=before
    )
    boxes = [shape for shape in figure.layout.shapes if shape.line.dash is None]
    assert len(boxes) == 2  # the bar of the only weight, and its part of the merge
    said = " ".join(note.text for note in figure.layout.annotations)
    assert "&lt;b&gt;x&lt;/b&gt;" in said
    assert figure.layout.yaxis.ticktext[0] == "1 &lt;i&gt;t&lt;/i&gt;"
