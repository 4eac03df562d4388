"""Settings of runs that take a second: few rows of short sentences on a tiny random backbone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cl_core as cl

SMALL: dict[str, Any] = {
    "limit_train": 24,
    "limit_validation": 8,
    "limit_test": 12,
    "epochs": 2,
    "batch_size": 8,
    "max_length": 24,
    "layer": -2,
    "learning_rate": 1e-2,
}

Carry = Callable[..., cl.Run]
