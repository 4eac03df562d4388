"""Built-in streams and tasks: text written by a seeded generator, no downloads.

A source is a name with knobs: "domains", "domains:n=20,overlap=0.5,seed=1", "domains/restaurants:noise=0".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from cl_core.errors import Faults, UserError, did_you_mean
from cl_core.tasks.raw import Fault, RawRows, RawTask
from cl_core.tasks.spec import StreamSpec, TaskSpec

BUILTIN_STREAMS = {
    "domains": "Everyday domains, written for this project: contented or not, urgent or not",
    "domains-dil": "The domains of reviews alone, which share one label space",
}
TASK_KNOBS: dict[str, type] = {
    "overlap": float,
    "seed": int,
    "noise": float,
    "train": int,
    "validation": int,
    "test": int,
}
STREAM_KNOBS: dict[str, type] = {"n": int, **TASK_KNOBS}
_DEFAULT_DOMAINS = 6


@dataclass(frozen=True)
class BuiltinSource:
    """A built-in's name and the knobs that were given."""

    name: str
    knobs: dict[str, Any]

    def __str__(self) -> str:
        knobs = ",".join(f"{knob}={value}" for knob, value in self.knobs.items())
        return f"{self.name}:{knobs}" if knobs else self.name


def parse_source(text: str, knobs: dict[str, type] = STREAM_KNOBS) -> BuiltinSource:
    """Reads "name:knob=value,knob=value".

    Args:
        text: the source.
        knobs: those allowed, with their types.

    Raises:
        Faults: every unknown knob, and every value that is not of its knob's type.
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
        read = yaml.safe_load(value) if value else None
        if isinstance(read, int) and not isinstance(read, bool):
            values[knob] = knobs[knob](read)
        elif isinstance(read, float) and knobs[knob] is float:
            values[knob] = read
        else:
            kind = "whole number" if knobs[knob] is int else "number"
            faults.append(f"{knob} is '{value}'; it must be a {kind}")
    if faults:
        raise Faults(f"built-in source '{text}'", faults)
    return BuiltinSource(name, values)


def is_builtin_stream(source: str) -> bool:
    """Whether the source names a built-in stream, with or without knobs."""
    return source.partition(":")[0] in BUILTIN_STREAMS


def builtin_stream(source: str) -> StreamSpec:
    """The built-in stream of that name.

    "domains": n domains (6, at most 200) of two label spaces, class-incremental; tasks of one label space
    share its labels. "domains-dil": those of the n domains that have the first task's label space.

    Raises:
        UserError: a knob is unknown or out of range.
    """
    from cl_core.tasks.domains import ALL_DOMAIN_NAMES, MOST_DOMAINS, domain

    parsed = parse_source(source)
    n = parsed.knobs.pop("n", _DEFAULT_DOMAINS)
    if not 1 <= n <= MOST_DOMAINS:
        raise UserError(f"{parsed.name} has 1 to {MOST_DOMAINS} domains, not n={n}")
    # Label names are what is wanted here, so one row a split is enough to make.
    spaces = {
        name: domain(name, train=2, validation=2, test=2).label_names
        for name in ALL_DOMAIN_NAMES[:n]
    }
    names = list(spaces)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, labels in spaces.items():
        groups.setdefault(labels, []).append(name)
    if parsed.name == "domains-dil":
        names = groups[spaces[names[0]]]
    shared = tuple(tuple(group) for group in groups.values() if len(group) > 1)
    return StreamSpec(
        name=parsed.name if n == _DEFAULT_DOMAINS else f"{parsed.name}-{n}",
        title=BUILTIN_STREAMS[parsed.name],
        protocol="dil" if parsed.name == "domains-dil" else "cil",
        shared_labels=None if parsed.name == "domains-dil" else shared or None,
        tasks=tuple(
            TaskSpec(name=name, builtin=str(BuiltinSource(f"domains/{name}", parsed.knobs)))
            for name in names
        ),
    )


def read_builtin(spec: TaskSpec) -> RawTask:
    """Writes the rows of a built-in task; faults are collected, not raised."""
    place = spec.builtin or ""
    try:
        source = parse_source(place, TASK_KNOBS)
        family, _, name = source.name.partition("/")
        if family != "domains" or not name:
            raise UserError(f"there is no built-in task '{source.name}'; write domains/<name>")
        from cl_core.tasks.domains import domain

        made = domain(name, **source.knobs)
    except Faults as error:
        faults = tuple(Fault(spec.name, None, fault, place) for fault in error.faults)
        return RawTask(spec.name, place, {}, faults=faults)
    except UserError as error:
        return RawTask(spec.name, place, {}, faults=(Fault(spec.name, None, str(error), place),))
    splits = {
        split: RawRows(
            {"text": [text for text, _ in rows], "label": [label for _, label in rows]},
            place,
            range(len(rows)),
        )
        for split, rows in made.rows.items()
    }
    return RawTask(spec.name, f"built-in {place}", splits, made.label_names)
