"""Built-in streams and tasks: made by seeded generators or embedded, no downloads.

A source is a name with knobs: "domains", "domains:n=20,overlap=0.5,seed=1", "domains/restaurants:noise=0".
Each family of tasks is a row of FAMILIES and a module with its streams and its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from math import isfinite
from typing import Any, Protocol, cast

import yaml

from cl_core.bounded_files import yaml_value
from cl_core.errors import Faults, UserError, did_you_mean
from cl_core.limits import SYNTHETIC_CLIPS, SYNTHETIC_PICTURES, SYNTHETIC_TEXTS, Limit, TooLarge
from cl_core.tasks.raw_rows import Fault, RawRows, RawTask
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.task import Kind

FAMILIES = {
    "domains": "cl_core.synthetic.domains.domain_stream",
    "digits": "cl_core.synthetic.digits",
    "scenes": "cl_core.synthetic.scenes.scene_stream",
    "questions": "cl_core.synthetic.scenes.question_stream",
}
"""First part of a built-in task's name -> the module that makes its rows; see `FamilyModule`."""

BUILTIN_STREAMS = {
    "domains": "Everyday domains, written for this project: contented or not, urgent or not",
    "domains-dil": "The domains of reviews alone, which share one label space",
    "digits": "Real handwritten digits, in one style after another (pictures)",
    "scenes": "Ten things, in one drawing style after another (pictures)",
    "scenes-cil": "Ten things in all drawing styles, two new ones at a time (pictures)",
    "scenes-qa": "Questions about scenes, one kind of question after another",
    "scenes-qa-styles": "All kinds of questions about scenes, in one drawing style after another",
    "clips-qa": "Questions about short videos, one kind of question after another",
}
_FAMILY_OF = {
    "domains-dil": "domains",
    "scenes-cil": "scenes",
    "scenes-qa": "questions",
    "scenes-qa-styles": "questions",
    "clips-qa": "questions",
}


MOST_SHOWN = 80
"""Characters of a value in a message."""
MOST_SAMPLES: Mapping[str, Limit] = {
    "domains": SYNTHETIC_TEXTS,
    "digits": SYNTHETIC_PICTURES,
    "scenes": SYNTHETIC_PICTURES,
    "questions": SYNTHETIC_CLIPS,
}
"""By family, of each split of a task."""
TASKS_IN_MEMORY = 6
"""Tasks whose rows are kept in memory, some 15 MB each where they are clips: those of a stream."""


@dataclass(frozen=True)
class BuiltinSource:
    """A built-in's name and the knobs that were given."""

    name: str
    knobs: dict[str, Any]

    def __str__(self) -> str:
        knobs = ",".join(f"{knob}={value}" for knob, value in self.knobs.items())
        return f"{self.name}:{knobs}" if knobs else self.name


@dataclass(frozen=True)
class BuiltinTask:
    """The rows of a built-in task.

    Attributes:
        label_names: the classes, or the vocabulary of answers.
        columns: by split, what `Task` promises for the kind of task: values by column.
    """

    label_names: tuple[str, ...]
    columns: Mapping[str, Mapping[str, Sequence[object]]]

    @classmethod
    def labelled(
        cls,
        label_names: tuple[str, ...],
        kind: Kind,
        rows: Mapping[str, Sequence[tuple[str | bytes, int]]],
    ) -> BuiltinTask:
        """A task of (text or encoded picture, index of the label) by split."""
        return cls(
            label_names,
            {
                split: {kind: [value for value, _ in pairs], "label": [label for _, label in pairs]}
                for split, pairs in rows.items()
            },
        )


class FamilyModule(Protocol):
    """What the module of a family has."""

    TASK_KNOBS: dict[str, type]
    """Knobs of a task, with their types."""
    STREAM_KNOBS: dict[str, type]
    """Knobs of a stream; those of its tasks among them."""

    def stream(self, source: BuiltinSource) -> StreamSpec:
        """The stream of that name."""
        ...

    def task(self, name: str, knobs: Mapping[str, Any]) -> BuiltinTask:
        """The rows of a task of the family."""
        ...


def parse_source(text: str, knobs: Mapping[str, type]) -> BuiltinSource:
    """Reads "name:knob=value,knob=value".

    Args:
        text: the source.
        knobs: those allowed, with their types.

    Raises:
        Faults: every unknown knob, and every value that is not of its knob's type.

    >>> parse_source("domains:n=4,overlap=0.5", {"n": int, "overlap": float})
    BuiltinSource(name='domains', knobs={'n': 4, 'overlap': 0.5})
    """
    name, _, given = text.partition(":")
    values: dict[str, Any] = {}
    faults = []
    for part in filter(None, (part.strip() for part in given.split(","))):
        knob, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or knob not in knobs:
            faults.append(
                f"'{part}' is no knob; allowed are {', '.join(f'{k}=...' for k in knobs)}."
                f"{did_you_mean(knob, knobs)}"
            )
            continue
        try:
            read = yaml_value(value)
        except (yaml.YAMLError, TooLarge):
            read = None
        whole = isinstance(read, int) and not isinstance(read, bool) and abs(read) < 2**63
        if whole or (isinstance(read, float) and isfinite(read) and knobs[knob] is float):
            values[knob] = knobs[knob](read)
        else:
            kind = "whole number" if knobs[knob] is int else "number"
            faults.append(f"{knob} is '{value[:MOST_SHOWN]}'; it must be a {kind}")
    if faults:
        shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
        raise Faults(f"built-in source '{shown}'", faults)
    return BuiltinSource(name, values)


def is_builtin_stream(source: str) -> bool:
    """Whether the source names a built-in stream, with or without knobs, or one of its further orders."""
    return _split_order(source)[0].partition(":")[0] in BUILTIN_STREAMS


def builtin_stream(source: str) -> StreamSpec:
    """The built-in stream of that name; "scenes-qa-order2:seed=1" is the second order of "scenes-qa:seed=1".

    Raises:
        UserError: a knob is unknown or out of range, or the stream has no such order.
    """
    plain, order = _split_order(source)
    name = plain.partition(":")[0]
    family = _FAMILY_OF.get(name, name)
    module = _family(family)
    asked = parse_source(plain, module.STREAM_KNOBS)
    _check_sizes(family, asked)
    stream = module.stream(asked)
    if order is None:
        return stream
    if order not in stream.orders:
        raise UserError(
            f"stream '{name}' has no order '{order}'; it has order1{''.join(f', {other}' for other in stream.orders)}"
        )
    return stream.ordered(order)


def _split_order(source: str) -> tuple[str, str | None]:
    """A source without its order, and the order."""
    name, colon, knobs = source.partition(":")
    plain, dash, number = name.rpartition("-order")
    if not dash or not number.isdigit():
        return source, None
    return plain + colon + knobs, f"order{number}" if number != "1" else None


def read_builtin(spec: TaskSpec) -> RawTask:
    """Makes the rows of a built-in task; faults are collected, not raised."""
    source = spec.builtin or ""
    try:
        family, _, rest = source.partition("/")
        if family not in FAMILIES or not rest:
            raise UserError(
                f"there is no built-in task '{source.partition(':')[0]}'; write "
                f"{' or '.join(f'{choice}/<name>' for choice in FAMILIES)}"
            )
        task = _made(family, rest)
    except Faults as error:
        faults = tuple(Fault(spec.name, None, fault, source) for fault in error.faults)
        return RawTask(spec.name, source, {}, faults=faults)
    except UserError as error:
        return RawTask(spec.name, source, {}, faults=(Fault(spec.name, None, str(error), source),))
    splits = {
        split: RawRows(columns, source, range(len(next(iter(columns.values())))))
        for split, columns in task.columns.items()
    }
    return RawTask(spec.name, f"built-in {source}", splits, task.label_names)


@lru_cache(maxsize=TASKS_IN_MEMORY)
def _made(family: str, source: str) -> BuiltinTask:
    """The rows of a task, made once for all runs of a process: scenes and clips are drawn pixel by pixel.

    Raises:
        UserError: there is no such task, or a knob is unknown or out of range.
    """
    module = _family(family)
    asked = parse_source(source, module.TASK_KNOBS)
    _check_sizes(family, asked)
    return module.task(asked.name, asked.knobs)


def _check_sizes(family: str, source: BuiltinSource) -> None:
    """Refuses splits that are too large to be made.

    Raises:
        Faults: all of them.
    """
    limit = MOST_SAMPLES[family]
    faults = [
        limit.refusal(split, source.knobs[split])
        for split in ("train", "validation", "test")
        if source.knobs.get(split, 0) > limit.most
    ]
    if faults:
        raise Faults(f"built-in source '{source}'", faults)


def sizes_of(what: str, knobs: Mapping[str, Any], defaults: Mapping[str, int]) -> dict[str, int]:
    """Rows of each split: as the knobs say, else the defaults.

    Raises:
        Faults: every split that is to be empty.
    """
    sizes = {split: int(knobs.get(split, count)) for split, count in defaults.items()}
    faults = [
        f"{split} is {rows}; allowed is 1 or more" for split, rows in sizes.items() if rows < 1
    ]
    if faults:
        raise Faults(what, faults)
    return sizes


def _family(name: str) -> FamilyModule:
    return cast(FamilyModule, import_module(FAMILIES[name]))
