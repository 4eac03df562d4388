"""Tables of a run as they are read: of one that cannot be, or has rows or numbers that cannot be, the error says so."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cl_core.bounded_files import NoRegularFile
from cl_core.limits import TABLE_ROWS, TooLarge
from cl_core.runs.reading import possible_numbers, possible_rows
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.reading.run_files import check_hash
from cl_core.runs.run_config import RunConfig
from cl_core.table_sizes.table_limits import check_parquet

if TYPE_CHECKING:
    import pyarrow

COLUMNS = {
    "scores": ("stage", "task", "metric", "value", "samples"),
    "routing": ("stage", "sample_id", "true_task", "weights", "prediction", "label"),
    "lost": ("stage", "sample_id", "true_task", "own", "first", "run"),
}
"""Of tables, by name: those that everything which reads them needs."""


def read_table(file: Path, config: RunConfig | None = None, counted: bool = False) -> pyarrow.Table:
    """The rows of one of `COLUMNS`.

    Args:
        file: which.
        config: of its run, whose rows they must be; None where that is not known.
        counted: whether each task must have as many samples as the run knows of it.

    Raises:
        DamagedFile: it is none, lacks a column, is not what the run wrote, or has rows or numbers that cannot be.
    """
    import pyarrow.parquet

    try:
        _check_regular(file)
        check_parquet(file, f"'{file.name}'")
        with pyarrow.parquet.ParquetFile(file) as opened:
            table = opened.read()
    except MemoryError:  # which pyarrow's is too
        raise
    except (OSError, pyarrow.ArrowException, TooLarge) as error:
        raise DamagedFile(file, error) from error
    _check_columns(file, table.column_names)
    check_hash(file)
    try:
        fault = possible_numbers.of_table(file.stem, table)
        if config is not None:
            fault = fault or possible_rows.of_config(file.stem, table, config)
            if counted:
                fault = fault or possible_rows.of_counts(file.stem, table, config)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:  # columns of other kinds
        raise DamagedFile(file, error) from error
    if fault:
        raise DamagedFile(file, fault)
    return table


def check_table(file: Path) -> None:
    """Reads a table's end, where its columns are listed with their extremes; its rows where one of those cannot be.

    Raises:
        DamagedFile: it is none, lacks a column, is not what the run wrote, or has a number that cannot be.
    """
    import pyarrow.parquet

    try:
        _check_regular(file)
        metadata = pyarrow.parquet.read_metadata(file)
        TABLE_ROWS.check(f"'{file.name}'", metadata.num_rows)
        names = metadata.schema.to_arrow_schema().names
        doubtful = not possible_numbers.in_extremes(file.stem, metadata)
    except MemoryError:
        raise
    except (OSError, pyarrow.ArrowException, TooLarge) as error:
        raise DamagedFile(file, error) from error
    _check_columns(file, names)
    check_hash(file, large=False)
    if doubtful:
        read_table(file)


def _check_regular(file: Path) -> None:
    if not stat.S_ISREG(
        file.stat().st_mode
    ):  # pyarrow would read the files of a folder, and wait for a pipe
        raise NoRegularFile("it is no regular file")


def _check_columns(file: Path, names: Iterable[str]) -> None:
    missing = [name for name in COLUMNS[file.stem] if name not in set(names)]
    if missing:
        raise DamagedFile(file, TypeError(f"it has no column '{missing[0]}'"))
