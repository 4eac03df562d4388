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
    def digits(self) -> str:
        """Digits that tell it from all others."""
        return sha256(repr((self.learnt, self.held_out)).encode()).hexdigest()

    @property
    def short(self) -> str:
        """The first eight of them."""
        return self.digits[:8]


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
    names = {identity: _called(runs, over_orders) for identity, runs in members.items()}
    titles = {}
    for identity, name in names.items():
        others = [other for other in names if other != identity and names[other] == name]
        differ = _differing(members[identity][0], [members[other][0] for other in others])
        unique = differ and all(
            differ != _differing(members[other][0], [members[identity][0]]) for other in others
        )
        if others:
            name += f" ({differ})" if unique else f" (data {identity.short})"
        titles[identity] = name
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
        identity = identify(config)
        if identity in names:
            continue
        match = _ORDER.search(config.stream_name)
        name, number = match.group(1) if match else "order1", 1
        taken = {names[other] for other in names if other.unordered == identity.unordered}
        while name in taken:
            number += 1
            name = f"order{number}"
        names[identity] = name
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
    data = config.settings.data
    names = [
        name
        for name in DataSettings.model_fields
        if any(getattr(other.settings.data, name) != getattr(data, name) for other in others)
    ]
    return ", ".join(f"{name}={getattr(data, name)}" for name in names)
