"""What stands for the search of neighbours; positions are compared in `tests/app/test_demonstration_assets.py`."""

from __future__ import annotations

import numpy as np
import pytest

from app.workers.umap_layout import NoSearch


def test_what_stands_for_the_search_refuses_to_be_one() -> None:
    with pytest.raises(RuntimeError, match="looks for neighbours itself"):
        NoSearch(np.zeros((2, 2)))
