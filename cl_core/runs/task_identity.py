"""Which runs learn the same tasks: told by the tasks' fingerprints, whatever their streams are called.

Two streams of one name may hold other data (another file, another subset), and one stream may have two names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cl_core.recipes.settings import DataSettings
from cl_core.runs.run_config import RunConfig

_ORDER = re.compile(r"-(order\d+)$")


@dataclass(frozen=True)
class TaskIdentity:
    """What is learnt and what is held out, in order.

    Attributes:
        learnt: fingerprints of the tasks.
        held_out: of those that are never learnt.
    """

    learnt: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def unordered(self) -> TaskIdentity:
        """The same for every order of the tasks."""
        return TaskIdentity(tuple(sorted(self.learnt)), tuple(sorted(self.held_out)))

    @property
    def short(self) -> str:
        """Eight digits that tell it from others."""
        return sha256(repr((self.learnt, self.held_out)).encode()).hexdigest()[:8]


def identify(config: RunConfig) -> TaskIdentity:
    """What a run's tasks are."""
    return TaskIdentity(
        tuple(task.fingerprint for task in config.tasks),
        tuple(task.fingerprint for task in config.held_out),
    )


def stream_titles(configs: Sequence[RunConfig], over_orders: bool) -> dict[TaskIdentity, str]:
    """What the tasks of each run are called, each name once.

    A name is a stream's, without its order where orders are pooled. Where other tasks go by the same name, it says in
    which settings of the data they differ, or, where in none, the first digits of their fingerprint.

    Args:
        configs: of the runs.
        over_orders: whether the orders of the same tasks are one.
    """
    members: dict[TaskIdentity, list[RunConfig]] = {}
    for config in configs:
        members.setdefault(pooled(identify(config), over_orders), []).append(config)
    names = {own: _called(runs, over_orders) for own, runs in members.items()}
    titles = {}
    for own, name in names.items():
        others = [each for each in names if each != own and names[each] == name]
        differ = _differing(members[own][0], [members[each][0] for each in others])
        unique = differ and all(
            differ != _differing(members[each][0], [members[own][0]]) for each in others
        )
        if others:
            name += f" ({differ})" if unique else f" (data {own.short})"
        titles[own] = name
    return titles


def pooled(identity: TaskIdentity, over_orders: bool) -> TaskIdentity:
    """The identity that runs of one line share."""
    return identity.unordered if over_orders else identity


def order_names(configs: Sequence[RunConfig]) -> dict[TaskIdentity, str]:
    """What the orders of the same tasks are called: as their streams' names end ("order2"), each name once.

    Over all runs that are compared: a line must call an order what another line calls it, or the wrong runs are paired.
    """
    names: dict[TaskIdentity, str] = {}
    for config in configs:
        own = identify(config)
        if own in names:
            continue
        found = _ORDER.search(config.stream_name)
        name, number = found.group(1) if found else "order1", 1
        kin = {names[each] for each in names if each.unordered == own.unordered}
        while name in kin:
            number += 1
            name = f"order{number}"
        names[own] = name
    return names


def _called(runs: Sequence[RunConfig], over_orders: bool) -> str:
    """The name under which the tasks came first, and in brackets those that they have besides."""
    names = [run.stream_name for run in runs]
    if over_orders:
        names = [_ORDER.sub("", name) for name in names]
    first, *others = dict.fromkeys(names)
    return f"{first} (also {', '.join(others)})" if others else first


def _differing(config: RunConfig, others: Sequence[RunConfig]) -> str:
    """Settings of the data in which a run differs from any of the others."""
    own = config.settings.data
    names = [
        name
        for name in DataSettings.model_fields
        if any(getattr(each.settings.data, name) != getattr(own, name) for each in others)
    ]
    return ", ".join(f"{name}={getattr(own, name)}" for name in names)
