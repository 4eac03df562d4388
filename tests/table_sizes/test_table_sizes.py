"""How large tables become is known before they are decoded, and honest ones are read as ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cl_core.table_sizes.arrow_messages import expanded
from cl_core.table_sizes.decoded_size import decoded_size
from cl_core.table_sizes.parquet_pages import pages
from cl_core.tasks.sources.formats import read_file

ROWS = 300
COLUMNS: dict[str, Any] = {
    "number": list(range(ROWS)),
    "text": [f"a text with the number {n}" for n in range(ROWS)],
    "kind": pa.array(["good", "bad", None] * (ROWS // 3)).dictionary_encode(),
    "votes": [["yes", "no"], [], None] * (ROWS // 3),
}


def arrow(file: Path, codec: str | None, kind: str, table: pa.Table) -> Path:
    """An arrow file, or stream, of a table, in batches of 100 rows."""
    new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with new(str(file), table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=100)
    return file


@pytest.mark.parametrize("kind", ["file", "stream"])
@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_a_message_of_arrow_says_how_large_it_becomes(
    tmp_path: Path, codec: str | None, kind: str
) -> None:
    table = pa.table(COLUMNS)
    plain = arrow(tmp_path / "plain.arrow", None, kind, table)
    packed = arrow(tmp_path / "packed.arrow", codec, kind, table)
    with pa.memory_map(str(plain)) as one, pa.memory_map(str(packed)) as other:
        lengths, says = [size for size in expanded(one) if size], [*filter(None, expanded(other))]
    assert len(says) == 4  # the dictionary and three batches
    for length, said in zip(lengths, says, strict=True):
        assert 0 <= length - said < 8 * 20  # what aligns the plain one's buffers
    read = read_file(packed, "packed.arrow")
    assert read.problems == ()
    assert read.rows is not None
    assert read.rows.columns["votes"] == COLUMNS["votes"]
    assert read.rows.columns["kind"][:3] == ["good", "bad", None]


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_an_arrow_file_that_is_cut_or_scribbled_in_is_one_problem(
    tmp_path: Path, kind: str
) -> None:
    content = arrow(tmp_path / "whole.arrow", "lz4", kind, pa.table(COLUMNS)).read_bytes()
    file = tmp_path / "broken.arrow"
    damaged = [content[:length] for length in range(0, len(content), 97)]
    damaged += [content[:at] + b"\xff" * 8 + content[at + 8 :] for at in range(0, len(content), 31)]
    refused = 0
    for broken in damaged:
        file.write_bytes(broken)
        read = read_file(file, file.name)  # and raises nothing
        refused += read.rows is None
    assert refused > 20


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_pages_of_parquet_say_how_large_they_become(
    tmp_path: Path, compression: str, version: str
) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(
        pa.table(COLUMNS),
        file,
        compression=compression,
        data_page_version=version,
        data_page_size=500,
        write_batch_size=50,
        row_group_size=150,
    )
    metadata = pq.read_metadata(file)
    for group in (metadata.row_group(0), metadata.row_group(1)):
        for column in (group.column(index) for index in range(group.num_columns)):
            of_column = list(pages(file, [column]))
            headers = column.total_uncompressed_size - sum(size for size, _ in of_column)
            assert 0 < headers < 200 * len(of_column)
            dictionary = 1 if column.has_dictionary_page else 0
            assert sum(values for _, values in of_column[dictionary:]) == column.num_values


def test_texts_that_repeat_the_one_before_are_read(tmp_path: Path) -> None:
    """At worst, 25,000 texts of all the column's bytes would be 6 GB; they are 3 MB."""
    file = tmp_path / "a.parquet"
    texts = [f"{'the beginning of them all' * 4} {n * 7919**3 % 10**9}" for n in range(25_000)]
    pq.write_table(
        pa.table({"text": texts}),
        file,
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
        compression="none",
    )
    size = pq.read_metadata(file).row_group(0).column(0).total_uncompressed_size
    assert size * len(texts) > 2**32
    read = read_file(file, "a.parquet")
    assert read.problems == ()
    assert read.rows is not None
    assert read.rows.columns["text"] == texts


SHARED = pa.DictionaryArray.from_arrays(pa.array([0, 0, None, 1], pa.int8()), ["x" * 100, "y"])
ENDS = pa.RunEndEncodedArray.from_arrays([1000], pa.array(["x" * 100]))


@pytest.mark.parametrize(
    ("array", "least"),
    [
        (SHARED, 201),
        (pa.ListArray.from_arrays([0, 4], SHARED), 201),
        (pa.StructArray.from_arrays([SHARED], ["a"]), 201),
        (pa.array([b"x" * 100, None], pa.large_binary()), 100),
        (pa.array(["x" * 100, None, "y" * 50], pa.string_view()).slice(1), 50),
        (ENDS, 100_000),
        (pa.array([[("x" * 50, "y" * 50)]], pa.map_(pa.string(), pa.string())), 100),
        (pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), 4 * 8),
        (pa.ListArray.from_arrays([0, 1000], pa.nulls(1000)), 8000),
        (pa.ListViewArray.from_arrays([0, 0, 0], [4, 4, 4], [1, 2, 3, 4]), 3 * 4 * 8),
    ],
    ids=lambda value: str(value.type).split("<")[0] if isinstance(value, pa.Array) else "",
)
def test_what_is_shared_counts_as_often_as_it_stands_there(array: pa.Array, least: int) -> None:
    assert least <= decoded_size(array) <= 30 * least
