"""All commands, as `adapter-lab` has them: each of these modules registers its own."""

from __future__ import annotations

from cl_core.cli import (  # noqa: F401 - they register their commands
    archives,
    check_command,
    clean_command,
    compare_commands,
    inspect,
    job_commands,
    list_commands,
    merge_commands,
    run_commands,
    serve,
    vary_command,
    verify_command,
)
from cl_core.cli.app import app

__all__ = ["app"]
