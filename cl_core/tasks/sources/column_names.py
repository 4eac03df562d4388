"""Names of columns, before anything compares or quotes them."""

from __future__ import annotations

from collections.abc import Iterable

from cl_core.errors import cut
from cl_core.limits import COLUMN_NAME
from cl_core.tasks.raw_rows import Problem


def long_name(names: Iterable[str]) -> Problem | None:
    """The first name that is too long: a file without lines has one of its own length."""
    for name in names:
        if len(name) > COLUMN_NAME.most:
            return Problem(COLUMN_NAME.refusal(f"the column '{cut(name)}'", len(name)))
    return None
