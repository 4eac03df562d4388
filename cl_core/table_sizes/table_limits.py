"""How large a table becomes once it is decoded, looked at before it is: few bytes may say very much.

A value that parquet keeps once may stand in every row, a run of equal values takes no more room than one, and what is
compressed may be a thousand times as large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cl_core.limits import TABLE_CELLS, TABLE_COLUMNS, TABLE_EXPANDED, TABLE_ROWS
from cl_core.table_sizes.arrow_messages import expanded
from cl_core.table_sizes.decoded_size import POINTER, decoded_size
from cl_core.table_sizes.parquet_pages import pages
from cl_core.table_sizes.sound_arrays import check_sound

_AT_ONCE = 2**29
"""Bytes that are decoded at once of texts that say how they differ from the one before."""


def check_parquet(path: Path, what: str = "it") -> None:
    """Looks at what a parquet file says of itself, and where that leaves it open, at its texts as they are encoded.

    Args:
        path: of the file.
        what: begins the sentence of a refusal.

    Raises:
        TooLarge: it has too many rows, columns or cells, or its pages or texts expand to too much.
        pyarrow.ArrowException, OSError: it is none.
    """
    from pyarrow import parquet

    metadata = parquet.read_metadata(path)
    _check_shape(what, metadata.num_rows, metadata.num_columns)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(index) for group in groups for index in range(group.num_columns)]
    size = values = 0
    for page_size, page_values in pages(path, columns):
        size, values = size + max(page_size, 0), values + max(page_values, 0)
        TABLE_EXPANDED.check(what, max(size, values * POINTER))
    fixed = worst = 0
    texts = set()
    for number, column in enumerate(
        columns
    ):  # of which a row may have as many as it likes, in lists
        if (
            column.physical_type == "BYTE_ARRAY"
        ):  # at worst, each is all that the column's bytes say
            worst += column.num_values * column.total_uncompressed_size
            texts.add(column.path_in_schema)
        else:
            width = metadata.schema.column(number % metadata.num_columns).length
            fixed += column.num_values * max(POINTER, width)
    TABLE_EXPANDED.check(what, fixed)
    if fixed + worst > TABLE_EXPANDED.most:
        TABLE_EXPANDED.check(what, fixed + _decoded(path, sorted(texts), what))


def check_arrow(opened: Any, what: str = "it") -> None:
    """Looks at what the messages of an arrow file say of themselves, before any is decompressed.

    Args:
        opened: a memory map of it.
        what: begins the sentence of a refusal.

    Raises:
        TooLarge: together, they expand to too much.
        NoArrow, pyarrow.ArrowException, OSError: it is none.
    """
    size = 0
    for bytes_of_message in expanded(opened):
        size += bytes_of_message
        TABLE_EXPANDED.check(what, size)


def within_limits(batches: Iterable[Any], what: str = "it") -> Iterator[Any]:
    """Passes batches of an arrow table on, for as long as they are not too much together.

    Args:
        batches: of `pyarrow.RecordBatch`.
        what: begins the sentence of a refusal.

    Raises:
        TooLarge: they are.
        pyarrow.ArrowInvalid: one leads out of its buffers.
    """
    rows = size = 0
    for batch in batches:
        for column in batch.columns:
            check_sound(column)
        rows, size = rows + batch.num_rows, size + sum(map(decoded_size, batch.columns))
        _check_shape(what, rows, batch.num_columns)
        TABLE_EXPANDED.check(what, size)
        yield batch


def _check_shape(what: str, rows: int, columns: int) -> None:
    TABLE_ROWS.check(what, rows)
    TABLE_COLUMNS.check(what, columns)
    TABLE_CELLS.check(what, rows * columns)


def _decoded(path: Path, names: list[str], what: str) -> int:
    """Bytes of columns of texts, each text counted as often as it stands there."""
    from pyarrow import parquet

    size = 0
    for name in names:  # one after the other: a text is in memory once
        with parquet.ParquetFile(path, read_dictionary=[name]) as file:
            if _by_differences(file.metadata, name):
                size += _by_pieces(path, name, what)
            else:
                for column in file.read(columns=[name]).columns:
                    size += sum(map(decoded_size, column.chunks))
        TABLE_EXPANDED.check(what, size)
    return size


def _by_differences(metadata: Any, name: str) -> bool:
    """Whether texts say how they begin as the one before, which pyarrow reads into no dictionary."""
    return any("DELTA_BYTE_ARRAY" in column.encodings for column in _chunks(metadata, name))


def _chunks(metadata: Any, name: str) -> Iterator[Any]:
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema == name:
                yield column


def _by_pieces(path: Path, name: str, what: str) -> int:
    """As `_decoded`, a few rows at a time."""
    from pyarrow import parquet

    size = 0
    with parquet.ParquetFile(path) as file:
        for number, chunk in enumerate(_chunks(file.metadata, name)):
            rows = max(1, _AT_ONCE // max(1, chunk.total_uncompressed_size))
            for batch in file.iter_batches(rows, row_groups=[number], columns=[name]):
                size += sum(map(decoded_size, batch.columns))
                TABLE_EXPANDED.check(what, size)
    return size
