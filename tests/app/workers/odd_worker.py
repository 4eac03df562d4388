"""A worker for tests that does what it is asked to: `python -m tests.app.workers.odd_worker`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

AT_IMPORT = dict(os.environ)
"""As libraries read it: once."""


def main() -> None:
    """One request: what to do, and with what."""
    asked = json.load(sys.stdin)
    match asked:
        case {"say": text}:
            sys.stdout.write(text)
        case {"variable": name}:
            sys.stdout.write(AT_IMPORT.get(name, ""))
        case {"fail": why}:
            raise RuntimeError(why)
        case {"die": _}:
            os.kill(os.getpid(), signal.SIGKILL)
        case {"wait": folder}:
            (Path(folder) / "begun").write_text(str(os.getpid()))
            while not (Path(folder) / "go on").exists():
                time.sleep(0.02)
            sys.stdout.write("went on")


if __name__ == "__main__":
    main()
