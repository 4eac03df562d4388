"""The streams `domains` and `domains-dil`, and the rows of their tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cl_core.errors import UserError
from cl_core.synthetic.domains import ALL_DOMAIN_NAMES, MOST_DOMAINS, domain
from cl_core.tasks.builtin import BUILTIN_STREAMS, BuiltinSource, BuiltinTask
from cl_core.tasks.spec import StreamSpec, TaskSpec

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


def stream(source: BuiltinSource) -> StreamSpec:
    """ "domains": n domains (6, at most 200) of two label spaces, class-incremental; tasks of one label space
    share its labels. "domains-dil": those of the n domains that have the first task's label space.

    Raises:
        UserError: n is out of range.
    """
    knobs = dict(source.knobs)
    n = knobs.pop("n", _DEFAULT_DOMAINS)
    if not 1 <= n <= MOST_DOMAINS:
        raise UserError(f"{source.name} has 1 to {MOST_DOMAINS} domains, not n={n}")
    # Label names are what is wanted here, so one row a split is enough to make.
    spaces = {
        name: domain(name, train=2, validation=2, test=2).label_names
        for name in ALL_DOMAIN_NAMES[:n]
    }
    names = list(spaces)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, labels in spaces.items():
        groups.setdefault(labels, []).append(name)
    dil = source.name == "domains-dil"
    if dil:
        names = groups[spaces[names[0]]]
    shared = tuple(tuple(group) for group in groups.values() if len(group) > 1)
    return StreamSpec(
        name=source.name if n == _DEFAULT_DOMAINS else f"{source.name}-{n}",
        title=BUILTIN_STREAMS[source.name],
        protocol="dil" if dil else "cil",
        shared_labels=None if dil else shared or None,
        tasks=tuple(
            TaskSpec(name=name, builtin=str(BuiltinSource(f"domains/{name}", knobs)))
            for name in names
        ),
    )


def task(name: str, knobs: Mapping[str, Any]) -> BuiltinTask:
    """The rows of a domain.

    Raises:
        UserError: there is no such domain, or a knob is out of range.
    """
    data = domain(name, **knobs)
    return BuiltinTask.labelled(data.label_names, "text", data.rows)
