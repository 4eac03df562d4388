"""The numbers of a run: of which rows and of which tasks they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.data.runs import DEMONSTRATION
from cl_core.evaluate.records import weights_of
from cl_core.evaluate.table import METRICS
from cl_core.reports.report import Report
from cl_core.reports.report_formats import FORMATS
from cl_core.runs.undefined_scores import UNKNOWN_LABELS
from cl_core.runs.workspace import Workspace
from tests.remade_runs import bundled, remade


def test_the_routers_numbers_are_of_the_tasks_that_have_an_adapter(tmp_path: Path) -> None:
    """The demonstration with its last two tasks held out: their rows have no right adapter."""
    tasks = bundled("dam").tasks
    parts = {"tasks": tasks[:3], "held_out": tasks[3:]}
    run = remade(Workspace(tmp_path), "dam", "held-out", **parts)
    for name in ("scores", "routing"):  # it ends after the third
        rows = pq.read_table(run.path / f"{name}.parquet")
        early = rows.filter(rows["stage"].to_numpy() <= 3)
        pq.write_table(early, run.path / f"{name}.parquet")
    report = Report(run)
    records = report.run.table("routing")
    last = records.filter(records["stage"].to_numpy() == 3)
    chosen, true = weights_of(last).argmax(axis=1), last["true_task"].to_numpy()
    right = chosen == true
    assert report.router["router_accuracy"] == pytest.approx(right[true < 3].mean())
    assert right[true < 3].mean() != pytest.approx(right.mean())
    assert report.confusion.sum() == len(true), "the figure shows them all"


def test_in_cil_no_stage_has_a_forward_transfer_whatever_labels_tasks_share() -> None:
    """The demonstration's second task has the labels of its first, so it is answered before it is learnt."""
    report = Report(Workspace(DEMONSTRATION).find("dam"))
    assert np.isfinite(report.matrix[0, 1])
    ahead = [name for name in report.transfer if METRICS[name].reads_unseen]
    assert ahead
    for stage in range(2, 6):
        transfer, why = report.transfer_after(stage), report.undefined_after(stage)
        for name in ahead:
            assert np.isnan(transfer[name])
            assert why[name] == UNKNOWN_LABELS
    assert UNKNOWN_LABELS in FORMATS["text"](report)
