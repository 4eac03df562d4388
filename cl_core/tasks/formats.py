"""Reads one file of rows: parquet, arrow, csv, tsv, json lines, json. Every faulty row is named."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cl_core.tasks.raw import RawRows

Problem = tuple[str, tuple[int, ...]]  # message, rows counted from 1


@dataclass(frozen=True)
class FileRows:
    """A file's rows and everything that is wrong with the file itself."""

    rows: RawRows | None
    problems: tuple[Problem, ...] = ()


def read_file(path: Path, place: str) -> FileRows:
    """Reads a file by its suffix.

    Args:
        path: the file.
        place: what messages call it.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        return FileRows(
            None,
            ((f"'{path.suffix}' files cannot be read; allowed are {', '.join(READERS)}", ()),),
        )
    return reader(path, place)


def _separated(separator: str) -> Callable[[Path, str], FileRows]:
    def read(path: Path, place: str) -> FileRows:
        text, problems = _decode(path.read_bytes())
        records, wrong = _split_records(text, separator, csv.QUOTE_MINIMAL)
        if wrong and separator == "\t":
            # Tab-separated files are often written without quoting, so that a stray quote is just text.
            plain, fewer = _split_records(text, separator, csv.QUOTE_NONE)
            if len(fewer) < len(wrong):
                records, wrong = plain, fewer
        problems += wrong
        if not records:
            return FileRows(None, (*problems, ("is empty: not even a header", ())))
        header = [name.strip() for name in records[0]]
        body = records[1:]
        if len(set(header)) != len(header):
            problems.append((f"the header names a column twice: {', '.join(header)}", ()))
        short = tuple(row for row, record in enumerate(body, 1) if len(record) != len(header))
        if short:
            problems.append((f"not {len(header)} fields, as in the header,", short))
        kept = [row for row, record in enumerate(body) if len(record) == len(header)]
        columns = {name: [body[row][i] for row in kept] for i, name in enumerate(header)}
        return FileRows(RawRows(columns, place, kept), tuple(problems))

    return read


def _split_records(
    text: str, separator: str, quoting: Any
) -> tuple[list[list[str]], list[Problem]]:
    # Documents may be longer than the module's default of 128 KiB a field.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, quoting=quoting, strict=True
    )
    records = []
    try:
        for record in reader:
            if record:
                records.append(record)
    except csv.Error as error:
        message = f"line {reader.line_num} cannot be read ({error}); rows from there on are missing"
        return records, [(message, ())]
    return records, []


def _json_lines(path: Path, place: str) -> FileRows:
    text, problems = _decode(path.read_bytes())
    records: list[tuple[int, Mapping[str, object]]] = []
    broken, not_objects = [], []
    for number, line in enumerate(text.split("\n")):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            broken.append(number + 1)
            continue
        if isinstance(record, dict):
            records.append((number, record))
        else:
            not_objects.append(number + 1)
    if broken:
        problems.append(("not valid JSON", tuple(broken)))
    if not_objects:
        problems.append(("not a JSON object ({...})", tuple(not_objects)))
    return _from_records(records, place, problems)


def _json(path: Path, place: str) -> FileRows:
    text, problems = _decode(path.read_bytes())
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            return _json_lines(path, place)  # json lines under the name .json are common
        return FileRows(
            None, (*problems, (f"not valid JSON: line {error.lineno}: {error.msg}", ()))
        )
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        wrapped = len(lists) == 1 and all(isinstance(each, dict) for each in lists[0])
        found = lists[0] if wrapped else [found]  # {"version": 1, "data": [...]}
    if not isinstance(found, list):
        return FileRows(None, (*problems, ("must hold a list of objects", ())))
    bad = tuple(row for row, each in enumerate(found, 1) if not isinstance(each, dict))
    if bad:
        problems.append(("not a JSON object ({...})", bad))
    records = [(row, each) for row, each in enumerate(found) if isinstance(each, dict)]
    return _from_records(records, place, problems)


def _from_records(
    records: Sequence[tuple[int, Mapping[str, object]]], place: str, problems: list[Problem]
) -> FileRows:
    names = dict.fromkeys(name for _, record in records for name in record)
    columns = {name: [record.get(name) for _, record in records] for name in names}
    return FileRows(RawRows(columns, place, [row for row, _ in records]), tuple(problems))


def _decode(data: bytes) -> tuple[str, list[Problem]]:
    """UTF-8 text, and where it is not: byte offsets and lines."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        problem = ("is UTF-16, as some spreadsheets save it; save it as UTF-8", ())
        return data.decode("utf-16", errors="replace"), [problem]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    bad: list[int] = []
    start = 0
    while start < len(data):
        try:
            data[start:].decode("utf-8")
            break
        except UnicodeDecodeError as error:
            offset = start + error.start
            bad.append(offset)
            if len(bad) == 1000:  # not text at all
                break
            start = start + error.end
    listed = ", ".join(_describe_byte(data, offset) for offset in bad[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    problem = (f"not UTF-8 at {listed}{more}; save the file as UTF-8", ())
    # What can be read is read, so that other faults of the file are found in the same go.
    return data.decode("utf-8-sig", errors="replace"), [problem]


def _describe_byte(data: bytes, offset: int) -> str:
    line = data.count(b"\n", 0, offset) + 1
    return f"byte {offset} (0x{data[offset]:02x}, line {line})"


def _parquet(path: Path, place: str) -> FileRows:
    import pyarrow
    from pyarrow import parquet

    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return FileRows(None, (("not a parquet file: it does not begin with 'PAR1'", ()),))
    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        return FileRows(None, ((f"not a readable parquet file ({_first_line(error)})", ()),))
    return rows_of_table(table, place)


def _arrow(path: Path, place: str) -> FileRows:
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as source:
            try:
                table = pyarrow.ipc.open_file(source).read_all()
            except pyarrow.ArrowInvalid:
                source.seek(0)
                table = pyarrow.ipc.open_stream(source).read_all()
            return rows_of_table(table, place)
    except (pyarrow.ArrowException, OSError) as error:
        return FileRows(None, ((f"not a readable arrow file ({_first_line(error)})", ()),))


def rows_of_table(table: Any, place: str) -> FileRows:
    """Rows of a `pyarrow.Table`, with the class names that `datasets` keeps in its metadata."""
    columns: dict[str, list[object]] = {}
    problems: list[Problem] = []
    for name in table.column_names:
        try:
            columns[name] = table.column(name).to_pylist()
        except UnicodeDecodeError:
            columns[name], broken = _decode_cells(table.column(name))
            problems.append((f"column '{name}' is not UTF-8", broken))
    metadata = (table.schema.metadata or {}).get(b"huggingface")
    names: dict[str, tuple[str, ...]] = {}
    if metadata:
        features = json.loads(metadata).get("info", {}).get("features", {}) or {}
        for column, feature in features.items():
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
                names[column] = tuple(feature.get("names", ()))
    rows = RawRows(columns, place, range(table.num_rows), names)
    return FileRows(rows, tuple(problems))


def _decode_cells(column: Any) -> tuple[list[object], tuple[int, ...]]:
    import pyarrow

    cells: list[object] = []
    broken = []
    kind = (
        pyarrow.large_binary() if pyarrow.types.is_large_string(column.type) else pyarrow.binary()
    )
    for row, value in enumerate(column.cast(kind).to_pylist(), 1):
        try:
            cells.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            cells.append(value.decode(errors="replace"))
            broken.append(row)
    return cells, tuple(broken)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


READERS: dict[str, Callable[[Path, str], FileRows]] = {
    ".parquet": _parquet,
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".arrow": _arrow,
}
