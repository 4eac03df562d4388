"""Adapter Lab: continual learning with one small adapter per task on a frozen backbone.

import cl_core as cl

run = cl.run("domains", recipe="dam", seed=0, name="first")
print(run.report())
print(run.route("The soup was cold, but the waiter saved the evening.")[0])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cl_core.api import Run as Run
    from cl_core.api import run as run
    from cl_core.choices import register as register
    from cl_core.recipes.recipe import Recipe as Recipe
    from cl_core.runs.workspace import Workspace as Workspace
    from cl_core.tasks.stream_loader import load_stream as load_stream

__version__ = "0.1.0"

# Imported when first used, so that `import cl_core` and the terminal's help are instant.
_NAMES = {
    "Recipe": "cl_core.recipes.recipe",
    "Run": "cl_core.api",
    "Workspace": "cl_core.runs.workspace",
    "load_stream": "cl_core.tasks.stream_loader",
    "register": "cl_core.choices",
    "run": "cl_core.api",
}

__all__ = ["Recipe", "Run", "Workspace", "__version__", "load_stream", "register", "run"]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'cl_core' has no attribute '{name}'")
    return getattr(import_module(_NAMES[name]), name)
