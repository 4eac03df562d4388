"""The oracle gap, where a run loses against the oracle's route: read from its folder, or computed by a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
from numpy.typing import NDArray

from app.base.escaped_text import plain
from app.data.runs import stamp, workspace
from app.data.view import View
from app.serving.rights import check_host
from app.shell import actions
from app.shell.sharing import is_guest
from app.workers import tether
from cl_core.evaluate.oracle_gap import OracleGapMatrices, loss_errors, summarise_losses
from cl_core.runs.reading.run_reader import Stamp
from cl_core.runs.run_folder import RunFolder

OWN, FIRST = "true-task adapter alone", "top-1 adapter alone"


@dataclass(frozen=True)
class OracleGap:
    """What a run loses against the oracle's route.

    Attributes:
        table: rows of `LOST_SCHEMA`.
        lost: their means by cell.
        errors: standard errors (T, T) of what was lost by routing and by merging.
    """

    table: pa.Table
    lost: OracleGapMatrices
    errors: tuple[NDArray[np.float64], NDArray[np.float64]]

    def columns(self, stage: int, ids: Sequence[str]) -> dict[str, list[str]]:
        """For a list of samples: whether single adapters answer rightly, and by what the sample was lost.

        Args:
            stage: from 1.
            ids: of samples.
        """
        rows = self.table.filter(pc.equal(self.table["stage"], stage)).to_pylist()
        rows_by_id = {row["sample_id"]: row for row in rows}
        columns: dict[str, list[str]] = {OWN: [], FIRST: [], "lost by": []}
        for sample_id in ids:
            row = rows_by_id.get(sample_id)
            columns[OWN].append("" if row is None else _verdict(row["own"]))
            columns[FIRST].append("" if row is None else _verdict(row["first"]))
            columns["lost by"].append(
                "" if row is None else _reason(row["own"], row["first"], row["run"])
            )
        return columns


def _verdict(credit: float) -> str:
    return "right" if credit == 1 else "wrong" if credit == 0 else f"{credit:.0%} right"


def _reason(oracle: float, heaviest: float, run: float) -> str:
    """Of one sample: its share of O - F and of F - R."""
    parts = [
        ("routing" if oracle > heaviest else "gained by routing", oracle - heaviest),
        ("merging" if heaviest > run else "gained by merging", heaviest - run),
    ]
    return ", ".join(name for name, share in parts if share)


def read_oracle_gap(run: RunFolder) -> OracleGap | None:
    """What was computed before; None where nothing was."""
    if not (run.path / "lost.parquet").is_file():
        return None
    return _read_oracle_gap(str(run.path), stamp(run))


@st.cache_resource(max_entries=32, show_spinner=False)
def _read_oracle_gap(path: str, stamp: Stamp) -> OracleGap:
    run = RunFolder(Path(path))
    table = run.table("lost")
    tasks = len(run.config.tasks)
    return OracleGap(table, summarise_losses(table, tasks), loss_errors(table, tasks))


def offer(view: View) -> None:
    """A button that works it out, where that may be done."""
    if view.workspace == "Demonstration" or is_guest():
        st.caption("It was not computed for this run.")
        return
    st.caption(
        "Every scored sample is predicted again, by its true-task adapter alone and by its top-1 adapter "
        "alone: a minute or so for some thousand samples."
    )
    name = view.run.name if view.run is not None else ""
    if not actions.pressed("Compute", "work-out", of=name, icon=":material/calculate:"):
        return
    words = ["explain", name, "--json"]
    words += ["--workspace", str(workspace(view.workspace).root.resolve())]
    with actions.answering("work-out"):
        check_host()
    with st.spinner("Predicting the scored samples again…", show_time=True):
        done = tether.run("cl_core.cli", *words)
    if done.returncode:
        st.error(plain(done.stderr.strip() or "It failed without a word."))
    else:
        st.rerun()
