"""The distribution's own package: where the app and its pages lie, and how a process of theirs is started.

In the checkout `app` and `pages` are folders beside this one. What pip installs has them within this one, so that it
takes no such name from others; they call each other `app` and `pages` there too, since every process of theirs has
`HOME` first on its path. Everybody else's processes do not have it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent

HOME = _HERE if (_HERE / "app").is_dir() else _HERE.parent
"""The folder that has `app` and `pages`."""


def command(module: str, *words: str) -> list[str]:
    """`python -m MODULE WORDS`, without the folder where the user is: a module `app` there is not ours."""
    return [sys.executable, "-P", "-m", module, *words]


def environment() -> dict[str, str]:
    """Of a process that imports `app`: this one's, with `HOME` first on the path."""
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = [str(HOME), *(folder for folder in others if folder not in ("", str(HOME)))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
