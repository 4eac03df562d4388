"""From raw rows to inputs and label indices: maps columns, finds the classes or answers, cuts missing splits.

Nothing is raised: every row that does not fit is a fault with its number, and the rest goes on to be checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cl_core.errors import cut, did_you_mean
from cl_core.picture_decoder import WHITE
from cl_core.tasks.answers import describe_unknown, find_vocabulary, index_answers, read_votes
from cl_core.tasks.labels.classes import find_classes
from cl_core.tasks.labels.label_tables import read_tables
from cl_core.tasks.labels.number_names import assumed_names, foreign_names
from cl_core.tasks.raw_rows import Fault, RawRows, RawTask
from cl_core.tasks.sources.media_files import read_pictures
from cl_core.tasks.sources.unused_data import named, unread_columns
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.splits import stratified_split
from cl_core.tasks.task import ENCODED, QA_KINDS, Kind, Task, content_keys, make_rows

MOST_COLUMNS_NAMED = 20
DRAWN_BY: dict[Kind, str] = {
    "text": "the rows' texts",
    "image": "the bytes of the pictures' files",
    "image-qa": "the bytes of the pictures' files and the questions",
    "video-qa": "the bytes of the videos' files and the questions",
}
"""What splits are drawn by, see `content_keys`: the same pictures encoded otherwise are drawn otherwise."""


@dataclass(frozen=True)
class MappedRows:
    """One split, ready: N rows that are whole and have a known label.

    Attributes:
        inputs: (N,) values by column, as `make_rows` takes them.
        labels: (N,) indices into the task's label names.
        numbers: (N,) row numbers in the source, counted from 0.
        source: the file, as the user wrote it.
        votes: (N,) by label, how far it is right, in 0..1; None where each row has one right answer.
    """

    inputs: Mapping[str, Sequence[object]]
    labels: Sequence[int]
    numbers: Sequence[int]
    source: str
    votes: Sequence[Mapping[int, float]] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, positions: Sequence[int]) -> MappedRows:
        """The rows at these positions."""
        return MappedRows(
            {name: [values[i] for i in positions] for name, values in self.inputs.items()},
            [self.labels[i] for i in positions],
            [self.numbers[i] for i in positions],
            self.source,
            None if self.votes is None else [self.votes[i] for i in positions],
        )


@dataclass(frozen=True)
class _Outcomes:
    """What is right for the rows of every split.

    Attributes:
        names: the classes or answers.
        labels: by split, (N,) indices; None where a row is left out.
        votes: by split, as in `MappedRows`.
        faults: rows that say nothing, or nothing known.
        warnings: sentences.
    """

    names: tuple[str, ...]
    labels: Mapping[str, Sequence[int | None]]
    votes: Mapping[str, Sequence[Mapping[int, float]] | None]
    faults: Sequence[Fault]
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class PreparedTask:
    """A task before it is checked as a whole.

    Attributes:
        name: of the task.
        kind: what a row is.
        source: where its rows came from.
        label_names: the classes, in order.
        splits: rows by split.
        faults: what is wrong so far.
        warnings: sentences.
        unused: what lies beside the data and was not read.
        ground: what shows where pictures or clips are transparent.
    """

    name: str
    kind: Kind
    source: str
    label_names: tuple[str, ...]
    splits: Mapping[str, MappedRows]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]
    unused: tuple[str, ...] = ()
    ground: str = WHITE

    def task(self) -> Task:
        """The task, as its users see it."""
        splits = {
            split: make_rows(self.name, split, rows.inputs, rows.labels, rows.numbers, rows.votes)
            for split, rows in self.splits.items()
        }
        return Task(self.name, self.kind, self.label_names, splits, self.source, self.ground)


def prepare(raw: RawTask, spec: TaskSpec) -> PreparedTask:
    """Maps columns, turns labels or answers into indices and cuts the splits that the source lacks.

    Numbers mean what the data say: the format's own names (`ClassLabel`), those of a meta.json beside the data, the
    column `label_name`; `label_names` of the stream file puts these names in order, selects among them, and names the
    numbers where nothing else does. Without any, the classes are the sorted labels. The vocabulary of answers is
    `label_names` of the stream file, that of a meta.json, or what the training samples answer.
    """
    faults = list(raw.faults)
    read = {}
    for split, rows in raw.splits.items():
        wrong = _missing_columns(rows, split, spec)
        faults += wrong
        if len(rows) == 0:
            faults.append(Fault(spec.name, split, "has no rows", rows.source))
        elif not wrong:
            read[split] = rows
    find = _answers if spec.kind in QA_KINDS else _labels
    outcomes = find(read, raw, spec)
    faults += outcomes.faults
    splits = {}
    for split, rows in read.items():
        inputs: dict[str, list[object]] = {}
        good = [True] * len(rows)
        for name, column in spec.inputs.items():
            read_column = read_pictures if name in ENCODED else _texts
            inputs[name], whole, wrong = read_column(rows, split, spec, column)
            faults += wrong
            good = [a and b for a, b in zip(good, whole, strict=True)]
        labels = outcomes.labels[split]
        kept = [row for row, label in enumerate(labels) if label is not None and good[row]]
        indices = [0 if label is None else label for label in labels]
        everything = MappedRows(inputs, indices, rows.numbers, rows.source, outcomes.votes[split])
        splits[split] = everything.take(kept)
    warnings = [*raw.warnings, *outcomes.warnings]
    if "train" in splits and len(splits["train"]):
        splits, cut = _cut_missing(splits, raw, spec)
        warnings += cut
    return PreparedTask(
        spec.name,
        spec.kind,
        raw.source,
        outcomes.names,
        splits,
        tuple(faults),
        tuple(warnings),
        (*raw.unused, *([] if spec.builtin else unread_columns(read, spec))),
        spec.ground,
    )


def _labels(read: Mapping[str, RawRows], raw: RawTask, spec: TaskSpec) -> _Outcomes:
    """The classes of a task, and each row's."""
    tables, faults = read_tables(spec.name, read, spec.label, spec.label_names)
    beside, warnings = raw.label_names, []
    if foreign := foreign_names(spec.label, read, tables, beside is not None):
        beside, warnings = None, [f"task '{spec.name}': {foreign}"]
    elif beside and (assumed := assumed_names(spec.label, read, tables, spec.inputs.values())):
        warnings = [f"task '{spec.name}': {assumed}"]
    classes = find_classes(spec.name, tables, spec.label_names, beside)
    return _Outcomes(
        classes.names,
        classes.indices,
        dict.fromkeys(read),
        [*faults, *classes.faults],
        [*warnings, *classes.warnings],
    )


def _answers(read: Mapping[str, RawRows], raw: RawTask, spec: TaskSpec) -> _Outcomes:
    """The vocabulary of a task, and each row's answers."""
    column = next(iter(spec.outcome.values()))
    votes = {
        split: [read_votes(value) for value in rows.columns[column]] for split, rows in read.items()
    }
    names = find_vocabulary(
        votes.get("train", ()), spec.label_names or raw.label_names, spec.most_answers
    )
    faults, warnings, answered = [], [], {}
    for split, rows in read.items():
        answered[split], wrong = index_answers(rows, split, spec, votes[split], names)
        faults += wrong
        if unknown := answered[split].unknown:
            warnings.append(describe_unknown(spec.name, split, unknown, len(rows)))
    return _Outcomes(
        names,
        {split: task_answers.labels for split, task_answers in answered.items()},
        {split: task_answers.votes for split, task_answers in answered.items()},
        faults,
        warnings,
    )


def _missing_columns(rows: RawRows, split: str, spec: TaskSpec) -> list[Fault]:
    faults = []
    for field, column in {**spec.inputs, **spec.outcome}.items():
        if column not in rows.columns:
            names = named(rows.columns, MOST_COLUMNS_NAMED) or "none"
            message = (
                f"there is no column '{cut(column)}' for {field}; columns are {names}."
                f"{did_you_mean(column, rows.columns)} Name it in the stream file: {field}: ..."
            )
            faults.append(Fault(spec.name, split, message, rows.source))
    return faults


def _texts(
    rows: RawRows, split: str, spec: TaskSpec, column: str
) -> tuple[list[object], list[bool], list[Fault]]:
    texts: list[object] = []
    empty: list[int] = []
    other: dict[str, list[int]] = {}
    for number, value in zip(rows.numbers, rows.columns[column], strict=True):
        if isinstance(value, str):
            texts.append(value)
            if not value.strip():
                empty.append(number + 1)
            continue
        texts.append("")
        if value is None:
            empty.append(number + 1)
        else:
            other.setdefault(type(value).__name__, []).append(number + 1)
    good = [bool(str(text).strip()) for text in texts]
    if len(empty) == len(rows):
        return (
            texts,
            good,
            [Fault(spec.name, split, f"column '{cut(column)}' is empty", rows.source)],
        )
    faults = []
    if empty:
        message = f"'{cut(column)}' is empty"
        faults.append(Fault(spec.name, split, message, rows.source, tuple(empty)))
    for kind, numbers in other.items():
        message = f"'{cut(column)}' is not text but {kind}"
        faults.append(Fault(spec.name, split, message, rows.source, tuple(numbers)))
    return texts, good, faults


def _cut_missing(
    splits: dict[str, MappedRows], raw: RawTask, spec: TaskSpec
) -> tuple[dict[str, MappedRows], list[str]]:
    """Cuts validation and test from train where the source has none (not where it could not be read)."""
    missing: list[str] = [
        s for s in ("validation", "test") if s not in splits and s not in raw.splits
    ]
    broken = {fault.split for fault in raw.faults}
    fractions: dict[str, float] = {
        s: getattr(spec, f"{s}_fraction") for s in missing if s not in broken
    }
    if not fractions:
        return splits, []
    train = splits["train"]
    cut = stratified_split(train.labels, content_keys(train.inputs), fractions, spec.seed)
    shares = " and ".join(f"{len(cut[split])} {split} rows" for split in fractions)
    completed = dict(splits)
    completed.update({split: train.take(rows) for split, rows in cut.items()})
    how = f"with seed {spec.seed}, drawn by {DRAWN_BY[spec.kind]}"
    return completed, [f"task '{spec.name}': {shares} were cut from {train.source} {how}"]
