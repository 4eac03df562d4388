"""The page Routing, and the arrays it is made of."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.base.outcomes import NOT_LEARNT
from app.base.theme import LIGHT
from app.data import routing_tables as tables
from app.data.routing_records import ONLY, RoutingRecords, keep, routed_at
from app.data.runs import DEMONSTRATION
from app.figures.bars import outcomes
from app.routing import setting_accuracy_section
from app.routing.routing_numbers import numbers
from cl_core.analysis.setting_accuracy import KIND, MOST, grid, inputs_of, read
from cl_core.evaluate.intervals import wilson
from cl_core.evaluate.records import routing_records
from cl_core.evaluate.reweighing import TEMPERATURES
from cl_core.reports.report import Report
from cl_core.runs.workspace import Workspace
from cl_core.store import key
from tests.app.conftest import Open
from tests.remade_runs import bundled


@pytest.fixture
def routed() -> RoutingRecords:
    """Four samples: right right, right wrong, wrong right, wrong wrong; the last of a held-out task."""
    return RoutingRecords(
        routing_records(
            stage=2,
            sample_ids=["a/test/0", "a/test/1", "b/test/0", "c/test/0"],
            true_task=[0, 0, 1, 2],
            weights=[[0.9, 0.1], [0.6, 0.4], [1.0, 0.0], [0.2, 0.8]],
            predictions=[0, 1, 1, 0],
            labels=[0, 0, 1, 1],
        )
    )


def test_outcomes_count_routes_and_answers(routed: RoutingRecords) -> None:
    assert tables.outcomes(routed, 3).tolist() == [[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_what_cannot_be_answered_yet_is_no_wrong_answer() -> None:
    """The demonstration's third task has other labels than the first two."""
    run = Workspace(DEMONSTRATION).find("dam")
    early, late = routed_at(run, 2), routed_at(run, 5)
    assert early is not None
    assert late is not None
    assert late.answerable.all()
    assert (early.answerable == (early.true < 2)).all()
    counts = tables.outcomes(early, 5)
    assert counts.sum(axis=1).tolist() == [60, 60, 0, 0, 0]
    assert set(early.true[keep(early, "wrong predictions")]) <= {0, 1}
    assert {early.verdict(index) for index in np.flatnonzero(early.true > 1)} == {NOT_LEARNT}
    crossed = outcomes(counts, ["a", "b", "c", "d", "e"], LIGHT).data[-1]
    assert list(crossed.y) == [2, 3, 4]
    assert "no right prediction could be made" in crossed.hovertemplate


def test_right_predictions_are_those_of_the_tasks_learnt(open_page: Open) -> None:
    page = open_page("routing", ws="Demonstration", run="dam")
    page.select_slider(key="after").set_value("2 films").run()
    route, _, despite, accuracy = page.metric
    early = routed_at(Workspace(DEMONSTRATION).find("dam"), 2)
    assert early is not None
    learnt = early.true < 2
    assert accuracy.value == f"{100 * early.right_prediction[learnt].mean():.1f} %"
    assert despite.value.endswith(f" of {(~early.right_route[learnt]).sum()}")
    for metric in (route, despite, accuracy):
        assert "of the 120 samples of the 2 tasks learnt" in metric.help
    tables = [frame.value for frame in page.dataframe]
    for name in ("entropy (nats)", "margin"):
        (by_sample,) = (table for table in tables if name in table.columns)
        assert list(by_sample.index) == list(np.array(early.ids)[learnt])
    (by_k,) = (table for table in tables if table.index.name == "k")
    assert by_k.index.tolist() == [1, 2]
    assert by_k["routing accuracy (%)"].tolist() == pytest.approx(
        [100 * early.right_route[learnt].mean()] * 2, abs=0.006
    )
    assert by_k["top-k recall (%)"][2] == 100, "both tasks have an adapter"
    sources = [caption.value for caption in page.caption if "run dam" in caption.value]
    assert len(sources) > 3
    assert all("stage 2" in source for source in sources)


def test_numbers_leave_out_what_has_no_adapter_yet_whatever_it_was_answered() -> None:
    """Ten samples of the two tasks learnt, and ten of a third, answered rightly by another task's adapter."""
    learnt = [(0, 0, 0)] * 3 + [(0, 0, 1)] + [(0, 1, 0)] * 2 + [(1, 1, 1)] * 2 + [(1, 0, 0)] * 2
    rows = learnt + [(2, 0, 1)] * 10
    routed = RoutingRecords(
        routing_records(
            stage=2,
            sample_ids=[f"{true}/test/{index}" for index, (true, *_) in enumerate(rows)],
            true_task=[true for true, *_ in rows],
            weights=[[0.2, 0.8] if chosen else [0.7, 0.3] for _, chosen, _ in rows],
            predictions=[answer for *_, answer in rows],
            labels=[1 if true else 0 for true, *_ in rows],
        )
    )
    config = bundled("dam")
    config = config.model_copy(
        update={
            "settings": config.settings.model_copy(
                update={"router": config.settings.router.model_copy(update={"k": 1})}
            )
        }
    )
    of, sure = "of the 10 samples of the 2 tasks learnt", "95 % interval"
    by_name = {name: (value, said) for name, value, said in numbers(config, routed, ["a", "b"])}
    assert {name: value for name, (value, _) in by_name.items()} == {
        "Routing accuracy": "60.0 %",
        "Top-1 recall": "60.0 %",
        "Right predictions despite a wrong route": "2 of 4",
        "Accuracy": "70.0 %",
    }
    for name, share, n in (
        ("Routing accuracy", 0.6, 10),
        ("Top-1 recall", 0.6, 10),
        ("Right predictions despite a wrong route", 0.5, 4),
        ("Accuracy", 0.7, 10),
    ):
        assert of in by_name[name][1]
        low, high = wilson(share, n)
        assert f"{sure} {100 * low:.1f} to {100 * high:.1f}, n = {n}" in by_name[name][1]


def test_a_held_out_task_is_a_row_of_its_own(routed: RoutingRecords) -> None:
    counts = tables.confusion(routed, 3)
    assert counts.tolist() == [[2, 0], [1, 0], [0, 1]]
    assert tables.row_shares(counts)[2].tolist() == [0.0, 100.0]


def test_usage_is_mean_weight_and_how_often_it_is_the_top_1_adapter(routed: RoutingRecords) -> None:
    mean, first = tables.usage(routed)
    assert mean == pytest.approx([67.5, 32.5], abs=1e-4)
    assert first.tolist() == [75.0, 25.0]


@pytest.mark.parametrize(
    ("only", "kept"), list(zip(ONLY, ([0, 1, 2, 3], [1, 3], [2, 3], [2], [1]), strict=True))
)
def test_filters(routed: RoutingRecords, only: str, kept: list[int]) -> None:
    assert keep(routed, only).tolist() == kept


def test_blocks_are_averaged_over_a_tasks_samples() -> None:
    table = routing_records(
        stage=1,
        sample_ids=["a/test/0", "a/test/1"],
        true_task=[0, 0],
        weights=[[0.5, 0.5]] * 2,
        predictions=[0, 0],
        labels=[0, 0],
        per_block=np.array([[[1.0, 0.0]], [[0.5, 0.5]]]),
    )
    means = tables.block_means(RoutingRecords(table), 0)
    assert means is not None
    assert means.tolist() == [[75.0, 25.0]]


def test_the_numbers_are_those_of_the_report(open_page: Open, small_workspace: Path) -> None:
    page = open_page("routing", run="dam")
    report = Report(Workspace(small_workspace).find("dam")).router
    assert page.metric[0].value == f"{100 * report['router_accuracy']:.1f} %"
    assert page.metric[1].value == f"{100 * report['top_k_recall']:.1f} %"


def test_every_share_of_samples_says_how_sure_it_is(open_page: Open, small_workspace: Path) -> None:
    page = open_page("routing", run="dam")
    assert all("95 % interval" in metric.help for metric in page.metric if "%" in metric.value)
    tables = [element.value for element in page.dataframe]
    shares = [table for table in tables if "share (%)" in table.columns]
    assert len(shares) == 2  # who got which adapter, and what became of it
    for table in shares:
        assert (table["share, 95 % from (%)"] <= table["share (%)"]).all()
        assert (table["share (%)"] <= table["share, 95 % to (%)"]).all()
    heads = {head for table in tables for head in table.columns}
    swept = ("top-1 adapter of", "routing accuracy", "top-k recall")
    assert {f"{line}, 95 % {end} (%)" for line in swept for end in ("from", "to")} <= heads
    samples = np.array([[6, 0, 3, 3], [0, 0, 0, 0]])
    for trace in outcomes(samples, ["1 a", "2 b"], LIGHT).data[:4]:
        assert "n = 12" in trace.customdata[0][1]
        assert trace.customdata[1][1] == ""


def test_the_boxes_do_what_a_click_on_a_cell_does(open_page: Open, small_workspace: Path) -> None:
    page = open_page("routing", run="dam")
    confusion = Report(Workspace(small_workspace).find("dam")).confusion
    row, column = (int(index) for index in np.unravel_index(confusion.argmax(), confusion.shape))
    page.selectbox(key="true").set_value(page.selectbox(key="true").options[row])
    page.selectbox(key="got").set_value(page.selectbox(key="got").options[column]).run()
    assert len(page.selectbox(key="one").options) == confusion[row, column]
    assert not page.exception


def test_l2r_shows_its_blocks_and_no_other_settings(open_page: Open) -> None:
    page = open_page("routing", run="l2r")
    titles = [element.value for element in page.header]
    assert "Which adapters does each block use?" in titles
    assert "What if k or the temperature were different?" not in titles


def test_accuracy_by_k_and_temperature_is_worked_out_where_it_is_asked_for(
    open_page: Open, small_workspace: Path, tmp_path: Path
) -> None:
    workspace_copy = shutil.copytree(small_workspace, tmp_path / "workspace")
    page = open_page("routing", run="dam", workspace=workspace_copy)
    page.select_slider(key="after").set_value("2 films").run()
    assert "Accuracy under other settings" in [header.value for header in page.header]
    assert accuracies(page) == []
    assert any(caption.value.startswith("24 scored samples, routed") for caption in page.caption)
    next(button for button in page.button if button.label == "Compute").click().run()
    assert not page.exception
    assert "Compute" not in [button.label for button in page.button], "it is being worked out"
    setting_accuracy_section.worker().settle(240)
    page.run()
    by_k, by_temperature = accuracies(page)
    assert by_k.index.tolist() == [1, 2]
    assert by_temperature.index.tolist() == list(TEMPERATURES)
    scores = Report(Workspace(workspace_copy).find("dam")).matrix[1, :2]
    for table, value in ((by_k, 2), (by_temperature, 0.01)):
        mean, low, high = table.loc[value]
        assert mean == pytest.approx(100 * scores.mean(), abs=0.006)
        assert low < mean < high
    # Whoever opens it later finds it, in the terminal too.
    again = open_page("routing", run="dam", workspace=workspace_copy)
    assert "Compute" in [button.label for button in again.button], "of the last stage there is none"
    again.select_slider(key="after").set_value("2 films").run()
    assert len(accuracies(again)) == 2
    run = Workspace(workspace_copy).find("dam")
    assert all(read((Workspace(workspace_copy),), run, 2, setting) for setting in grid(run, 2)[0])
    assert "Compute" not in [button.label for button in again.button]


def test_accuracy_under_other_settings_is_of_the_stage_shown(
    open_page: Open, small_workspace: Path, tmp_path: Path
) -> None:
    workspace = Workspace(shutil.copytree(small_workspace, tmp_path / "workspace"))
    run = workspace.find("dam")
    for setting in {*grid(run, 1)[0], *grid(run, 1)[1]}:
        inputs = inputs_of(run, 1, setting, MOST)
        answered = {"accuracy": [0.25], "samples": [12], "of": [12]}
        workspace.store.write(KIND, key(KIND, inputs), inputs, data=answered)
    page = open_page("routing", run="dam", workspace=workspace.root)
    assert accuracies(page) == []
    page.select_slider(key="after").set_value("1 restaurants").run()
    by_k, by_temperature = accuracies(page)
    assert by_k.index.tolist() == [1]
    assert {*by_k.iloc[:, 0], *by_temperature.iloc[:, 0]} == {25.0}
    sources = [caption.value for caption in page.caption if "run dam" in caption.value]
    assert all("stage 1" in source for source in sources)
    assert (
        len([source for source in sources if "12 scored samples, one seed, k = 1" in source]) == 1
    )


def accuracies(page: AppTest) -> list[pd.DataFrame]:
    """Tables of accuracy over a setting."""
    return [
        element.value
        for element in page.dataframe
        if element.value.columns[0].startswith("accuracy")
    ]


def test_what_weighs_otherwise_is_offered_no_accuracy_by_k(open_page: Open) -> None:
    page = open_page("routing", run="l2r")
    assert "Accuracy under other settings" not in [element.value for element in page.header]
    assert "Compute" not in [button.label for button in page.button]


def test_without_a_run_it_says_what_to_do(open_page: Open, tmp_path: Path) -> None:
    page = open_page("routing", workspace=tmp_path)
    assert "No run has been scored here yet." in page.markdown[-1].value
