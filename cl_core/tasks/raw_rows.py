"""Rows as they were found, before columns are mapped and anything is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Fault:
    """Something wrong with a task's data.

    Attributes:
        task: its name.
        split: where, or None for the task as a whole.
        message: what is wrong and what to do.
        source: the file, as the user wrote it.
        rows: the rows it concerns, counted from 1 without a header.
        hides_classes: whether rows were left out for their labels, so that classes cannot be counted.
        lacks_train: whether it is only that there are no training samples, which a held-out task does not need.
    """

    task: str
    split: str | None
    message: str
    source: str = ""
    rows: tuple[int, ...] = ()
    hides_classes: bool = False
    lacks_train: bool = False

    def __str__(self) -> str:
        where = f"task '{self.task}'"
        if self.split:
            where += f", {self.split}"
        if self.source:
            where += f" ({self.source})"
        return f"{where}: {self.message}{describe_rows(self.rows)}"


MOST_ROWS_LISTED = 5


def describe_rows(rows: Sequence[int]) -> str:
    """ " in rows 3, 9 and 4 more": at most five are listed.

    >>> describe_rows([3]), describe_rows([3, 9, 11, 12, 15, 16, 20])
    (' in row 3', ' in rows 3, 9, 11, 12, 15 and 2 more')
    """
    if not rows:
        return ""
    listed = ", ".join(str(row) for row in rows[:MOST_ROWS_LISTED])
    more = len(rows) - MOST_ROWS_LISTED
    return f" in row{'s' if len(rows) > 1 else ''} {listed}" + (
        f" and {more} more" if more > 0 else ""
    )


@dataclass(frozen=True)
class RawRows:
    """One split's columns, as lists of whatever the source held.

    Attributes:
        columns: by name, each (N,).
        source: the file, as the user wrote it.
        numbers: (N,) row numbers in the source, counted from 0.
        class_names: by column, the names that the format itself carries (`ClassLabel`).
        folder: paths in the rows are relative to it, and may not leave it; None where there are no files.
    """

    columns: Mapping[str, Sequence[object]]
    source: str
    numbers: Sequence[int]
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folder: Path | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, positions: Sequence[int]) -> RawRows:
        """The rows at these positions."""
        return RawRows(
            {name: [values[i] for i in positions] for name, values in self.columns.items()},
            self.source,
            [self.numbers[i] for i in positions],
            self.class_names,
            self.folder,
        )


class Problem(NamedTuple):
    """Something wrong with a file: what, in which rows counted from 1, and in which column if in one alone."""

    message: str
    rows: tuple[int, ...] = ()
    column: str | None = None


@dataclass(frozen=True)
class FileRows:
    """A file's rows, everything that is wrong with the file itself, and what is worth knowing of how it was read.

    `unused` names what else is in the file.
    """

    rows: RawRows | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawTask:
    """What a source found for one task.

    Attributes:
        name: of the task.
        source: where from, for people.
        splits: rows by split; those that could not be read are missing and explained by `faults`.
        label_names: the classes that a file beside the data names (`meta.json`).
        faults: what kept rows from being read.
        warnings: sentences.
        unused: what lies beside the data and was not read, each a path and the reason in words.
    """

    name: str
    source: str
    splits: Mapping[str, RawRows]
    label_names: tuple[str, ...] | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
