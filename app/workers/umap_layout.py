"""UMAP of points whose neighbours are known, compiled once on a machine, and its own search of neighbours never."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.workers.map_key import MINIMUM_DISTANCE, NEIGHBOURS, SEED
from cl_core.evaluate.neighbours import nearest

Array = NDArray[np.float32]
SEARCH = "pynndescent"
"""What umap looks for neighbours with. It compiles more than a hundred functions when it is imported for the first time
on a machine, and is called by nobody here."""


def umap(points: Array, start: Array) -> Array:
    """UMAP of (N, d) points of length 1 from a given start (N, 2).

    The neighbours come from a plain matrix product. One thread and a seed make it the same each time.
    """
    k = min(NEIGHBOURS, len(points) - 1)
    neighbours = nearest(points, points, k)
    fit = _umap()(
        n_neighbors=k,
        min_dist=MINIMUM_DISTANCE,
        init=10 * start / np.abs(start).max(),  # umap's own starts are about this wide
        precomputed_knn=(*neighbours, None),
        random_state=SEED,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that one thread is used, and that neighbours were given
        return np.asarray(fit.fit_transform(points), dtype=np.float32)


def _umap() -> Any:
    """The class, imported while something that is never called stands for the search."""
    # numba, below umap, would have torch in this process compute on as many threads as the machine has cores.
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    if "umap" in sys.modules or SEARCH in sys.modules:
        from umap import UMAP

        return UMAP
    stands_for = {
        name: ModuleType(name) for name in (SEARCH, f"{SEARCH}.distances", f"{SEARCH}.sparse")
    }
    vars(stands_for[SEARCH])["NNDescent"] = NoSearch
    vars(stands_for[f"{SEARCH}.distances"])["named_distances"] = {"euclidean": NoSearch}
    vars(stands_for[f"{SEARCH}.sparse"])["sparse_named_distances"] = {}
    sys.modules.update(stands_for)
    try:
        with _what_is_compiled_is_kept():
            from umap import UMAP
    finally:
        for name in stands_for:
            del sys.modules[name]
    return UMAP


@contextmanager
def _what_is_compiled_is_kept() -> Iterator[None]:
    """Modules that are imported meanwhile keep what numba compiles of them, as umap itself has it for one function.

    It lies beside their sources, or in the user's cache where those cannot be written. Compiling takes ten seconds, and
    each map is made by a process of its own; the map is the same to the byte.
    """
    import numba

    njit = numba.njit
    numba.njit = partial(njit, cache=True)  # type: ignore[assignment]
    try:
        yield
    finally:
        numba.njit = njit


class NoSearch:
    """Stands for a search of neighbours that nobody asks for: should umap do so after all, it is an error."""

    def __init__(self, *_: object, **__: object) -> None:
        raise RuntimeError(
            "umap looks for neighbours itself, though they are given; is it another version?"
        )
