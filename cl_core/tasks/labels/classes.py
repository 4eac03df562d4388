"""Finds a task's classes and turns labels, whole numbers or names, into indices.

Names that the data carry stay the meaning of their numbers. The stream file's `label_names` puts them in order and
selects among them; it gives meaning to numbers only where the data give none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cl_core.tasks.labels.label_cells import Label, number_of, same_label
from cl_core.tasks.labels.label_sentences import (
    Allowed,
    irreconcilable,
    left_out,
    row_faults,
    twin_classes,
    without_rows,
)
from cl_core.tasks.labels.label_tables import LabelTable
from cl_core.tasks.labels.listed_names import all_listed, lists_labels, misplaced
from cl_core.tasks.labels.near_twins import find_near_twins
from cl_core.tasks.labels.number_names import BESIDE, NumberNames, find_number_names
from cl_core.tasks.raw_rows import Fault


@dataclass(frozen=True)
class Classes:
    """A task's classes, and each row's.

    Attributes:
        names: in order.
        indices: by split, (N,) indices; None where a row has no label, an unknown one or one that is not selected.
        faults: rows that say nothing or nothing known, and names that contradict each other.
        warnings: sentences.
    """

    names: tuple[str, ...]
    indices: Mapping[str, Sequence[int | None]]
    faults: Sequence[Fault] = ()
    warnings: Sequence[str] = ()


def find_classes(
    task: str,
    tables: Sequence[LabelTable],
    given: tuple[str, ...] | None,
    beside: tuple[str, ...] | None,
) -> Classes:
    """The classes of a task over all of its splits, and each row's.

    Args:
        task: its name.
        tables: labels by split.
        given: `label_names` of the stream file.
        beside: `label_names` of a meta.json.
    """
    numbered, faults, warnings = _meanings(task, tables, given, beside)
    labels_kept = _numbers_are_names(tables, numbered, given, beside)
    if not given:
        warnings += _how_read(task, tables, numbered, labels_kept)
    if labels_kept:
        numbered = {}
    listed = given or beside
    unnamed = {
        label
        for table in tables
        for label in table.labels
        if table.split not in numbered and label is not None
    }
    labels_listed = lists_labels(listed or (), unnamed)
    named = {table.split: _name(table, numbered, listed or (), labels_listed) for table in tables}
    counts: Counter[str] = Counter()
    for table in tables:
        for label, count in Counter(table.labels).items():
            if label is not None and (name := named[table.split][label]) is not None:
                counts[name] += count
    texts = any(table.split not in numbered for table in tables)
    declared = _declared(numbered.values(), beside if texts else None)
    dropped: set[str] = set()
    if given:
        names = given
        dropped = {name for name in declared if counts[name] and name not in given}
        absent = [name for name in given if not counts[name] and name not in declared]
        if dropped and absent:
            faults.append(irreconcilable(task, tables, absent, declared, dropped))
        elif dropped:
            warnings.append(left_out(task, counts, dropped))
    elif declared:
        names = tuple(name for name in declared if counts[name])
        if unused := [name for name in declared if not counts[name]]:
            warnings.append(without_rows(task, names, unused))
    else:
        whole = all(table.whole for table in tables)
        names = tuple(sorted(counts, key=lambda name: (int(name) if whole else 0, name)))
    warnings += [twin_classes(task, twins) for twins in find_near_twins(names)]
    indices = {}
    for table in tables:
        places = {name: index for index, name in enumerate(names)}
        name_of = named[table.split]
        indices[table.split] = [
            None if label is None or name_of[label] is None else places.get(name_of[label] or "")
            for label in table.labels
        ]
        counted = _counted_names(table, numbered, None if labels_listed else given)
        allowed = Allowed(names, dropped, counted, misplaced(given or (), unnamed))
        faults += row_faults(task, table, name_of, allowed)
    return Classes(names, indices, faults, warnings)


def _meanings(
    task: str,
    tables: Sequence[LabelTable],
    given: tuple[str, ...] | None,
    beside: tuple[str, ...] | None,
) -> tuple[dict[str, NumberNames], list[Fault], list[str]]:
    """By split, what its numbers are called; a split that does not say it follows the others where they agree."""
    meanings: dict[str, NumberNames] = {}
    faults: list[Fault] = []
    warnings: list[str] = []
    for table in tables:
        if table.whole:
            names, wrong, notes = find_number_names(task, table, beside, given)
            faults += wrong
            warnings += notes
            if names is not None:
                meanings[table.split] = names
    if given and all(names.says_nothing for names in meanings.values()):
        return {}, faults, warnings
    orders = [list(names.names.items()) for names in meanings.values()]
    agreed = {number: name for order in orders for number, name in order}
    if any(agreed[number] != name for order in orders for number, name in order):
        warnings.append(
            f"task '{task}': its splits number their classes differently; each number keeps the name that its own "
            "split gives it"
        )
    elif agreed:
        for table in tables:
            if table.whole:
                meanings.setdefault(table.split, NumberNames("the other splits", agreed))
    return meanings, faults, warnings


def _numbers_are_names(
    tables: Sequence[LabelTable],
    numbered: Mapping[str, NumberNames],
    given: tuple[str, ...] | None,
    beside: tuple[str, ...] | None,
) -> bool:
    """Whether the list of names lists the numbers themselves: 1 to 5 stars, or a digit.

    A file's own class names are always counted from 0.
    """
    labels = [label for table in tables for label in table.labels if label is not None]
    if not all_listed(given or beside or (), labels):
        return False
    if given:
        return not any(set(given) & set(names.names.values()) for names in numbered.values())
    return not any(table.class_names for table in tables)


def _how_read(
    task: str, tables: Sequence[LabelTable], numbered: Mapping[str, NumberNames], kept: bool
) -> list[str]:
    """How a meta.json is read that has the data's numbers at other places, where it could mean either."""
    for table in tables:
        meaning = numbered.get(table.split)
        if meaning is None or meaning.where != BESIDE:
            continue
        labels = [label for label in table.labels if label is not None]
        moved = misplaced(list(meaning.names.values()), labels)
        if moved and all(int(label) in meaning.names for label in labels):
            itself = same_label(moved[0])
            counted = meaning.names[int(itself)]
            if kept:
                how = f"lists the labels themselves: label {itself} is '{itself}', not '{counted}'"
            else:
                how = f"names the numbers from 0: label {itself} is '{counted}', not '{itself}'"
            return [f"task '{task}': meta.json {how}"]
    return []


def _name(
    table: LabelTable,
    numbered: Mapping[str, NumberNames],
    listed: tuple[str, ...],
    labels_listed: bool,
) -> dict[Label, str | None]:
    """What each label of a table is called; None where its number has no name."""
    labels = [label for label in dict.fromkeys(table.labels) if label is not None]
    if table.split in numbered:
        return {label: numbered[table.split].names.get(int(label)) for label in labels}
    if listed and table.whole and not labels_listed:
        counted = dict(enumerate(listed))
        return {label: counted.get(int(label)) for label in labels}
    spelt = {same_label(name): name for name in listed}
    return {label: _spelling(label, listed, spelt) for label in labels}


def _spelling(label: Label, listed: Sequence[str], spelt: Mapping[str, str]) -> str:
    """A label as the list of names spells it: numbers and truth have several spellings, names have one."""
    if str(label) in listed or (number_of(label) is None and label not in ("true", "false")):
        return str(label)
    return spelt.get(same_label(label), str(label))


def _declared(meanings: Iterable[NumberNames], beside: tuple[str, ...] | None) -> tuple[str, ...]:
    """The names that the data give, whether they have rows or not, in the order of the first split's numbers."""
    lists = [[meaning.names[number] for number in sorted(meaning.names)] for meaning in meanings]
    return tuple(dict.fromkeys(name for names in (*lists, beside or ()) for name in names))


def _counted_names(
    table: LabelTable, numbered: Mapping[str, NumberNames], given: tuple[str, ...] | None
) -> Sequence[str] | None:
    """The names that a table's numbers count from 0; None where they are counted otherwise."""
    if not table.whole or table.split not in numbered:
        return given if table.whole else None
    names = numbered[table.split].names
    return [names[n] for n in sorted(names)] if set(names) == set(range(len(names))) else None
