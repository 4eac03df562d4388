"""What is exported are the run's numbers, with their sign and their unit, as files are read and not as they look."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cl_core.analysis.comparison import compare
from cl_core.analysis.comparison_formats import FORMATS as COMPARED
from cl_core.analysis.comparison_formats import as_dict
from cl_core.analysis.comparison_latex import best
from cl_core.evaluate.units import unit_of
from cl_core.reports.report import Report
from cl_core.reports.report_formats import FORMATS as REPORTED
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.remade_runs import remade

METRICS = ("average_accuracy", "forgetting", "backward_transfer")
UNITS = {"average_accuracy": "%", "forgetting": "points", "backward_transfer": "points"}


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, RunFolder]:
    """DAM, and one adapter for all tasks, which forgets."""
    workspace = Workspace(tmp_path)
    return {name: remade(workspace, name, name) for name in ("dam", "sequential")}


def test_a_comparison_exports_what_the_reports_say(runs: dict[str, RunFolder]) -> None:
    transfer = {name: Report(run).transfer for name, run in runs.items()}
    assert transfer["sequential"]["backward_transfer"] < 0 < transfer["sequential"]["forgetting"]
    comparison = compare(list(runs.values()), METRICS, against="sequential")
    rows = list(csv.DictReader(io.StringIO(COMPARED["csv"](comparison))))
    assert len(rows) == 6
    for row in rows:
        assert float(row["value"]) == pytest.approx(100 * transfer[row["run"]][row["metric"]])
        assert row["unit"] == UNITS[row["metric"]]
    gaps = {
        difference["metric"]: difference["mean"]
        for difference in as_dict(comparison)["differences"]
    }
    assert gaps == pytest.approx(
        {name: 100 * (transfer["dam"][name] - transfer["sequential"][name]) for name in METRICS}
    )


def test_the_best_of_a_column_is_the_lowest_where_lower_is_better(
    runs: dict[str, RunFolder],
) -> None:
    comparison = compare(list(runs.values()), METRICS)
    for metric in METRICS:
        (line_number,) = best(comparison.lines, metric)
        values = [line.summary(metric).mean for line in comparison.lines]  # type: ignore[union-attr]
        assert values[line_number] == (min if metric == "forgetting" else max)(values)


def test_lines_of_several_protocols_are_no_rivals(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    runs = [remade(workspace, of, of) for of in ("dam", "sequential", "l2r-wavg")]
    alike = compare(runs, METRICS)
    (line_number,) = best(alike.lines, "average_accuracy")
    easier = replace(alike.lines[line_number], protocol="til")
    lines = [easier if line is alike.lines[line_number] else line for line in alike.lines]
    mixed = replace(alike, lines=lines)
    (runner_up,) = best(mixed.lines, "average_accuracy")
    assert runner_up != line_number, "TIL's higher accuracy answers another question"
    for form in ("text", "markdown", "latex"):
        said = (
            "several protocols (TIL, CIL)" if lines[0] is easier else "several protocols (CIL, TIL)"
        )
        assert said.lower() in COMPARED[form](mixed).lower()
        assert "several protocols" not in COMPARED[form](alike).lower()


def test_a_reports_csv_is_of_shares_and_says_so(runs: dict[str, RunFolder]) -> None:
    report = Report(runs["sequential"])
    rows = list(csv.DictReader(io.StringIO(REPORTED["csv"](report))))
    assert {row["unit"] for row in rows} == {"share"}
    shown = np.full(report.matrix.shape, np.nan)
    for row in rows:
        if row["stage"] != "0":
            shown[int(row["stage"]) - 1, report.tasks.index(row["task"])] = float(row["value"])
    np.testing.assert_allclose(shown, report.matrix)


def test_a_reports_latex_has_sign_unit_and_escaped_names(runs: dict[str, RunFolder]) -> None:
    run = runs["sequential"]
    report = Report(run)
    text = REPORTED["latex"](report)
    assert re.search(r"begin\{tabular\}.*S\[table-format=\d+\.\d", text), "numbers stand in line"
    for name, wanted in (
        ("Average accuracy", rf"{100 * report.transfer['average_accuracy']:.1f}\,\%"),
        ("Forgetting", f"{100 * report.transfer['forgetting']:.1f} points"),
        ("Backward transfer", f"$-${-100 * report.transfer['backward_transfer']:.1f} points"),
    ):
        (said,) = re.findall(rf"{name} \$.*?\$: (.*?)[;.](?: |$)", text)
        assert said == wanted
        assert unit_of(name.lower().replace(" ", "_")).name in said.replace("\\", "")
    odd = run.config.tasks[0].model_copy(update={"name": "50%_of & all"})
    called = {run.config.tasks[0].name: odd.name}
    run.create(run.config.model_copy(update={"tasks": (odd, *run.config.tasks[1:])}))
    rows = pq.read_table(run.path / "scores.parquet")
    renamed = [{**row, "task": called.get(row["task"], row["task"])} for row in rows.to_pylist()]
    pq.write_table(pa.Table.from_pylist(renamed, rows.schema), run.path / "scores.parquet")
    named = REPORTED["latex"](Report(RunFolder(run.path)))
    assert named.count(r"50\%\_of \& all") == 2, "as a row and as a column"
    assert "50%_of" not in "".join(
        line for line in named.splitlines() if not line.startswith("%")
    ).replace("\\", "\\\\")
