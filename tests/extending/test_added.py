"""A router, a baseline, a composition, an initialiser, a metric and an architecture, each added as its page of
docs/extending says: they are at home in the terminal and on every page, and nothing else is edited.

Here a package from outside adds them. `test_pages.py` carries out these tests once more in a copy of the checkout whose
own tables have the rows, where the page of the app is looked at too.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

import cl_core as cl
from app.base.escaped_text import plain
from cl_core import choices
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.sites import architecture
from cl_core.choices import Choice
from cl_core.cli import main
from cl_core.errors import UserError
from cl_core.recipes.recipe import Recipe
from cl_core.reports.report import Report
from cl_core.route import ROUTERS
from cl_core.runs.events import PhaseEvent, StartEvent
from cl_core.runs.workspace import Workspace
from tests.app.conftest import Open
from tests.extending.added import ANCHORED, INSIDE, SLOTS, TABLES, THEIRS
from tests.extending.documented import ROOT

pytestmark = pytest.mark.usefixtures("listed")
outside = pytest.mark.skipif(INSIDE, reason="rows of this checkout's own tables")
inside = pytest.mark.skipif(not INSIDE, reason="a page is added to the checkout alone")


def worst(workspace: Path) -> float:
    """The worst task of the run with the added router."""
    return Report(Workspace(workspace).find("theirs")).transfer["worst_task"]


def test_the_terminal_lists_them_and_says_what_goes_with_what() -> None:
    def terminal(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cl_core.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    slots = json.loads(terminal("recipes", "--json").stdout)["slots"]
    summaries = {choice["name"]: choice["summary"] for slot in slots.values() for choice in slot}
    assert {name: summaries[name] for name in SLOTS} == {
        name: TABLES[name][name].summary for name in SLOTS
    }
    refused = terminal("recipes", "dam", "--train", "anchor")
    assert refused.returncode != 0
    assert "nothing to choose with train: anchor, which keeps one adapter" in refused.stderr


@pytest.mark.parametrize("recipe", [THEIRS, ANCHORED], ids=lambda recipe: recipe.name)
def test_a_run_does_the_steps_that_its_plan_foretold(small_workspace: Path, recipe: Recipe) -> None:
    run = Workspace(small_workspace).find(recipe.name)
    events = run.events
    (steps,) = [event.steps for event in events if isinstance(event, StartEvent)]
    last = [event for event in events if isinstance(event, PhaseEvent)][-1]
    plan = recipe.plan(len(run.config.tasks), run.config.settings)
    assert steps == last.step == len(plan)
    assert run.table("scores").num_rows
    assert Report(run).transfer["worst_task"] == Report(run).matrix[-1].min()


def test_report_and_compare_have_the_number_without_being_told(
    small_workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*words: str) -> str:
        monkeypatch.setattr(
            "sys.argv", ["adapter-lab", *words, "--workspace", str(small_workspace)]
        )
        capsys.readouterr()
        with suppress(SystemExit):
            main()
        return capsys.readouterr().out

    number = worst(small_workspace)
    assert "Worst task" in said("report", "theirs")
    assert json.loads(said("report", "theirs", "--json"))["worst_task"] == number
    assert "Worst" in said("compare", "theirs", "anchored")
    lines = csv.DictReader(said("compare", "theirs", "anchored", "--format", "csv").splitlines())
    values = {line["run"]: line["value"] for line in lines if line["metric"] == "worst_task"}
    assert float(values["theirs"]) == pytest.approx(100 * number), "in per cent, as its head says"
    assert values.keys() == {"theirs", "anchored"}


def test_the_form_offers_them_and_shows_the_settings_that_they_read(open_page: Open) -> None:
    page = open_page("train", run="theirs")
    for slot in ("initialise", "train", "route", "compose"):
        box = page.selectbox(key=f"slot-{slot}")
        (name,) = set(box.options) & set(SLOTS)
        box.set_value(name).run()
        assert plain(TABLES[name][name].summary) in " ".join(
            element.value for element in page.markdown
        )
    page.selectbox(key="recipe").set_value("sequential").run()
    assert "Baselines" not in [tab.label for tab in page.tabs]
    page.selectbox(key="slot-train").set_value("anchor").run()
    assert "Baselines" in [tab.label for tab in page.tabs]
    assert not page.error


def test_a_sample_is_explained_in_the_words_of_their_rows(open_page: Open) -> None:
    page = open_page("sample", run="theirs")
    said = " ".join(element.value for element in page.markdown)
    for name in ("nearest", "total"):
        traits = TABLES[name][name].traits
        assert plain(traits.explanation) in said
        assert any(traits.formula in element.value for element in page.latex)
    assert plain(TABLES["nearest"]["centroid"].traits.explanation) not in said, "DAM's"
    assert page.segmented_control(key="k").disabled
    assert any("'nearest' makes no ranking" in element.value for element in page.caption)
    assert page.selectbox(key="how").value == "total"
    page.selectbox(key="by").set_value("uniform").run()
    said = " ".join(element.value for element in page.markdown)
    assert plain(TABLES["nearest"]["nearest"].traits.explanation) not in said
    assert plain(TABLES["total"]["total"].traits.explanation) in said
    page = open_page("sample", run="anchored")
    assert "keeps one adapter for all tasks" in " ".join(element.value for element in page.markdown)


def test_routing_forgetting_and_compare_show_them(open_page: Open, small_workspace: Path) -> None:
    page = open_page("routing", run="theirs")
    assert any(metric.label.endswith(" recall") for metric in page.metric)
    page = open_page("routing", run="anchored")
    assert "there is no route to choose" in page.markdown[-1].value
    page = open_page("forgetting", run="theirs")
    assert "Worst task" in [metric.label for metric in page.metric]
    page = open_page("compare", run="theirs")
    shown = page.dataframe[0].value["Worst task (%)"].tolist()
    assert f"{100 * worst(small_workspace):.1f}" in shown


def test_the_added_architecture_is_what_the_run_was_made_on(small_workspace: Path) -> None:
    settings = Workspace(small_workspace).find("theirs").config.settings.backbone
    backbone = load_backbone(settings, torch.device("cpu"))
    assert backbone.row == TABLES["camembert"]["camembert"]
    assert {site.sublayer for site in backbone.sites} == {"attention", "ffn"}


@inside
def test_the_added_page_is_in_the_navigation_and_says_how_right_each_adapter_is(
    open_page: Open, small_workspace: Path
) -> None:
    page = open_page("by_adapter", run="theirs")
    assert page.session_state["pages"]["by_adapter"].title == "By adapter"
    assert page.title[0].value == "How right are a task's predictions through each adapter?"
    assert [slider.key for slider in page.select_slider] == ["after"]
    records = Workspace(small_workspace).find("theirs").table("routing").to_pandas()
    last = records[records["stage"] == records["stage"].max()]
    heaviest = np.stack(last["weights"].tolist()).argmax(axis=1)
    shown = page.dataframe[0].value.to_numpy()
    for task, adapter in np.ndindex(shown.shape):
        cell = last[(last["true_task"] == task) & (heaviest == adapter)]
        assert shown[task, adapter] == pytest.approx(
            100 * cell["correct"].mean(), abs=0.01, nan_ok=True
        )
    assert not page.error


@outside
def test_without_their_code_a_run_is_looked_at_and_nothing_is_computed(
    open_page: Open, small_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traits = ROUTERS["nearest"].traits
    for table in choices._LISTS.values():
        own_rows = {name: row for name, row in table.items() if name not in TABLES}
        monkeypatch.setattr(table, "_rows", own_rows)
    recipe = Workspace(small_workspace).find("theirs").config.recipe
    assert "nearest" not in ROUTERS
    assert recipe.router.traits == traits
    with pytest.raises(UserError, match=r"code of 'nearest' \(my_package\.nearest_centroid:Near"):
        recipe.router.load()
    with pytest.raises(UserError, match="there is no 'nearest'"):
        recipe.check()
    with pytest.raises(UserError, match="'camembert' is not supported as a backbone"):
        architecture("camembert")
    page = open_page("routing", run="theirs")
    assert any(metric.label.endswith(" recall") for metric in page.metric)
    assert not page.error
    assert open_page("forgetting", run="theirs").metric


def test_a_name_is_given_once() -> None:
    with pytest.raises(UserError, match="there is a router 'nearest' already"):
        cl.register(
            Choice("nearest", "else:Else", "", "", ROUTERS["nearest"].traits, needs=("features",))
        )
    with pytest.raises(UserError, match="is no row"):
        cl.register("nearest")
