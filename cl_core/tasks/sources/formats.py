"""Reads one file of rows: parquet, arrow, csv, tsv, json lines, json. Every faulty row is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cl_core.bounded_files import NoRegularFile
from cl_core.errors import cut
from cl_core.limits import (
    JSON_TABLE_BYTES,
    TABLE_BYTES,
    TABLE_CELLS,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TooLarge,
)
from cl_core.table_sizes.arrow_messages import NoArrow
from cl_core.table_sizes.table_limits import check_arrow, check_parquet, within_limits
from cl_core.tasks.raw_rows import FileRows, Problem, RawRows
from cl_core.tasks.sources.arrow_table import rows_of_table
from cl_core.tasks.sources.column_names import long_name
from cl_core.tasks.sources.file_text import HALF_ESCAPED, decode_text, has_half, mend_halves
from cl_core.tasks.sources.json_layouts import by_rows
from cl_core.tasks.sources.separated_values import read_separated
from cl_core.tasks.sources.unused_data import named


def read_file(path: Path, source: str, separator: str | None = None) -> FileRows:
    """Reads a file by its suffix.

    Args:
        path: the file.
        source: what messages call it.
        separator: what separates the cells of csv and tsv; None for what the file itself shows.
    """
    suffix = path.suffix.lower()
    limit = JSON_TABLE_BYTES if suffix in TEXTS else TABLE_BYTES
    try:
        if not path.is_file():
            raise NoRegularFile("is no regular file")
        limit.check("it", path.stat().st_size)
    except (OSError, TooLarge) as error:
        return FileRows(None, (Problem(str(error)),))
    if suffix in SEPARATED:
        return read_separated(path, source, SEPARATED[suffix], separator)
    if suffix not in OTHERS:
        message = f"'{path.suffix}' files cannot be read; allowed are {', '.join(READERS)}"
        return FileRows(None, (Problem(message),))
    return OTHERS[suffix](path, source)


def _json_lines(path: Path, source: str) -> FileRows:
    text, problems = decode_text(path.read_bytes())
    records: list[tuple[int, Mapping[str, object]]] = []
    broken, not_objects = [], []
    for number, line in enumerate(text.split("\n")):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            broken.append(number + 1)
            continue
        if isinstance(record, dict):
            records.append((number, record))
        else:
            not_objects.append(number + 1)
    if broken:
        problems.append(Problem("not valid JSON", tuple(broken)))
    if not_objects:
        problems.append(Problem("not a JSON object ({...})", tuple(not_objects)))
    return _from_records(records, source, problems, HALF_ESCAPED.search(text) is not None)


def _json(path: Path, source: str) -> FileRows:
    text, problems = decode_text(path.read_bytes())
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            return _json_lines(path, source)  # json lines under the name .json are common
        message = f"not valid JSON: line {error.lineno}: {error.msg}"
        return FileRows(None, (*problems, Problem(message)))
    except (ValueError, RecursionError) as error:  # numbers without end, lists in lists without end
        return FileRows(None, (*problems, Problem(f"not JSON that can be read ({error})")))
    others: list[str] = []
    content = by_rows(content)
    if isinstance(content, dict):
        lists = [name for name, value in content.items() if isinstance(value, list)]
        wrapped = len(lists) == 1 and all(isinstance(record, dict) for record in content[lists[0]])
        others = [str(mend_halves(name)) for name in content if wrapped and name not in lists]
        content = content[lists[0]] if wrapped else [content]  # {"version": 1, "data": [...]}
    if not isinstance(content, list):
        return FileRows(None, (*problems, Problem("must hold a list of objects")))
    bad = tuple(row for row, record in enumerate(content, 1) if not isinstance(record, dict))
    if bad:
        problems.append(Problem("not a JSON object ({...})", bad))
    records = [(row, record) for row, record in enumerate(content) if isinstance(record, dict)]
    read = _from_records(records, source, problems, HALF_ESCAPED.search(text) is not None)
    beside = (f"{named(others)} of {source}: beside the list of rows",) if others else ()
    return replace(read, unused=beside)


def _from_records(
    records: Sequence[tuple[int, Mapping[str, object]]],
    source: str,
    problems: list[Problem],
    halves: bool,
) -> FileRows:
    """Rows of objects; `halves` says whether there may be half characters in them."""
    names = dict.fromkeys(name for _, record in records for name in record)
    if long := long_name(names):
        return FileRows(None, (*problems, long))
    try:
        TABLE_ROWS.check("it", len(records))
        TABLE_COLUMNS.check("it", len(names))
        TABLE_CELLS.check("it", len(names) * len(records))
    except TooLarge as error:
        return FileRows(None, (*problems, Problem(str(error))))
    columns: dict[str, list[object]] = {}
    warnings = []
    for name in names:
        values = [record.get(name) for _, record in records]
        plain = str(mend_halves(name))
        if halves and (halved := [row for row, value in enumerate(values) if has_half(value)]):
            for at in halved:
                values[at] = mend_halves(values[at])
            numbers = tuple(records[at][0] + 1 for at in halved)
            message = f"'{cut(plain)}' holds half a character, as a cut emoji leaves it, read as '\ufffd',"
            warnings.append(Problem(message, numbers, plain))
        if plain in columns:
            problems.append(Problem("two columns have this name", (), plain))
        columns[plain] = values
    rows = RawRows(columns, source, [row for row, _ in records])
    return FileRows(rows, tuple(problems), tuple(warnings))


def _parquet(path: Path, source: str) -> FileRows:
    import pyarrow
    from pyarrow import parquet

    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return FileRows(None, (Problem("not a parquet file: it does not begin with 'PAR1'"),))
    try:
        check_parquet(path)
        table = parquet.ParquetFile(path).read()
    except TooLarge as error:
        return FileRows(None, (Problem(str(error)),))
    except (pyarrow.ArrowException, OSError) as error:
        return FileRows(None, (Problem(f"not a readable parquet file ({_first_line(error)})"),))
    return rows_of_table(table, source)


def _arrow(path: Path, source: str) -> FileRows:
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as opened:
            check_arrow(opened)
            opened.seek(0)
            try:
                reader = pyarrow.ipc.open_file(opened)
                batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
            except pyarrow.ArrowInvalid:
                opened.seek(0)
                reader = batches = pyarrow.ipc.open_stream(opened)
            table = pyarrow.Table.from_batches(within_limits(batches), reader.schema)
            return rows_of_table(table, source)
    except TooLarge as error:
        return FileRows(None, (Problem(str(error)),))
    except (pyarrow.ArrowException, NoArrow, OSError) as error:
        return FileRows(None, (Problem(f"not a readable arrow file ({_first_line(error)})"),))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


TEXTS = (".json", ".jsonl", ".ndjson")
SEPARATED = {".csv": ",", ".tsv": "\t"}
OTHERS: dict[str, Callable[[Path, str], FileRows]] = {
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".arrow": _arrow,
}
READERS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".arrow")
"""Endings of the files that can be read."""
