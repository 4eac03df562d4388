"""Exports of a run: the report that opens offline, the score matrix as LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.data import answer_client
from app.data.view import View
from app.report.run_report import run_report
from app.shell import downloads
from app.workers.process import WorkerFailed
from cl_core.errors import UserError
from cl_core.reports.report_formats import as_csv
from cl_core.reports.report_latex import as_latex
from cl_core.runs.reading.run_reader import Stamp
from cl_core.runs.run_folder import RunFolder


def draw(view: View) -> None:
    """A row of downloads, each made when it is asked for."""
    if view.run is None:
        return
    st.header("Export")
    st.caption("These files are of the whole run, whatever stage is shown above.")
    name = view.run.name
    files = (
        (
            "Report (HTML)",
            lambda: report(view),
            f"{name}.html",
            "text/html",
            "Scores, transfer, routing, cost, samples and settings of the whole run in one file that opens offline. "
            "It holds the texts and pictures of a few samples.",
        ),
        (
            "LaTeX",
            lambda: as_latex(view.report),
            f"{name}.tex",
            "text/x-tex",
            "The score matrix as a table, its metrics with their formulas in the caption.",
        ),
        (
            "CSV",
            lambda: as_csv(view.report),
            f"{name}.csv",
            "text/csv",
            "The score matrix, one row for each stage and task, as shares from 0 to 1.",
        ),
    )
    row, handed = st.container(horizontal=True), st.container()
    with row:
        for label, make, file, kind, meaning in files:
            downloads.offer(
                label, f"take-{label}", make, file, kind, room=handed, of=name, help=meaning
            )


def report(view: View) -> str:
    """The run's report as it is on disk now; where its data are gone, its samples are named by their ids alone.

    Raises:
        UserError: the run is gone, or changed while its report was written.
    """
    if view.run is None:
        raise ValueError("there is no run to report on")
    run = RunFolder(view.run.path)  # what was read of it before may be of another run of its name
    if not run.exists:
        raise UserError(f"run '{run.name}' is no longer here")
    before = _results(run)

    failed: list[str] = []

    def show(sample: str) -> Mapping[str, Any]:
        if failed:  # every other one would wait as long for nothing
            raise UserError(failed[0])
        try:
            return answer_client.shown(view, {"id": sample})
        except WorkerFailed as error:
            failed.append(str(error))
            raise UserError(failed[0]) from error

    written = run_report(run, show)
    if _results(run) != before:
        raise UserError(f"run '{run.name}' changed while its report was written; press again")
    return written


def _results(run: RunFolder) -> Stamp:
    """What changes with the run's results, and not with every step of its training."""
    return tuple(file for file in run.stamp if file[0] != "events.jsonl")
