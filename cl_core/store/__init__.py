"""Artifacts on disk: keyed by content, written whole or not at all, checked when read.

Importing this package imports neither torch nor pyarrow: the app reads runs without them.
"""

from __future__ import annotations

from cl_core.store.artifact import Artifact
from cl_core.store.atomic_writes import write_bytes, write_json, write_text
from cl_core.store.keys import JSON, canonical_json, key
from cl_core.store.lock import LockHeldError, RunLock, is_held
from cl_core.store.lock_holders import stopped_holder
from cl_core.store.store import ReadOnlyError, Store

__all__ = [
    "JSON",
    "Artifact",
    "LockHeldError",
    "ReadOnlyError",
    "RunLock",
    "Store",
    "canonical_json",
    "is_held",
    "key",
    "stopped_holder",
    "write_bytes",
    "write_json",
    "write_text",
]
