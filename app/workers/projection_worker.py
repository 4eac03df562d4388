"""The worker that projects a run's embeddings to maps, by PCA and UMAP.

`python -m app.workers.projection_worker --source DIR --target DIR --run NAME`.

PCA first, within a second, then UMAP, so that there is something to see meanwhile. Both are stored, and the same
features, seed and method give the same bytes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.workers.map_key import (
    KIND,
    METHODS,
    MOST,
    NEIGHBOURS,
    NOTHING_TO_MAP,
    SEED,
    inputs_of,
)
from app.workers.umap_layout import umap
from cl_core.analysis.embeddings import Embeddings, find_embeddings
from cl_core.errors import UserError
from cl_core.evaluate.neighbours import placed, trustworthiness, unit
from cl_core.runs.workspace import Workspace
from cl_core.store import key

Array = NDArray[np.float32]


class NothingToMap(UserError):
    """The features do not tell any two samples apart, or are no numbers."""


def sampled(rows: Sequence[int], most: int, seed: int) -> list[NDArray[np.int64]]:
    """Which rows of each task are drawn: all, or `most` in all, in proportion to the tasks' sizes, at least one each.

    Args:
        rows: of each task.
        most: points in all.
        seed: of the draw.
    """
    total = sum(rows)
    if total <= most:
        return [np.arange(count) for count in rows]
    generator = np.random.default_rng(seed)
    shares = [max(1, math.floor(most * count / total)) for count in rows]
    return [
        np.sort(generator.choice(count, share, replace=False))
        for count, share in zip(rows, shares, strict=True)
    ]


def pca(points: Array) -> tuple[Array, float]:
    """The two directions of the largest variance: positions (N, 2), and the share of variance that they have.

    Signs are arbitrary in PCA; here the largest component of each direction is positive, so that maps agree.
    """
    centred = points.astype(np.float64) - points.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    share = float(values[-2:].sum() / max(values.sum(), 1e-12))
    return (centred @ axes).astype(np.float32), share


def check_spread(points: Array) -> None:
    """Refuses features among which there is nothing to map.

    Args:
        points: (N, d), of length 1 or 0.

    Raises:
        NothingToMap: some are not numbers, or all samples look the same.
    """
    if not np.isfinite(points).all():
        raise NothingToMap("there is nothing to map: some features are not numbers")
    if np.ptp(points, axis=0).max() < 1e-6:
        what = "zero" if not points.any() else "the same for every sample"
        raise NothingToMap(f"there is nothing to map: the features are {what}")


def project(source: Workspace, target: Workspace, embeddings: Embeddings) -> None:
    """Computes and stores what is not stored yet."""
    features = embeddings.features(source)
    centroids = embeddings.centroids(source, features)
    drawn = sampled([len(task_features) for task_features in features], MOST, SEED)
    points = unit(
        np.concatenate(
            [task_features[rows] for task_features, rows in zip(features, drawn, strict=True)]
        )
    )
    check_spread(points)
    task = np.repeat(embeddings.tasks, [len(rows) for rows in drawn]).astype(np.int32)
    start, explained = pca(points)
    for method in reversed(METHODS):
        inputs = inputs_of(embeddings, method)
        if target.store.read(KIND, key(KIND, inputs)) is not None:  # a damaged one is set aside
            continue
        # Fewer points than this have no neighbourhoods that UMAP could keep.
        small = len(points) < 5
        positions = start if method == "PCA" or small else umap(points, start)
        trust = trustworthiness(points, positions, min(NEIGHBOURS, (len(points) - 1) // 2))
        where = placed(centroids, points, positions, NEIGHBOURS)
        tables = {
            "points": pa.table(
                {
                    "task": task,
                    "row": np.concatenate(drawn).astype(np.int32),
                    "x": positions[:, 0],
                    "y": positions[:, 1],
                }
            ),
            "centroids": pa.table({"x": where[:, 0], "y": where[:, 1]}),
        }
        data = {
            "trustworthiness": None if math.isnan(trust) else trust,
            "explained": explained if method == "PCA" else None,
            "total": sum(len(task_features) for task_features in features),
        }
        target.store.write(KIND, key(KIND, inputs), inputs, tables=tables, data=data)


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="workspace of the run")
    parser.add_argument("--target", type=Path, required=True, help="workspace that gets the maps")
    parser.add_argument("--run", required=True, help="its name")
    asked = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(10)  # training and pages come first
    source = Workspace(asked.source)
    embeddings = find_embeddings(source, source.find(asked.run))
    if embeddings is None:
        raise UserError(f"run '{asked.run}' has no features in {source.root}")
    try:
        project(source, Workspace(asked.target), embeddings)
    except NothingToMap as reason:
        sys.stderr.write(f"{reason}\n")
        sys.exit(NOTHING_TO_MAP)


if __name__ == "__main__":
    main()
