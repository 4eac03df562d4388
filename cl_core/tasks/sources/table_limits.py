"""How large a table becomes once it is decoded, looked at before it is: few bytes may say very much.

A value that parquet keeps once may stand in every row, and a run of equal values takes no more room than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cl_core.limits import TABLE_CELLS, TABLE_COLUMNS, TABLE_EXPANDED, TABLE_ROWS


def check_parquet(path: Path) -> None:
    """Looks at what a parquet file says of itself, and where that leaves it open, at its texts as they are encoded.

    Raises:
        TooLarge: it has too many rows, columns or cells, or its texts expand to too much.
        pyarrow.ArrowException, OSError: it is none.
    """
    from pyarrow import parquet

    metadata = parquet.read_metadata(path)
    _check_shape(metadata.num_rows, metadata.num_columns)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    TABLE_EXPANDED.check("it", sum(group.total_byte_size for group in groups))
    most = 0
    texts = set()
    for group in groups:
        for column in (group.column(index) for index in range(group.num_columns)):
            # At worst, every row has all that the column's bytes say.
            if column.physical_type == "BYTE_ARRAY" and "." not in column.path_in_schema:
                most += group.num_rows * column.total_uncompressed_size
                texts.add(column.path_in_schema)
    if most > TABLE_EXPANDED.most:
        TABLE_EXPANDED.check("it", _decoded(path, sorted(texts)))


def within_limits(batches: Iterable[Any]) -> Iterator[Any]:
    """Passes batches of an arrow table on, for as long as they are not too much together.

    Raises:
        TooLarge: they are.
    """
    rows = size = 0
    for batch in batches:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        _check_shape(rows, batch.num_columns)
        TABLE_EXPANDED.check("it", size)
        yield batch


def _check_shape(rows: int, columns: int) -> None:
    TABLE_ROWS.check("it", rows)
    TABLE_COLUMNS.check("it", columns)
    TABLE_CELLS.check("it", rows * columns)


def _decoded(path: Path, names: list[str]) -> int:
    """Bytes of columns of texts, each text counted as often as it stands there."""
    import pyarrow.compute as pc
    from pyarrow import parquet, types

    size = 0
    for name in names:  # one after the other: a text is in memory once
        column = parquet.read_table(
            path, columns=[name], read_dictionary=[name], partitioning=None
        ).column(0)
        for chunk in column.chunks:
            if types.is_dictionary(chunk.type):
                lengths = pc.take(pc.binary_length(chunk.dictionary), chunk.indices)
                size += pc.sum(pc.cast(lengths, "int64")).as_py() or 0
            else:
                size += chunk.nbytes
    return size
