"""The score matrix and what changed in it, with how sure each cell is, for pages and for the report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.base.memoized import memoized
from app.base.theme import Look, numbered
from app.data.runs import report, stamp
from app.figures.cells import UNANSWERABLE
from app.figures.confidence import intervals
from app.figures.heatmap import heatmap, written
from cl_core.evaluate.intervals import wilson, wilson_mean
from cl_core.reports.report import Report
from cl_core.runs.certainty import Errors, change_errors, sample_counts
from cl_core.runs.reading.run_reader import Stamp
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.undefined_scores import answerable

if TYPE_CHECKING:
    import plotly.graph_objects as go

UNLEARNT = "not learnt yet"


@dataclass(frozen=True)
class Matrices:
    """A run's matrix as it is shown after a stage; rows of later stages are NaN.

    Attributes:
        report: of the run.
        stage: the stage, from 1.
    """

    report: Report
    stage: int

    @cached_property
    def tasks(self) -> list[str]:
        """T numbered names."""
        return [numbered(index, name) for index, name in enumerate(self.report.tasks)]

    @cached_property
    def unanswerable(self) -> NDArray[np.bool_]:
        """(T, T) cells of the stages shown in which nothing could be answered rightly."""
        return ~answerable(self.report.run.config) & self._reached

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """(T, T) accuracies in percent; NaN where they mean nothing or are not shown."""
        shown = self._reached & ~self.unanswerable
        return np.where(shown, 100 * self.report.matrix, np.nan)

    @cached_property
    def change(self) -> NDArray[np.float64]:
        """(T, T) points since a task was learnt; NaN before that."""
        return np.where(self._seen, self.scores - np.diagonal(100 * self.report.matrix), np.nan)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(T, T) test samples."""
        return sample_counts(self.report.run)

    @cached_property
    def errors(self) -> Errors:
        """Of the changes."""
        return change_errors(self.report.run, self.report.matrix)

    @cached_property
    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Low and high of each accuracy's 95 % interval, percent."""
        low, high = wilson(self.report.matrix, self.counts)
        return 100 * low, 100 * high

    @property
    def average_is(self) -> str:
        """How sure the average accuracy of the stage is, in words; "" where it is not defined."""
        last, tasks = self.stage - 1, slice(self.stage)
        counts = self.counts[last, tasks]
        low, high = wilson_mean(self.report.matrix[last, tasks], counts)
        if np.isnan(low):
            return ""
        return f"95 % interval {100 * low:.1f} to {100 * high:.1f} %, n = {counts.sum()}"

    @property
    def errors_are(self) -> str:
        """Which standard errors the changes have, in words."""
        paired = self.errors.paired[np.isfinite(self.change)]
        if paired.all():
            return "standard errors of the same samples' own differences"
        if not paired.any():
            return "binomial standard errors (no sample's own outcome is recorded)"
        return (
            "standard errors of the same samples' differences, binomial where they are not recorded"
        )

    def score_figure(self, look: Look, highlight: int | None = None) -> go.Figure:
        """Accuracies, 0 to 100."""
        return heatmap(
            self.scores,
            self.tasks,
            self.tasks,
            look,
            row_title="stage",
            column_title="evaluated on",
            value_title="accuracy (%)",
            highlight=highlight,
            notes=intervals(self.report.matrix, self.counts),
            empty=self.unanswerable,
            empty_because=UNANSWERABLE,
        )

    def change_figure(self, look: Look, highlight: int | None = None) -> go.Figure:
        """Changes in points, on the scale of all runs."""
        return difference_figure(
            self.change,
            self.errors.values,
            self.tasks,
            look,
            self._reached & ~self._seen,
            highlight,
        )

    @cached_property
    def score_table(self) -> pd.DataFrame:
        """A row for each cell that is shown: stage, task, accuracy, interval, samples."""
        return accuracy_table(self.scores, self.counts, self.tasks)

    @cached_property
    def change_table(self) -> pd.DataFrame:
        """A row for each cell that is shown: stage, task, change, its standard error, samples."""
        cells = np.argwhere(np.isfinite(self.change))
        errors = 100 * self.errors.values
        return (
            pd.DataFrame(
                [
                    (
                        self.tasks[i],
                        self.tasks[j],
                        round(self.change[i, j], 2) + 0.0,
                        errors[i, j],
                        self.counts[i, j],
                    )
                    for i, j in cells
                ],
                columns=[
                    "stage",
                    "evaluated on",
                    "change (points)",
                    "standard error (points)",
                    "n (samples)",
                ],
            )
            .set_index(["stage", "evaluated on"])
            .round(2)
        )

    @cached_property
    def _reached(self) -> NDArray[np.bool_]:
        shape = self.report.matrix.shape
        return np.broadcast_to(np.arange(shape[0])[:, None] < self.stage, shape)

    @cached_property
    def _seen(self) -> NDArray[np.bool_]:
        return np.tril(np.ones(self.report.matrix.shape, dtype=bool))


@memoized
def accuracy_table(
    scores: NDArray[np.float64], counts: NDArray[np.int64], tasks: list[str]
) -> pd.DataFrame:
    """A row for each cell that is a number: stage, task, accuracy, interval, samples.

    Args:
        scores: (T, T) percent, NaN where there is none.
        counts: (T, T) samples behind them.
        tasks: T numbered names.
    """
    low, high = wilson(scores / 100, counts)
    cells = np.argwhere(np.isfinite(scores))
    ends = [
        (tasks[i], tasks[j], scores[i, j], 100 * low[i, j], 100 * high[i, j], counts[i, j])
        for i, j in cells
    ]
    heads = ["accuracy (%)", "95 % from (%)", "95 % to (%)", "n (samples)"]
    index = ["stage", "evaluated on"]
    return pd.DataFrame(ends, columns=[*index, *heads]).set_index(index).round(2)


def matrices_of(run: RunFolder, stage: int) -> Matrices:
    """Those of a run after a stage; the same object for as long as its files are the same."""
    return _matrices(str(run.path), stage, stamp(run))


@st.cache_resource(max_entries=64, show_spinner=False)
def _matrices(path: str, stage: int, stamp: Stamp) -> Matrices:
    return Matrices(report(RunFolder(Path(path))), stage)


def difference_figure(
    points: NDArray[np.float64],
    errors: NDArray[np.float64],
    tasks: list[str],
    look: Look,
    empty: NDArray[np.bool_],
    highlight: int | None = None,
    title: str = "change (points)",
) -> go.Figure:
    """Differences of accuracies on one scale for all runs, grey where they are within one standard error of 0.

    Args:
        points: (T, T), negative = lost.
        errors: (T, T) standard errors, 0 to 1.
        tasks: T numbered names.
        look: the theme.
        empty: (T, T) cells that mean nothing.
        highlight: a task to frame.
        title: of the colour bar.
    """
    return heatmap(
        points,
        tasks,
        tasks,
        look,
        row_title="stage",
        column_title="evaluated on",
        value_title=title,
        signed=True,
        highlight=highlight,
        errors=100 * errors,
        notes=[
            [
                f"standard error {written(100 * error, False, 1)} points"
                if np.isfinite(error)
                else ""
                for error in row
            ]
            for row in errors
        ],
        empty=empty,
        empty_because=UNLEARNT,
    )
