"""Exports of a run: the report that opens offline, the score matrix as LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.data import answer_client
from app.data.view import View
from app.report.run_report import run_report
from app.workers.process import WorkerFailed
from cl_core.errors import UserError
from cl_core.reports.report_formats import as_csv
from cl_core.reports.report_latex import as_latex


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
            lambda: report(view).encode(),
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
    with st.container(horizontal=True):
        for label, make, file, kind, meaning in files:
            st.download_button(
                label,
                make,
                file,
                kind,
                key=f"take-{label}",
                on_click="ignore",
                icon=":material/download:",
                help=meaning,
            )


def report(view: View) -> str:
    """The run's report; where its data are gone, its samples are named by their ids alone."""
    if view.run is None:
        raise ValueError("there is no run to report on")

    failed: list[str] = []

    def show(sample: str) -> Mapping[str, Any]:
        if failed:  # every other one would wait as long for nothing
            raise UserError(failed[0])
        try:
            return answer_client.shown(view, {"id": sample})
        except WorkerFailed as error:
            failed.append(str(error))
            raise UserError(failed[0]) from error

    return run_report(view.run, show)
