"""The labels of a task's splits as they were found: cells read alike from every format, unfit ones named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cl_core.errors import cut
from cl_core.tasks.labels.label_cells import (
    Label,
    LabelFault,
    is_whole,
    number_of,
    read_label,
    settle,
)
from cl_core.tasks.raw_rows import Fault, RawRows

LABEL_COLUMN = "label"
NAMES_COLUMN = "label_name"


@dataclass(frozen=True)
class LabelTable:
    """One split's labels.

    Attributes:
        split: its name.
        labels: (N,) labels; None where there is none, or none that is fit.
        missing: positions of rows whose cell is empty.
        names: (N,) the column `label_name`, if there is one.
        class_names: what the format says (`ClassLabel`).
        numbers: (N,) row numbers, counted from 0.
        source: the file.
    """

    split: str
    labels: Sequence[Label | None]
    missing: Sequence[int]
    names: Sequence[object] | None
    class_names: tuple[str, ...] | None
    numbers: Sequence[int]
    source: str

    @property
    def whole(self) -> bool:
        """Whether all labels are whole numbers, written or typed."""
        labels = [label for label in set(self.labels) if label is not None]
        return bool(labels) and all(map(is_whole, labels))


def read_tables(
    task: str, splits: Mapping[str, RawRows], column: str, given: Sequence[str] | None
) -> tuple[list[LabelTable], list[Fault]]:
    """The labels of every split; lists, mappings, bytes and measurements are faults, since they are no classes.

    Args:
        task: its name.
        splits: rows that have the column.
        column: of the labels.
        given: `label_names` of the stream file: numbers with a fraction are classes where it lists them.
    """
    cells = {
        split: [read_label(value) for value in rows.columns[column]]
        for split, rows in splits.items()
    }
    fit = dict.fromkeys(
        cell
        for column_cells in cells.values()
        for cell in column_cells
        if cell is not None and not isinstance(cell, LabelFault)
    )
    settled = settle(fit)
    measured = _measured(settled, given)
    tables, faults = [], []
    for split, rows in splits.items():
        labels: list[Label | None] = []
        missing: list[int] = []
        unfit: dict[LabelFault, list[int]] = {}
        fractions: list[int] = []
        for row, cell in enumerate(cells[split]):
            label = cell if cell is None or isinstance(cell, LabelFault) else settled[cell]
            if label is None:
                missing.append(row)
            elif isinstance(label, LabelFault):
                unfit.setdefault(label, []).append(rows.numbers[row] + 1)
                label = None
            elif label in measured:
                fractions.append(rows.numbers[row] + 1)
                label = None
            labels.append(label)
        for kind, numbers in unfit.items():
            message = f"'{cut(column)}' {kind.value};"
            faults.append(_fault(task, split, message, rows.source, numbers))
        if fractions:
            message = (
                f"'{cut(column)}' holds numbers with a fraction, such as {min(measured)}: a measurement to be "
                "predicted (regression), and a row has one class here; cut them into classes (low, middle, high), or "
                "list every number under label_names where each is a class;"
            )
            faults.append(_fault(task, split, message, rows.source, fractions))
        names = rows.columns.get(NAMES_COLUMN) if is_named(column, rows) else None
        carried = rows.class_names.get(column)
        tables.append(
            LabelTable(split, labels, missing, names, carried, rows.numbers, rows.source)
        )  # fmt: skip
    return tables, faults


def is_named(column: str, rows: RawRows) -> bool:
    """Whether `label_name` and a meta.json name this column's numbers: those of `label`, where there is one."""
    return column == LABEL_COLUMN or (column != NAMES_COLUMN and LABEL_COLUMN not in rows.columns)


def _measured(
    settled: Mapping[Label, Label | LabelFault | None], given: Sequence[str] | None
) -> set[str]:
    """Labels that are measurements: numbers with a fraction among numbers alone, unless they are listed as names."""
    labels = {label for label in settled.values() if isinstance(label, int | str)}
    if not all(number_of(label) is not None for label in labels):
        return set()
    listed = {number_of(name) for name in given or ()}
    return {
        str(label) for label in labels if not is_whole(label) and number_of(label) not in listed
    }


def _fault(task: str, split: str, message: str, source: str, rows: Sequence[int]) -> Fault:
    return Fault(task, split, message, source, tuple(rows), hides_classes=True)
