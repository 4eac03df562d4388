"""Maps of a run's embeddings: which there are, and having one computed in a worker process.

A map is an artifact of the visitor's own workspace, keyed by all that it depends on; the demonstration is read-only.
Nothing here imports umap or scikit-learn: `app.workers.projecting` does the work.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cl_core.lab.embeddings import Embeddings
from cl_core.lab.workspace import RunFolder, Workspace
from cl_core.store import key

Method = Literal["UMAP", "PCA"]
METHODS: tuple[Method, ...] = ("UMAP", "PCA")
KIND = "projection"
VERSION = 1
"""Raise it when the worker's code changes what comes out."""
MOST = 10_000
"""Points at most, sampled from each task in proportion: what a browser draws smoothly."""
NEIGHBOURS, MINIMUM_DISTANCE, SEED = 15, 0.1, 0

NOTHING_TO_MAP = 3
"""The worker's exit status where the features do not tell samples apart: trying again cannot help."""

State = Literal["missing", "computing", "waiting", "failed", "nothing"]


@dataclass(frozen=True)
class Projection:
    """Places of samples and centroids on a plane.

    Attributes:
        method: how they were found.
        task: (N,) place of each sample's task.
        row: (N,) which row of its task's split each sample is.
        positions: (N, 2).
        centroids: (K, 2) of the tasks in order.
        trustworthiness: share of neighbours on the map that are so in truth; NaN where it is not defined.
        total: samples there are, of which N are on the map.
        explained: share of variance along the two axes (PCA); NaN else.
    """

    method: Method
    task: NDArray[np.int64]
    row: NDArray[np.int64]
    positions: NDArray[np.float64]
    centroids: NDArray[np.float64]
    trustworthiness: float
    total: int
    explained: float


def inputs_of(embeddings: Embeddings, method: Method) -> dict[str, Any]:
    """Everything that a map depends on."""
    fitted = {"neighbours": NEIGHBOURS, "minimum_distance": MINIMUM_DISTANCE}
    return {
        "version": VERSION,
        "features": list(embeddings.keys),
        "tasks": list(embeddings.tasks),
        "router": embeddings.router,
        "method": method,
        "most": MOST,
        "seed": SEED,
        **(fitted if method == "UMAP" else {}),
    }


def read(
    workspaces: tuple[Workspace, ...], embeddings: Embeddings, method: Method
) -> Projection | None:
    """The map from the first workspace that has it.

    Args:
        workspaces: where to look.
        embeddings: what it is of.
        method: how it was found.
    """
    own = key(KIND, inputs_of(embeddings, method))
    for workspace in workspaces:
        artifact = workspace.store.read(KIND, own)
        if artifact is not None:
            return _projection(method, artifact.tables, artifact.data)
    return None


def _projection(method: Method, tables: Mapping[str, pa.Table], data: Any) -> Projection:
    points, centroids = tables["points"], tables["centroids"]

    def plane(table: pa.Table) -> NDArray[np.float64]:
        return np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()]).astype(np.float64)

    def number(name: str) -> float:
        return float("nan") if data[name] is None else float(data[name])

    return Projection(
        method=method,
        task=points["task"].to_numpy().astype(np.int64),
        row=points["row"].to_numpy().astype(np.int64),
        positions=plane(points),
        centroids=plane(centroids),
        trustworthiness=number("trustworthiness"),
        total=int(data["total"]),
        explained=number("explained"),
    )


class Worker:
    """Computes maps, one at a time; lives as long as the server.

    A worker that dies with the server leaves nothing half-written; the next server starts another one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[str, subprocess.Popen[bytes], Path] | None = None
        self._failed: dict[str, tuple[State, str]] = {}

    def ensure(self, source: Workspace, target: Workspace, run: RunFolder) -> State:
        """Sees to it that the run's maps are being computed; says how that stands.

        Args:
            source: has the run and its features.
            target: gets the maps.
            run: whose.
        """
        with self._lock:
            self._reap()
            name = str(run.path.resolve())
            if name in self._failed:
                return self._failed[name][0]
            if self._running is not None:
                return "computing" if self._running[0] == name else "waiting"
            self._start(name, source, target)
            return "computing"

    def why(self, run: RunFolder) -> str:
        """The last line that a failed worker said."""
        return self._failed.get(str(run.path.resolve()), ("missing", ""))[1]

    def forgive(self, run: RunFolder) -> None:
        """Lets a failed map be tried again."""
        self._failed.pop(str(run.path.resolve()), None)

    def _start(self, name: str, source: Workspace, target: Workspace) -> None:
        handle, said = tempfile.mkstemp(prefix="adapter-lab-map-", suffix=".log")
        threads = str(max((os.cpu_count() or 2) - 1, 1))
        command = [sys.executable, "-m", "app.workers.projecting"]
        command += ["--source", str(source.root.resolve()), "--target", str(target.root.resolve())]
        with os.fdopen(handle, "wb") as log:
            process = subprocess.Popen(
                [*command, "--run", Path(name).name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).resolve().parents[1],
                env={"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads, **os.environ},
            )
        self._running = name, process, Path(said)

    def _reap(self) -> None:
        """Notices that the worker has ended, and keeps what it said if it failed."""
        if self._running is None or self._running[1].poll() is None:
            return
        name, process, log = self._running
        self._running = None
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        log.unlink(missing_ok=True)
        if process.returncode != 0:
            state: State = "nothing" if process.returncode == NOTHING_TO_MAP else "failed"
            self._failed[name] = (
                state,
                lines[-1] if lines else f"it ended with status {process.returncode}",
            )
