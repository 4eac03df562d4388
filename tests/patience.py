"""How long a test waits for what it caused, at most: no test fails because a machine is busy."""

from __future__ import annotations

PATIENCE = 600.0
"""Seconds: some hundred times what the slowest of it takes on a quiet machine."""
