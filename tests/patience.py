"""How a test waits for what it caused: until it holds, and so long that no test fails because a machine is busy."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 600.0
"""Seconds: some hundred times what the slowest of it takes on a quiet machine."""


def wait_for(what: Callable[[], object], why: str = "it took too long") -> None:
    """Until it holds; `why` is said where it never does."""
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, why
        time.sleep(0.02)
