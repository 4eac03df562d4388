"""Maps of a run's embeddings: which there are, and having one computed in a worker process.

A map is an artifact of the visitor's own workspace, keyed by all that it depends on; the demonstration is read-only.
Nothing here imports umap or scikit-learn: `app.workers.projection_worker` does the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.workers.background import Background
from app.workers.background import State as State
from app.workers.map_key import KIND, NOTHING_TO_MAP, Method, inputs_of
from cl_core.analysis.embeddings import Embeddings
from cl_core.runs.workspace import Workspace
from cl_core.store import key


@dataclass(frozen=True)
class Projection:
    """Positions of samples and centroids on a plane.

    Attributes:
        method: how they were found.
        task: (N,) index of each sample's task.
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


def read(
    workspaces: tuple[Workspace, ...], embeddings: Embeddings, method: Method
) -> Projection | None:
    """The map from the first workspace that has it.

    Args:
        workspaces: where to look.
        embeddings: what it is of.
        method: how it was found.
    """
    projection_key = key(KIND, inputs_of(embeddings, method))
    for workspace in workspaces:
        artifact = workspace.store.read(KIND, projection_key)
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


class Worker(Background):
    """Computes maps, one at a time."""

    def __init__(self) -> None:
        super().__init__("app.workers.projection_worker", NOTHING_TO_MAP)
