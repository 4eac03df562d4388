"""A router, a trainer, a composition, an initialiser and a number of somebody else's, each one file and one row of
`tests/others`: they are at home in the terminal and on every page, and nothing else is edited.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cl_core as cl
from app.base.escaped_text import plain
from app.data import answer_client
from cl_core import choices
from cl_core.choices import Choice
from cl_core.errors import UserError
from cl_core.evaluate.metric import Metric
from cl_core.recipes.recipe import Recipe
from cl_core.reports.report import Report
from cl_core.route import ROUTERS
from cl_core.runs.events import PhaseEvent, StartEvent
from cl_core.runs.workspace import Workspace
from tests.app.conftest import ROOT, Open
from tests.others.rows import rows
from tests.small_runs import SMALL

ROWS = {row.name: row for row in rows()}
NEAREST = Recipe(
    name="theirs", initialise="oldest", train="isolated", route="nearest", compose="total"
)
ANCHOR = Recipe(
    name="anchored", initialise="previous", train="anchor", route="uniform", compose="select"
)


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip writes down of a distribution that adds the rows."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{choices.GROUP}]\nothers = tests.others.rows:rows\n")
    return folder


@pytest.fixture(scope="module", autouse=True)
def listed(distribution: Path) -> Iterator[None]:
    """The rows are there, in this process and in those that it starts; afterwards they are not."""
    with pytest.MonkeyPatch.context() as patch:
        for table in choices._LISTS.values():
            patch.setattr(table, "_rows", {row.name: row for row in table.values()})
        cl.register(*rows())
        patch.setenv("PYTHONPATH", os.pathsep.join([str(distribution), str(ROOT)]))
        answer_client.worker.clear()
        yield
    answer_client.worker.clear()


@pytest.fixture(scope="module")
def others(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run of each of the two recipes."""
    root = tmp_path_factory.mktemp("others") / "workspace"
    options = {**SMALL, "backbone": str(tiny), "epochs": 1, "device": "cpu", "workspace": root}
    for recipe in (NEAREST, ANCHOR):
        cl.run("domains-dil", recipe, name=recipe.name, **options)
    return root


def test_the_terminal_lists_them_and_says_what_goes_with_what(
    distribution: Path, tmp_path: Path
) -> None:
    def terminal(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cl_core.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    slots = json.loads(terminal("recipes", "--json").stdout)["slots"]
    summaries = {choice["name"]: choice["summary"] for slot in slots.values() for choice in slot}
    for name, row in ROWS.items():
        assert isinstance(row, Metric) or summaries[name] == row.summary
    refused = terminal("recipes", "dam", "--train", "anchor")
    assert refused.returncode != 0
    assert "nothing to choose with train: anchor, which keeps one adapter" in refused.stderr


@pytest.mark.parametrize("recipe", [NEAREST, ANCHOR], ids=lambda recipe: recipe.name)
def test_a_run_does_the_steps_that_its_plan_foretold(others: Path, recipe: Recipe) -> None:
    run = Workspace(others).find(recipe.name)
    events = run.events
    (steps,) = [event.steps for event in events if isinstance(event, StartEvent)]
    last = [event for event in events if isinstance(event, PhaseEvent)][-1]
    plan = recipe.plan(len(run.config.tasks), run.config.settings)
    assert steps == last.step == len(plan)
    assert run.table("scores").num_rows
    assert Report(run).transfer["worst_task"] == Report(run).matrix[-1].min()


def test_the_form_offers_them_and_shows_the_settings_that_they_read(
    open_page: Open, others: Path
) -> None:
    page = open_page("train", run="theirs", workspace=others)
    for slot in ("initialise", "train", "route", "compose"):
        box = page.selectbox(key=f"slot-{slot}")
        name = next(name for name in box.options if name in ROWS)
        row = ROWS[name]
        assert isinstance(row, Choice)
        box.set_value(name).run()
        assert plain(row.summary) in " ".join(element.value for element in page.markdown)
    page.selectbox(key="recipe").set_value("sequential").run()
    assert "Baselines" not in [tab.label for tab in page.tabs]
    page.selectbox(key="slot-train").set_value("anchor").run()
    assert "Baselines" in [tab.label for tab in page.tabs]
    assert not page.error


def test_a_sample_is_explained_in_the_words_of_their_rows(open_page: Open, others: Path) -> None:
    page = open_page("sample", run="theirs", workspace=others)
    said = " ".join(element.value for element in page.markdown)
    for name in ("nearest", "total"):
        assert plain(ROWS[name].traits.explanation) in said
        assert any(ROWS[name].traits.formula in element.value for element in page.latex)
    assert "softmax" not in said
    assert page.segmented_control(key="k").disabled
    assert any("'nearest' makes no ranking" in element.value for element in page.caption)
    assert page.selectbox(key="how").value == "total"
    page.selectbox(key="by").set_value("uniform").run()
    said = " ".join(element.value for element in page.markdown)
    assert plain(ROWS["nearest"].traits.explanation) not in said
    assert plain(ROWS["total"].traits.explanation) in said
    page = open_page("sample", run="anchored", workspace=others)
    assert "keeps one adapter for all tasks" in " ".join(element.value for element in page.markdown)


def test_routing_forgetting_and_compare_show_them(open_page: Open, others: Path) -> None:
    page = open_page("routing", run="theirs", workspace=others)
    assert any(metric.label.endswith(" recall") for metric in page.metric)
    page = open_page("routing", run="anchored", workspace=others)
    assert "there is no route to choose" in page.markdown[-1].value
    page = open_page("forgetting", run="theirs", workspace=others)
    assert "Worst task" in [metric.label for metric in page.metric]
    page = open_page("compare", run="theirs", workspace=others)
    table = page.dataframe[0].value
    worst = Report(Workspace(others).find("theirs")).transfer["worst_task"]
    assert table["Worst task (%)"][0] == f"{100 * worst:.1f}"


def test_without_their_code_a_run_is_looked_at_and_nothing_is_computed(
    open_page: Open, others: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in choices._LISTS.values():
        own_rows = {name: row for name, row in table.items() if name not in ROWS}
        monkeypatch.setattr(table, "_rows", own_rows)
    recipe = Workspace(others).find("theirs").config.recipe
    assert "nearest" not in ROUTERS
    assert recipe.router.traits == ROWS["nearest"].traits
    with pytest.raises(UserError, match=r"code of 'nearest' \(tests\.others\.nearest:Near"):
        recipe.router.load()
    with pytest.raises(UserError, match="there is no 'nearest'"):
        recipe.check()
    page = open_page("routing", run="theirs", workspace=others)
    assert any(metric.label.endswith(" recall") for metric in page.metric)
    assert not page.error
    assert open_page("forgetting", run="theirs", workspace=others).metric


def test_a_name_is_given_once() -> None:
    with pytest.raises(UserError, match="there is a router 'nearest' already"):
        cl.register(
            Choice("nearest", "else:Else", "", "", ROWS["nearest"].traits, needs=("features",))
        )
    with pytest.raises(UserError, match="is no row"):
        cl.register("nearest")
