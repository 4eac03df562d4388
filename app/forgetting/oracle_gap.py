"""Where a run loses against the oracle's route: read from its folder, or worked out by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
from numpy.typing import NDArray

from app.base.text import plain
from app.data.runs import stamp, workspace
from app.data.view import View
from app.shell import actions
from app.shell.sharing import is_guest
from cl_core.evaluate.oracle_gap import Lost, loss_errors, summarise_losses
from cl_core.runs.workspace import RunFolder

OWN, FIRST = "own adapter alone", "heaviest alone"


@dataclass(frozen=True)
class Explained:
    """What is known of a run's losses.

    Attributes:
        table: rows of `LOST_SCHEMA`.
        lost: their means by cell.
        errors: standard errors (T, T) of what was lost by routing and by merging.
    """

    table: pa.Table
    lost: Lost
    errors: tuple[NDArray[np.float64], NDArray[np.float64]]

    def columns(self, stage: int, ids: Sequence[str]) -> dict[str, list[str]]:
        """For a list of samples: whether single adapters answer rightly, and by what the sample was lost.

        Args:
            stage: from 1.
            ids: of samples.
        """
        rows = self.table.filter(pc.equal(self.table["stage"], stage)).to_pylist()
        known = {row["sample_id"]: row for row in rows}
        found: dict[str, list[str]] = {OWN: [], FIRST: [], "lost by": []}
        for own in ids:
            row = known.get(own)
            found[OWN].append("" if row is None else _verdict(row["own"]))
            found[FIRST].append("" if row is None else _verdict(row["first"]))
            found["lost by"].append(
                "" if row is None else _reason(row["own"], row["first"], row["run"])
            )
        return found


def _verdict(credit: float) -> str:
    return "right" if credit == 1 else "wrong" if credit == 0 else f"{credit:.0%} right"


def _reason(own: float, first: float, run: float) -> str:
    """Of one sample: its share of O - F and of F - R."""
    parts = [
        ("routing" if own > first else "gained by the route", own - first),
        ("merging" if first > run else "gained by the merge", first - run),
    ]
    return ", ".join(name for name, share in parts if share)


def explained(run: RunFolder) -> Explained | None:
    """What was worked out before; None where nothing was."""
    if not (run.path / "lost.parquet").is_file():
        return None
    return _explained(str(run.path), stamp(run))


@st.cache_resource(max_entries=32, show_spinner=False)
def _explained(path: str, stamp: Sequence[tuple[str, int, int]]) -> Explained:
    run = RunFolder(Path(path))
    table = run.table("lost")
    tasks = len(run.config.tasks)
    return Explained(table, summarise_losses(table, tasks), loss_errors(table, tasks))


def offer(view: View) -> None:
    """A button that works it out, where that may be done."""
    if view.workspace == "Demonstration" or is_guest():
        st.caption("It was not worked out for this run.")
        return
    st.caption(
        "Every scored sample is answered once more, by its own task's adapter alone and by the one that the run weighs "
        "most: a minute or so for some thousand samples."
    )
    name = view.run.name if view.run is not None else ""
    if not actions.pressed("Work it out", "work-out", of=name, icon=":material/calculate:"):
        return
    command = [sys.executable, "-m", "cl_core.cli", "explain", name, "--json"]
    command += ["--workspace", str(workspace(view.workspace).root.resolve())]
    with st.spinner("Answering the scored samples again…", show_time=True):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        st.error(plain(done.stderr.strip() or "It failed without a word."))
    else:
        st.rerun()
