"""What a row of the table of trainers says of its trainer. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class TrainerTraits:
    """A trainer; that it replays a memory, or keeps Fisher information, its row's needs say.

    Attributes:
        adapters: "one per task", which then never moves again, or "one shared" by all tasks, which forgets.
        form: how a task is learnt. "chain": by an adapter and a head of its own (`classification.py`); "shared": one
            adapter and all heads move, under the trainer's penalty (`shared_objective.py`).
        all_at_once: whether all tasks are learnt together, once the last has come.
        settings: names of the settings that it reads of those of the baselines.
        only_with: by other slot, the one choice that goes with it; a trainer that shares one adapter leaves nothing
            to choose, and says where that adapter starts.
    """

    adapters: Literal["one per task", "one shared"] = "one shared"
    form: Literal["chain", "shared"] = "shared"
    all_at_once: bool = False
    settings: tuple[str, ...] = ()
    only_with: Mapping[str, str] = field(default_factory=dict)

    @property
    def shared(self) -> bool:
        """Whether all tasks share one adapter; routing between adapters then has nothing to choose."""
        return self.adapters == "one shared"

    def pool(self, stage: int) -> list[int]:
        """The tasks (0-based) whose adapters the model holds after learning task `stage` (0-based): every one so far,
        or the newest state of the one adapter.
        """
        return [stage] if self.shared else list(range(stage + 1))


def one_adapter(
    form: Literal["chain", "shared"] = "shared",
    start: str = "previous",
    all_at_once: bool = False,
    settings: tuple[str, ...] = (),
) -> TrainerTraits:
    """The traits of a trainer that keeps one adapter for all tasks.

    Args:
        form: how a task is learnt.
        start: the initialiser that its adapter starts from, task by task.
        all_at_once: whether all tasks are learnt together, once the last has come.
        settings: names of the settings that it reads of those of the baselines.
    """
    fixed = {"initialise": start, "route": "uniform", "compose": "select"}
    return TrainerTraits("one shared", form, all_at_once, settings, fixed)
