"""Forgetting & transfer, as a visitor meets it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.base.escaped_text import plain
from app.base.theme import LIGHT
from app.data import answer_client
from app.data.routing_records import last_routed
from app.data.runs import DEMONSTRATION
from app.data.view import View
from app.forgetting import exports
from app.forgetting.oracle_gap_section import read_oracle_gap
from cl_core.errors import UserError
from cl_core.evaluate.oracle_gap import summarise_losses
from cl_core.reports.report import Report
from cl_core.reports.report_formats import number
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.app.conftest import Open
from tests.app.pages.test_clicks import click, handed_over
from tests.patience import PATIENCE


def test_the_numbers_are_those_of_the_report(open_page: Open) -> None:
    page = open_page("forgetting", run="dam")
    assert [metric.label for metric in page.metric] == [
        "Average accuracy",
        "Forgetting",
        "Backward transfer",
    ]
    assert page.metric[0].value.endswith("%")
    assert all(metric.value.endswith(" points") for metric in page.metric[1:])


def test_the_stage_moves_every_number(open_page: Open) -> None:
    page = open_page("forgetting", ws="Demonstration", run="dam")
    report = Report(Workspace(DEMONSTRATION).find("dam"))
    page.select_slider(key="after").set_value(page.select_slider(key="after").options[1]).run()
    assert not page.exception
    early_scores = report.matrix[:2, :2]
    shown = dict(
        zip(("average_accuracy", "forgetting", "backward_transfer"), page.metric, strict=False)
    )
    assert shown["average_accuracy"].value == f"{100 * early_scores[1].mean():.1f} %"
    assert shown["forgetting"].value == number(
        "forgetting", early_scores[0, 0] - early_scores[1, 0]
    )
    assert shown["backward_transfer"].value == number(
        "backward_transfer", early_scores[1, 0] - early_scores[0, 0]
    )
    assert "95 % interval" in shown["average_accuracy"].help
    assert "the 2 tasks learnt" in shown["average_accuracy"].help
    sources = [element.value for element in page.caption if element.value.startswith("run dam")]
    assert sources
    assert all("stage 2" in source for source in sources)
    boxes = {box.label: box.options for box in page.selectbox}
    assert boxes["Samples of"] == boxes["Stage"] == ["1 restaurants", "2 films"]
    lost_on_average = losses_said(page)
    explained = read_oracle_gap(Workspace(DEMONSTRATION).find("dam"))
    assert explained is not None
    assert lost_on_average == {
        "routing": number_of_points(explained.lost.routing[1]),
        "merging": number_of_points(explained.lost.merging[1]),
    }
    tables = [element.value for element in page.dataframe if element.value.index.nlevels == 2]
    last = page.select_slider(key="after").options[2]
    assert all(last not in table.index.get_level_values(0) for table in tables)
    lost = [table for table in (element.value for element in page.dataframe) if is_lost(table)]
    assert len(lost) == 2
    for table in lost:
        assert table.iloc[:2].notna().any(axis=1).all()
        assert table.iloc[2:].isna().all(axis=None)
    page.select_slider(key="after").set_value(page.select_slider(key="after").options[0]).run()
    assert page.metric[0].value == f"{100 * report.matrix[0, 0]:.1f} %"
    assert [metric.value for metric in page.metric[1:3]] == ["not defined", "not defined"]
    assert "one task has been learnt" in page.metric[1].help


def test_what_is_not_defined_names_the_field_that_would_define_it(open_page: Open) -> None:
    page = open_page("forgetting")
    said = [*(element.value for element in page.caption), *(m.help for m in page.metric)]
    (why,) = [text for text in said if "not learnt yet" in text and "Forward" in text]
    assert plain("'unseen' set to true on Train") in why
    assert not [text for text in said if plain("--set") in text]


def test_what_improvising_brought_is_of_the_stage_shown(open_page: Open) -> None:
    page = open_page("forgetting", ws="Demonstration", run="i2i-ff")
    page.select_slider(key="after").set_value(page.select_slider(key="after").options[1]).run()
    after = Report(Workspace(DEMONSTRATION).find("i2i-ff")).improvised_after(2)
    shown = {metric.value for metric in page.metric}
    assert after
    assert {number(name, value) for name, value in after.items()} <= shown


def losses_said(page: AppTest) -> dict[str, str]:
    """What the figures of losses say to those who do not see them: points by what they were lost by."""
    said = " ".join(repr(getattr(element, "proto", "")) for element in page.main)
    return dict(re.findall(r"Lost by (\w+) against the oracle[^:]*: (\S+) points", said))


def number_of_points(losses: Sequence[float]) -> str:
    """Their mean over the tasks that were scored, without a minus before 0."""
    return f"{round(100 * float(np.nanmean(losses)), 1) + 0.0:.1f}"


def is_lost(table: pd.DataFrame) -> bool:
    """Whether it is of what routing or merging lost."""
    return "points; negative = lost" in table.columns[0]


def test_a_cell_of_a_later_stage_is_let_go_when_the_stage_is_moved(open_page: Open) -> None:
    page = open_page("forgetting", run="dam")
    last = page.selectbox(key="cell_after").options[-1]
    for key in ("cell_after", "cell_task"):
        page.selectbox(key=key).set_value(last)
    page.run()
    page.select_slider(key="after").set_value(page.select_slider(key="after").options[0]).run()
    assert not page.exception
    assert page.selectbox(key="cell_after").value is None


def test_the_split_that_was_scored_is_named(
    open_page: Open, small_workspace: Path, tmp_path: Path
) -> None:
    workspace_copy = shutil.copytree(small_workspace, tmp_path / "workspace")
    run = Workspace(workspace_copy).find("dam")
    evaluated = run.config.settings.evaluate.model_copy(update={"split": "validation"})
    settings = run.config.settings.model_copy(update={"evaluate": evaluated})
    run.create(run.config.model_copy(update={"settings": settings}))
    for name in ("forgetting", "routing"):
        page = open_page(name, run="dam", workspace=workspace_copy)
        said = " ".join(caption.value for caption in page.caption)
        assert "validation" in said
        assert "test samples" not in said
        assert "test samples" not in said


def test_tables_of_figures_carry_their_sign_and_unit(open_page: Open) -> None:
    page = open_page("forgetting", ws="Demonstration", run="dam")
    run = Workspace(DEMONSTRATION).find("dam")
    lost = summarise_losses(run.table("lost"), len(run.config.tasks))
    tables = [frame.value for frame in page.dataframe]
    signed = [table for table in tables if is_lost(table)]
    for table, values in zip(signed, (lost.routing, lost.merging), strict=True):
        assert np.allclose(table.to_numpy(), -100 * values, atol=0.006, equal_nan=True)
        assert table.index.name == "stage"
    units = {column[column.rindex("(") :] for table in tables for column in table.columns}
    assert units == {"(%)", "(points)", "(points; negative = lost)", "(samples)"}
    forgetting = next(metric for metric in page.metric if metric.label.startswith("Forgetting"))
    assert forgetting.value.endswith("points"), "a difference of per cent is points"


def test_without_a_run_it_says_what_to_do(open_page: Open, tmp_path: Path) -> None:
    page = open_page("forgetting", workspace=tmp_path)
    assert "No run has been scored here yet." in page.markdown[-1].value


@pytest.mark.usefixtures("beside_names_of_ours")
def test_what_was_lost_is_worked_out_where_it_is_asked_for(
    open_page: Open, small_workspace: Path, tmp_path: Path
) -> None:
    workspace_copy = shutil.copytree(small_workspace, tmp_path / "workspace")
    page = open_page("forgetting", run="dam", workspace=workspace_copy)
    button = next(element for element in page.button if element.label == "Compute")
    button.click().run(timeout=PATIENCE)
    assert not page.exception
    assert "Compute" not in [element.label for element in page.button]
    run = Workspace(workspace_copy).find("dam")
    rows = {(row["stage"], row["sample_id"]): row for row in run.table("lost").to_pylist()}
    last = page.selectbox(key="cell_after").options[-1]
    page.selectbox(key="cell_after").set_value(last)
    page.selectbox(key="cell_task").set_value(page.selectbox(key="cell_task").options[0]).run()
    listed = next(frame.value for frame in page.dataframe if "lost by" in frame.value.columns)
    assert len(listed) == sum(
        stage == 3 and row["true_task"] == 0 for (stage, _), row in rows.items()
    )
    for own_id, line in listed.iterrows():
        row = rows[3, own_id]
        assert line["true-task adapter alone"] == ("right" if row["own"] else "wrong")
        lost = line["lost by"].split(", ")
        assert ("routing" in lost) == (row["own"] > row["first"])
        assert ("gained by routing" in lost) == (row["own"] < row["first"])
        assert ("merging" in lost) == (row["first"] > row["run"])
        assert ("gained by merging" in lost) == (row["first"] < row["run"])


def test_the_run_can_be_taken_along(open_page: Open, small_workspace: Path) -> None:
    page = open_page("forgetting", run="dam")
    assert {"Report (HTML)", "LaTeX", "CSV"} <= {button.label for button in page.button}
    run = Workspace(small_workspace).find("dam")
    report = exports.report(View("Mine", run, 3, None, LIGHT, False))
    shown = [sample_id for sample_id in last_routed(run).ids if sample_id in report]
    texts = answer_client.lines(View("Mine", run, 3, None, LIGHT, False))
    assert shown
    assert all(escape(texts[shown_id][:60]) in report for shown_id in shown)


def test_the_report_is_of_the_run_that_is_there_when_it_is_asked_for(
    open_page: Open, small_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(view: View, sample: object) -> None:
        raise UserError("its data are not at hand")

    monkeypatch.setattr(answer_client, "shown", gone)
    workspace_copy = shutil.copytree(small_workspace, tmp_path / "workspace")
    runs = workspace_copy / "runs"
    page = open_page("forgetting", run="dam", workspace=workspace_copy)
    opened = View("Mine", Workspace(workspace_copy).find("dam"), 3, None, LIGHT, False)
    assert opened.run is not None
    assert opened.run.config.recipe.name == "dam"
    shutil.rmtree(runs / "dam")
    (runs / "l2r").rename(runs / "dam")
    for name, report in (
        handed_over(click(page, "take-Report (HTML)")),
        ("dam.html", exports.report(opened)),
    ):
        assert name == "dam.html"
        assert "<title>dam: l2r-wavg on" in report


def test_a_run_that_is_gone_is_answered_with_a_sentence(
    open_page: Open, small_workspace: Path, tmp_path: Path
) -> None:
    workspace_copy = shutil.copytree(small_workspace, tmp_path / "workspace")
    page = open_page("forgetting", run="dam", workspace=workspace_copy)
    opened = View("Mine", Workspace(workspace_copy).find("dam"), 3, None, LIGHT, False)
    shutil.rmtree(workspace_copy / "runs" / "dam")
    click(page, "take-Report (HTML)")
    said = [element.value for element in (*page.error, *page.toast, *page.warning)]
    assert any("nothing was done" in words for words in said)
    with pytest.raises(UserError, match="run 'dam' is no longer here"):
        exports.report(opened)


def test_a_run_that_changes_while_its_report_is_written_is_answered_with_a_sentence(
    open_page: Open, small_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_copy = shutil.copytree(small_workspace, tmp_path / "workspace")
    page = open_page("forgetting", run="dam", workspace=workspace_copy)

    def replaced(run: RunFolder, show: object) -> str:
        shutil.rmtree(run.path)
        shutil.copytree(run.path.parent / "l2r", run.path)
        return "of two runs"

    monkeypatch.setattr(exports, "run_report", replaced)
    click(page, "take-Report (HTML)")
    assert any("changed while its report was written" in error.value for error in page.error)
    assert not [element for element in page.get("html") if "atob" in element.proto.body]
