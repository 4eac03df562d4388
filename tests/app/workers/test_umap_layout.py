"""How umap is imported; positions are compared in `tests/app/test_demonstration_assets.py`."""

from __future__ import annotations

import numpy as np
import pytest

from app.workers.umap_layout import NoSearch, umap


def test_what_stands_for_the_search_refuses_to_be_one() -> None:
    with pytest.raises(RuntimeError, match="looks for neighbours itself"):
        NoSearch(np.zeros((2, 2)))


def test_what_a_map_compiles_is_kept_for_the_next_process() -> None:
    points = np.eye(8, dtype=np.float32)
    umap(points, points[:, :2])
    import numba  # not before: how many threads a process has is settled when it is imported
    from umap import layouts, umap_, utils  # as the layout has imported them

    compiled = {
        name: function
        for module in (layouts, umap_, utils)
        for name, function in vars(module).items()
        if hasattr(function, "signatures") and function.signatures
    }
    assert "smooth_knn_dist" in compiled
    assert [name for name, function in compiled.items() if not function.stats.cache_path] == []
    assert numba.njit.__module__.startswith("numba."), "for others it is as it was"
