"""Routing records of one stage as pages read them, cached by when the run's files last changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
from numpy.typing import NDArray

from app.base.outcomes import NOT_LEARNT, RIGHT, WRONG
from app.data.runs import stamp
from cl_core.evaluate.records import weights_of
from cl_core.evaluate.routing import routed_task
from cl_core.runs.reading.run_reader import Stamp
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.undefined_scores import answerable_rows


@dataclass(frozen=True)
class RoutingRecords:
    """What N samples got at one stage.

    Attributes:
        table: rows of `ROUTING_SCHEMA`, of that stage alone.
        config: of the run that they are of; None where nothing is asked that needs it.
    """

    table: pa.Table
    config: RunConfig | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def ids(self) -> list[str]:
        """N sample ids."""
        return list(self.table["sample_id"].to_pylist())

    @cached_property
    def true(self) -> NDArray[np.int64]:
        """(N,) indices of the true tasks, held-out ones behind the others."""
        return np.asarray(self.table["true_task"].to_numpy(), np.int64)

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """(N, K)."""
        return weights_of(self.table)

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(N, K) of the router; the weights where it has none."""
        return self.weights if self.table["scores"].null_count else weights_of(self.table, "scores")

    @cached_property
    def per_block(self) -> NDArray[np.float32] | None:
        """(N, R, K) weights of each adapted block; None where they do not differ."""
        column = self.table["per_block"]
        return None if column.null_count else np.array(column.to_pylist(), np.float32)

    @cached_property
    def chosen(self) -> NDArray[np.int64]:
        """(N,) the top-1 adapter: the one with the largest weight."""
        return routed_task(self.weights)

    @cached_property
    def right_route(self) -> NDArray[np.bool_]:
        """(N,) whether that is the true task's."""
        return np.asarray(self.chosen == self.true)

    @cached_property
    def right_prediction(self) -> NDArray[np.bool_]:
        """(N,) whether the prediction is the label."""
        return np.asarray(self.table["correct"].to_numpy(), bool)

    @cached_property
    def answerable(self) -> NDArray[np.bool_]:
        """(N,) whether a right answer could be given at this stage at all."""
        if self.config is None or not len(self):
            return np.ones(len(self), bool)
        stage, labels = int(self.table["stage"][0].as_py()), self.table["label"].to_numpy()
        return answerable_rows(self.config, stage, self.true, np.asarray(labels, np.int64))

    def verdict(self, row: int) -> str:
        """Of the sample in this row, in words."""
        if not self.answerable[row]:
            return NOT_LEARNT
        return RIGHT if self.right_prediction[row] else WRONG

    def column(self, name: str) -> NDArray[np.float64]:
        """(N,) numbers: "entropy", "margin", "prediction", "label"."""
        return np.asarray(self.table[name].to_numpy(), np.float64)

    def row_of(self, sample_id: str) -> int | None:
        """Where a sample stands; None where it was not scored at this stage."""
        return self._rows.get(sample_id)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {sample_id: row for row, sample_id in enumerate(self.ids)}


ONLY: tuple[str, ...] = (
    "all samples",
    "wrong predictions",
    "wrong routes",
    "wrong route, right prediction",
    "right route, wrong prediction",
)
"""Which samples are listed; labels as on the screen and in addresses."""


def keep(routed: RoutingRecords, only: str, task: int | None = None) -> NDArray[np.int64]:
    """Rows of the samples that are asked for; an answer that could not be right yet is not a wrong one.

    Args:
        routed: N samples.
        only: of `ONLY`.
        task: of this true task; None for all.
    """
    route, answer = routed.right_route, routed.right_prediction | ~routed.answerable
    kept = {
        "all samples": np.ones(len(routed), bool),
        "wrong predictions": ~answer,
        "wrong routes": ~route,
        "wrong route, right prediction": ~route & routed.right_prediction,
        "right route, wrong prediction": route & ~answer,
    }[only]
    return np.flatnonzero(kept & (True if task is None else routed.true == task))


def routed_at(run: RunFolder, stage: int) -> RoutingRecords | None:
    """The records of a stage; None where the run has none of it (yet)."""
    if not (run.path / "routing.parquet").is_file():
        return None
    return _routed(str(run.path), stage, stamp(run))


def last_routed(run: RunFolder) -> RoutingRecords | None:
    """The records of the last stage that has any; None where the run has none (yet)."""
    if not (run.path / "routing.parquet").is_file():
        return None
    table = run.table("routing")
    table = table.filter(pc.equal(table["stage"], pc.max(table["stage"])))
    return RoutingRecords(table, run.config) if table.num_rows else None


@st.cache_resource(max_entries=32, show_spinner=False)
def _routed(path: str, stage: int, stamp: Stamp) -> RoutingRecords | None:
    run = RunFolder(Path(path))
    table = run.table("routing")
    table = table.filter(pc.equal(table["stage"], stage))
    return RoutingRecords(table, run.config) if table.num_rows else None
