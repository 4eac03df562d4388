"""Tables as text, a row a line: what separates their cells, and whether quotes hold cells together or are text."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cl_core.errors import counted
from cl_core.limits import CELL_LENGTH, TABLE_CELLS, TABLE_COLUMNS
from cl_core.tasks.raw_rows import FileRows, Problem, RawRows
from cl_core.tasks.sources.column_names import long_name
from cl_core.tasks.sources.file_text import decode_text
from cl_core.tasks.sources.unused_data import named

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""What cells are told apart by, and what it is called."""
MOST_HEADED = 20
"""Columns of a header in a message."""
_QUOTED_CELL = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True)
class _Reading:
    """Records of a file, read in one way.

    Attributes:
        records: the header first.
        problems: what kept the rest from being read.
        short: rows that have not as many cells as the header.
        swallowing: rows with a cell that holds further lines of the file's own shape: by row, how many lines.
    """

    records: list[list[str]]
    problems: list[Problem]
    short: tuple[int, ...]
    swallowing: dict[int, int]

    @property
    def faults(self) -> int:
        return len(self.problems) + len(self.short) + len(self.swallowing)


def read_separated(path: Path, source: str, usual: str, asked: str | None = None) -> FileRows:
    """Reads a table.

    Where the header has nothing of what the file's name promises and one other separator, that is read and said
    **(ours)**. Quotes hold a cell together as RFC 4180 says, where the whole file agrees with that; else they are text.

    Args:
        path: the file.
        source: what messages call it.
        usual: what separates cells by the file's name, "," or a tab.
        asked: what the stream file says, which no header changes.
    """
    text, problems = decode_text(path.read_bytes())
    warnings: list[Problem] = []
    text, separator = _find_separator(text, usual, asked, problems, warnings)
    reading = _read(text, separator, warnings)
    problems += reading.problems
    records = reading.records
    if not records:
        empty = () if problems else (Problem("is empty: not even a header"),)
        return FileRows(None, (*problems, *empty))
    header = [name.strip() for name in records[0]]
    body = records[1:]
    if long := long_name(header):
        return FileRows(None, (*problems, long))
    if len(set(header)) != len(header):
        problems.append(Problem(f"the header names a column twice: {named(header, MOST_HEADED)}"))
    if reading.short:
        problems.append(
            Problem(f"not {counted(len(header), 'field')}, as in the header,", reading.short)
        )
    for row, lines in reading.swallowing.items():
        problems.append(
            Problem(
                f"a quote opens a cell that runs over {counted(lines, 'more line')}, like rows of their own; write a "
                'quote that is text as "" in a quoted cell,',
                (row,),
            )
        )
    kept = [row for row, record in enumerate(body) if len(record) == len(header)]
    columns = {name: [body[row][i] for row in kept] for i, name in enumerate(header)}
    return FileRows(RawRows(columns, source, kept), tuple(problems), tuple(warnings))


def _find_separator(
    text: str, usual: str, asked: str | None, problems: list[Problem], warnings: list[Problem]
) -> tuple[str, str]:
    """The text without a spreadsheet's `sep=;`, and what separates its cells."""
    header, _, rest = text.partition("\n")
    if declared := re.fullmatch(r'"?sep=(.)"?', header.strip("\r ")):
        return rest, asked or declared[1]
    if asked is not None:
        return text, asked
    if usual in header:
        return text, usual
    others = [separator for separator in SEPARATORS if separator != usual and separator in header]
    if len(others) == 1:
        instead = SEPARATORS[others[0]]
        message = f"is separated by {instead}, not by {SEPARATORS[usual]} as its name says, and was read so"
        warnings.append(Problem(message))
        return text, others[0]
    if others:
        instead = " and ".join(SEPARATORS[separator] for separator in others)
        message = (
            f"its header has no {SEPARATORS[usual]}, but {instead}; say which separates its cells in the stream file: "
            f'separator: "{others[0]}"'
        )
        problems.append(Problem(message))
    return text, usual


def _read(text: str, separator: str, warnings: list[Problem]) -> _Reading:
    """Reads with quoting, or without it where the file disagrees with quoting and agrees with its lines."""
    quoted = _split(text, separator, csv.QUOTE_MINIMAL)
    header = text.partition("\n")[0]
    if '"' not in text or '"' in header:
        return quoted
    plain = _split(text, separator, csv.QUOTE_NONE)
    if separator == "\t":
        # Tab-separated files are written without quoting as a rule, and a stray quote is just text.
        loose = len(plain.records) == len(quoted.records) and _has_loose(plain.records)
        agrees = not quoted.faults and (plain.faults or not loose)
        return quoted if agrees or quoted.faults < plain.faults else plain
    if quoted.faults and not plain.faults:
        message = (
            f"quotes are read as text: every line has {counted(len(plain.records[0]), 'cell')}, and with quotes "
            "around cells rows "
            "would be lost"
        )
        warnings.append(Problem(message))
        return plain
    return quoted


def _has_loose(records: list[list[str]]) -> bool:
    """Whether a cell holds quotes that do not enclose it, which no writer with quoting leaves."""
    cells = (cell for record in records for cell in record if '"' in cell)
    return any(not _QUOTED_CELL.fullmatch(cell) for cell in cells)


def _split(text: str, separator: str, quoting: Any) -> _Reading:
    # Documents may be longer than the module's default of 128 KiB a field; an open quote makes one cell of a file.
    csv.field_size_limit(CELL_LENGTH.most)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, quoting=quoting, strict=True
    )
    records: list[list[str]] = []
    problems: list[Problem] = []
    line, cells = 1, 0
    try:
        for record in reader:
            if record:
                records.append(record)
                cells += len(record)
            if cells > TABLE_CELLS.most or len(record) > TABLE_COLUMNS.most:
                limit = TABLE_CELLS if cells > TABLE_CELLS.most else TABLE_COLUMNS
                problems.append(Problem(limit.refusal("it", max(cells, len(record)))))
                break
            line = reader.line_num + 1
    except csv.Error as error:
        reason = f"{error}; rows from there on are missing"
        if "field larger" in reason:
            reason = f"a cell is longer: at most {CELL_LENGTH.shown} characters are read: {CELL_LENGTH.todo}"
        message = f"the row that begins in line {line} cannot be read ({reason})"
        problems.append(Problem(message))
    width = len(records[0]) if records else 0
    short = tuple(row for row, record in enumerate(records[1:], 1) if len(record) != width)
    return _Reading(records, problems, short, _swallowing(records, separator))


def _swallowing(records: list[list[str]], separator: str) -> dict[int, int]:
    """Rows with a cell over several lines that are rows of their own: by row, how many further lines it has.

    A line is taken for a row where it has the header's number of cells and one of them stands in that column of
    another row, as a label does **(ours)**: sentences over several lines have separators too.
    """
    width = len(records[0]) if records else 0
    over = {
        row: column
        for row, record in enumerate(records[1:], 1)
        if len(record) == width > 1
        for column, cell in enumerate(record)
        if "\n" in cell
    }
    if not over:
        return {}
    plain = [r for n, r in enumerate(records) if n and n not in over and len(r) == width]
    cells_of = [{record[column] for record in plain} - {""} for column in range(width)]
    further = {}
    for row, column in over.items():
        lines = records[row][column].splitlines()
        begins = [column] + [0] * (len(lines) - 2)  # the last line goes on behind the closing quote
        like = 0
        for line, begin in zip(lines, begins, strict=False):
            cells = line.split(separator)
            fits = len(cells) == width - begin
            like += fits and any(cell in cells_of[begin + n] for n, cell in enumerate(cells))
        if like * 2 > len(begins):
            further[row] = len(lines) - 1
    return further
