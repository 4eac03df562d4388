"""Compare, as a visitor meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.base.theme import LIGHT
from app.compare import compared_runs
from app.figures import comparison_figures as figures
from cl_core.analysis.comparison import compare
from cl_core.evaluate.statistics import summarise
from cl_core.runs.workspace import Workspace
from tests.app.conftest import Open
from tests.remade_runs import remade


def test_the_runs_on_one_stream_are_chosen_and_stand_side_by_side(
    open_page: Open, small_workspace: Path
) -> None:
    page = open_page("compare", run="dam")
    quality, costs = page.dataframe[0].value, page.dataframe[1].value
    assert list(quality["recipe"]) == ["1 dam", "2 l2r-wavg"]
    assert set(quality["runs"]) == {"one seed"}
    comparison = compare([Workspace(small_workspace).find("dam")], ("average_accuracy",))
    mean = comparison.lines[0].summary("average_accuracy")
    assert mean is not None
    assert quality["Average accuracy (%)"][0] == f"{mean.mean:.1f}"
    assert float(costs["Stored parameters (thousands)"][0]) >= 0
    assert any("On a single run: 2 of 2 lines" in element.value for element in page.caption)


def test_differences_are_from_the_chosen_reference(open_page: Open) -> None:
    page = open_page("compare", run="dam")
    page.selectbox(key="against").set_value("dam").run()
    assert not page.exception
    assert "Paired differences to the reference" in [element.value for element in page.header]
    assert any("\\begin{tabular}" in element.value for element in page.code)


def test_those_shown_can_be_picked_from(open_page: Open) -> None:
    page = open_page("compare", run="dam")
    next(button for button in page.button if button.label == "Pick from these 2").click().run()
    assert page.multiselect(key="runs").value == ["Mine / dam", "Mine / l2r"]
    page.multiselect(key="runs").unselect("Mine / dam").run()
    assert list(page.dataframe[0].value["recipe"]) == ["1 l2r-wavg"]


def test_all_chosen_runs_count_and_the_told_stand_apart(open_page: Open, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    recipes = ("adapters", "dam", "l2r-wavg")
    for recipe in recipes:
        for seed in range(3):
            remade(workspace, recipe, f"{recipe}-{seed}", seed=seed)
    page = open_page("compare", run="dam-0", workspace=tmp_path)
    assert any(button.label == "Pick from these 9" for button in page.button)
    quality = page.dataframe[0].value
    assert list(quality["recipe"]) == ["1 dam", "2 l2r-wavg", "3 adapters †"]
    assert list(quality["runs"]) == ["3 runs"] * 3
    assert "(all equal)" in quality["Average accuracy (%)"][0]
    said = " ".join(element.value for element in page.caption)
    assert "told the true task" in said
    assert "head rule" in said
    (latex,) = (element.value for element in page.code if "tabular" in element.value)
    assert latex.count("S[table-format=") == 3
    page.multiselect(key="columns").set_value(["forgetting"]).run()
    (latex,) = (element.value for element in page.code if "tabular" in element.value)
    assert latex.count("S[table-format=") == 1, "at most the columns asked for"


def test_every_page_of_a_run_says_who_is_told_and_the_head_rule(open_page: Open) -> None:
    said = [
        element.value
        for element in open_page("forgetting", ws="Demonstration", run="adapters").caption
    ]
    assert "† told the true task; head rule: compose" in [
        element.replace("\\", "") for element in said
    ]


def test_an_empty_workspace_says_what_to_do(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.data.runs.DEMONSTRATION", tmp_path / "none")
    page = open_page("compare", workspace=tmp_path)
    assert "Nothing to compare yet" in page.markdown[-1].value


def test_a_lines_stages_are_means_over_the_tasks_seen(small_workspace: Path) -> None:
    run = Workspace(small_workspace).find("dam")
    line = compare([run], ("average_accuracy", "average_incremental")).lines[0]
    (stages,) = line.stages.values()
    (last,) = line.values["average_accuracy"].values()
    (over_stages,) = line.values["average_incremental"].values()
    assert stages[-1] == pytest.approx(last)
    assert sum(stages) / len(stages) == pytest.approx(over_stages)


def test_one_run_has_no_spread_and_several_have() -> None:
    assert compared_runs.cell(summarise([51.24]), "average_accuracy") == "51.2"
    assert compared_runs.cell(summarise([50.0, 52.0]), "average_accuracy") == "51.0 ± 1.4"
    assert compared_runs.cell(summarise([-0.01]), "forgetting") == "0.0"
    assert compared_runs.cell(summarise([2_500_000.0]), "stored_parameters") == "2,500.0"
    assert compared_runs.cell(None, "forgetting") == "-"


def test_who_is_told_the_task_has_open_marks_and_cut_intervals_are_not_symmetric() -> None:
    values = {"1 a": [99.0, 100.0, 98.0], "2 b †": [90.0, 90.0]}
    summaries = {name: summarise(run_values, (0, 100)) for name, run_values in values.items()}
    mean, _, told_mean, _ = figures.spread(values, summaries, LIGHT, "x").data
    assert mean.x[0] + mean.error_x.array[0] == pytest.approx(100)
    assert mean.error_x.arrayminus[0] > mean.error_x.array[0]
    assert told_mean.marker.symbol.endswith("-open")
    assert not mean.marker.symbol.endswith("-open")
    assert "the same in all 2 runs" in told_mean.hovertemplate


def test_a_single_run_is_one_mark_and_no_ring_beside_it() -> None:
    (mark,) = figures.spread({"1 a": [70.0]}, {"1 a": summarise([70.0])}, LIGHT, "x").data
    assert list(mark.x) == [70.0]


def test_the_band_of_the_stages_runs_from_the_least_to_the_most() -> None:
    figure = figures.stages({"1 a": [[50, 40], [60, 20]], "2 b": [[10, 20]]}, LIGHT)
    band, mean, single = figure.data
    assert list(band.y) == [60, 40, 20, 50]
    assert list(mean.y) == [55, 30]
    assert list(single.y) == [10, 20]
    assert figure.layout.yaxis.range[1] > 100, "the mark of 100 % is whole"
