"""Samples of a map as its page tables them, at places that are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.base.outcomes import RIGHT


def scattered(places: NDArray[np.float64]) -> pd.DataFrame:
    """Of one task, all answered rightly; places are (N, 2)."""
    return pd.DataFrame(
        {
            "sample": [f"s{row}" for row in range(len(places))],
            "task": "1 a",
            "task_index": 0,
            "class": "c",
            "learnt": True,
            "adapter": "1 a",
            "adapter_index": 0,
            "answer": RIGHT,
            "entropy": 0.5,
            "x": places[:, 0],
            "y": places[:, 1],
        }
    )
