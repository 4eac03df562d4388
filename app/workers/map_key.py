"""What a map of a run depends on: for whoever looks one up, and for the worker that computes it."""

from __future__ import annotations

from typing import Any, Literal

from cl_core.analysis.embeddings import Embeddings

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
