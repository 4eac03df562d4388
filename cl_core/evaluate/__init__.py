"""Evaluation: the score matrix, its metrics, and what each sample was given.

Nothing here imports torch: the app computes every number that it shows from tables on disk.
"""

from __future__ import annotations

from cl_core.evaluate.metric import Metric
from cl_core.evaluate.table import METRICS

__all__ = ["METRICS", "Metric"]
