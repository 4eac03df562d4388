"""What the numbers of each table mean by its own data: `ClassLabel`, a meta.json, or the column `label_name`.

Two tables may number the same classes differently, two splits of one file too; names decide, never the number alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cl_core.errors import cut
from cl_core.tasks.labels.label_cells import same_label
from cl_core.tasks.labels.label_tables import LABEL_COLUMN, NAMES_COLUMN, LabelTable, is_named
from cl_core.tasks.raw_rows import Fault, RawRows

CARRIED = "the file's own class names (ClassLabel)"
BESIDE = "meta.json"
COLUMN = "the column label_name"


@dataclass(frozen=True)
class NumberNames:
    """What one table's numbers are called.

    Attributes:
        where: who says so.
        names: by number.
    """

    where: str
    names: Mapping[int, str]

    @property
    def says_nothing(self) -> bool:
        """Whether every name is the number itself."""
        return all(same_label(name) == str(number) for number, name in self.names.items())


def find_number_names(
    task: str,
    table: LabelTable,
    beside: tuple[str, ...] | None,
    given: Sequence[str] | None,
) -> tuple[NumberNames | None, list[Fault], list[str]]:
    """What a table's numbers are called by its own data; None where nothing says it.

    Of several sources the first is taken that has a name of ``given``, else the first **(ours)**: the file's own, the
    meta.json, the column. Sources that give one name to different numbers contradict each other.

    Args:
        task: its name.
        table: of whole numbers.
        beside: `label_names` of a meta.json.
        given: `label_names` of the stream file.

    Returns:
        The names; contradictions; sentences on names that merely differ.
    """
    sources = []
    if table.class_names:
        sources.append(NumberNames(CARRIED, dict(enumerate(table.class_names))))
    if beside:
        sources.append(NumberNames(BESIDE, dict(enumerate(beside))))
    column, faults = _column_names(task, table)
    if column is not None:
        sources.append(column)
    sources = [source for source in sources if not source.says_nothing] or sources[:1]
    if not sources:
        return None, faults, []
    chosen = next(
        (source for source in sources if set(given or ()) & set(source.names.values())), sources[0]
    )
    warnings = []
    for other in sources:
        if other is not chosen:
            wrong, notes = _compare(task, table, chosen, other)
            faults += wrong
            warnings += notes
    return chosen, faults, warnings


def foreign_names(
    column: str, splits: Mapping[str, RawRows], tables: Sequence[LabelTable], beside: bool
) -> str:
    """What is said where numbers are read of one column and named for another, `label`; "" elsewhere.

    Args:
        column: of the labels.
        splits: rows that have the column.
        tables: its labels by split.
        beside: whether a meta.json has names.
    """
    others = [
        splits[table.split]
        for table in tables
        if table.whole and not is_named(column, splits[table.split])
    ]
    where = [NAMES_COLUMN] if any(NAMES_COLUMN in rows.columns for rows in others) else []
    where += ["meta.json"] if beside and others else []
    if column == NAMES_COLUMN or not where:
        return ""
    return (
        f"{' and '.join(where)} {'names' if len(where) == 1 else 'name'} the column {LABEL_COLUMN}, and the labels are "
        f"those of '{column}': its numbers are called by themselves, or by label_names"
    )


def assumed_names(
    column: str,
    splits: Mapping[str, RawRows],
    tables: Sequence[LabelTable],
    inputs: Collection[str],
) -> str:
    """What is said where a meta.json may name the numbers of another column than the one whose they are taken for.

    Args:
        column: of the labels.
        splits: rows that have the column.
        tables: its labels by split.
        inputs: columns of what is answered about.
    """
    if column in (LABEL_COLUMN, NAMES_COLUMN) or not any(table.whole for table in tables):
        return ""
    others = dict.fromkeys(name for rows in splits.values() for name in rows.columns)
    listed = [f"'{cut(name)}'" for name in others if name not in {column, NAMES_COLUMN, *inputs}]
    if not listed:
        return ""
    return (
        f"meta.json does not say which column's numbers it names, and is taken to name those of '{column}'; there "
        f"{'is' if len(listed) == 1 else 'are'} {', '.join(listed[:5])} too"
    )


def _compare(
    task: str, table: LabelTable, one: NumberNames, other: NumberNames
) -> tuple[list[Fault], list[str]]:
    used = {int(label) for label in table.labels if label is not None}
    differ = [
        number
        for number in sorted(used & one.names.keys() & other.names.keys())
        if one.names[number] != other.names[number]
    ]
    crossed = [
        number
        for number in differ
        if one.names[number] in other.names.values() or other.names[number] in one.names.values()
    ]
    if crossed:
        number = crossed[0]
        message = (
            f"label {number} is '{cut(one.names[number])}' by {one.where} and '{cut(other.names[number])}' by "
            f"{other.where}; they cannot both be right: mend one, remove it, or give label: label_name"
        )
        return [Fault(task, table.split, message, table.source)], []
    if differ:
        number = differ[0]
        return [], [
            f"task '{task}', {table.split}: label {number} is '{cut(one.names[number])}' by {one.where} and "
            f"'{cut(other.names[number])}' by {other.where}; the first is used"
        ]
    return [], []


def _column_names(task: str, table: LabelTable) -> tuple[NumberNames | None, list[Fault]]:
    """By number, the first name that it has in the column `label_name`; contradictions are faults."""
    if table.names is None:
        return None, []
    faults = []
    names: dict[int, str] = {}
    wrong: dict[tuple[int, str], list[int]] = {}
    for number, label, name in zip(table.numbers, table.labels, table.names, strict=True):
        if label is None or not isinstance(name, str) or not name.strip():
            continue
        if names.setdefault(int(label), name.strip()) != name.strip():
            wrong.setdefault((int(label), name.strip()), []).append(number + 1)
    for (label, name), rows in wrong.items():
        message = f"label {label} is named '{cut(names[label])}' elsewhere, and '{cut(name)}'"
        faults.append(Fault(task, table.split, message, table.source, tuple(rows)))
    numbers: dict[str, list[int]] = {}
    for label, name in sorted(names.items()):
        numbers.setdefault(name, []).append(label)
    for name, labels in numbers.items():
        if len(labels) > 1 and not wrong:
            listed = " and ".join(map(str, labels[:5]))
            message = (
                f"labels {listed} are all named '{cut(name)}' in the column label_name; give each a name of its own, "
                "or label: label_name where they are one class"
            )
            faults.append(Fault(task, table.split, message, table.source))
    return (NumberNames(COLUMN, names) if names else None), faults
