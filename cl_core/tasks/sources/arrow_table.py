"""Rows of an arrow table, and what its metadata say of classes; a broken column is a problem of its own."""

from __future__ import annotations

import json
from typing import Any

from cl_core.errors import cut
from cl_core.tasks.raw_rows import FileRows, Problem, RawRows
from cl_core.tasks.sources.column_names import long_name


def rows_of_table(table: Any, source: str) -> FileRows:
    """Rows of a `pyarrow.Table`, with the class names that `datasets` keeps in its metadata.

    Args:
        table: any columns; those that hold what Python has no value for are problems of their own.
        source: what messages call it.
    """
    columns: dict[str, list[object]] = {}
    problems: list[Problem] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in columns:
            problems.append(Problem(f"the table has column '{cut(name)}' twice", (), name))
            continue
        columns[name], broken, reason = _cells(column)
        if broken:
            problems.append(Problem(f"column '{cut(name)}' {reason}", broken, name))
    if long := long_name(columns):
        return FileRows(None, (*problems, long))
    names = _class_names(table.schema.metadata or {})
    rows = RawRows(columns, source, range(table.num_rows), names)
    return FileRows(rows, tuple(problems))


def _class_names(metadata: Any) -> dict[str, tuple[str, ...]]:
    """Names of the `ClassLabel` columns; whatever else stands there, of other versions or makers, is passed over."""
    try:
        described = json.loads(metadata.get(b"huggingface", b"null"))
        features = described["info"]["features"].items()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    names = {}
    for column, feature in features:
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
            classes = feature.get("names")
            if (
                isinstance(classes, list)
                and classes
                and all(isinstance(name, str) for name in classes)
            ):
                names[column] = tuple(classes)
    return names


def _cells(column: Any) -> tuple[list[object], tuple[int, ...], str]:
    """Values of a column, the rows whose own cannot be had, and why."""
    import pyarrow

    # Arrow's types are wider than Python's: moments outside of its calendar, time zones that this machine does not
    # know, text that is not UTF-8 deep in a list.
    unreadable = (pyarrow.ArrowException, ValueError, OverflowError, TypeError, LookupError)
    try:
        return column.to_pylist(), (), ""
    except (*unreadable, ImportError):
        pass
    cells: list[object] = []
    broken = []
    reason = ""
    for row, cell in enumerate(column, 1):
        try:
            cells.append(cell.as_py())
        except UnicodeDecodeError:
            reason = reason or "is not UTF-8"
            broken.append(row)
            text = isinstance(cell, pyarrow.StringScalar | pyarrow.LargeStringScalar)
            cells.append(cell.as_buffer().to_pybytes().decode(errors="replace") if text else None)
        except (*unreadable, ImportError) as error:
            reason = reason or f"has values that cannot be read ({error})"
            broken.append(row)
            cells.append(None)
    return cells, tuple(broken), reason
