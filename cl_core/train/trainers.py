"""The trainers: which weights a run holds after task i, and what the next task's training may look at.

Two forms. A *chain* learns each task by its own adapter and head (`classification.py`): `Isolated` keeps every
adapter, `Sequential` only the newest. Started from the previous task's best checkpoint, the two train the very same
adapters: DAM is sequential fine-tuning that forgets nothing because it keeps every step of it. *Shared* trainers move
one adapter and all heads (`shared.py`) and differ in what keeps the old tasks alive.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol


class Trainer(Protocol):
    """The train slot."""

    name: ClassVar[str]
    shared: ClassVar[bool]
    """Whether all tasks share one adapter, which then forgets; routing between adapters has nothing to choose."""
    form: ClassVar[Literal["chain", "shared"]]
    """How a task is learnt."""
    wants_memory: ClassVar[bool]
    """Whether rows of earlier tasks are kept and replayed."""
    wants_fisher: ClassVar[bool]
    """Whether the Fisher information of every task is kept."""
    all_at_once: ClassVar[bool]
    """Whether all tasks are learnt together, once the last has come."""
    reads: ClassVar[tuple[str, ...]]
    """The fields of `BaselineSettings` that it reads."""

    def pool(self, stage: int) -> list[int]:
        """The tasks (0-based) whose adapters the model holds after learning task `stage` (0-based)."""
        ...


class Isolated:
    """DAM, L2R, I2I: task t trains Phi_t and g_t alone; Phi_{<t} and the heads before it never change."""

    name: ClassVar[str] = "isolated"
    shared: ClassVar[bool] = False
    form: ClassVar[Literal["chain", "shared"]] = "chain"
    wants_memory: ClassVar[bool] = False
    wants_fisher: ClassVar[bool] = False
    all_at_once: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ()

    def pool(self, stage: int) -> list[int]:
        """Every adapter so far."""
        return list(range(stage + 1))


class Sequential(Isolated):
    """The baseline that forgets: one adapter, trained on one task after the other from where the last one ended."""

    name = "sequential"
    shared = True

    def pool(self, stage: int) -> list[int]:
        """Only the newest state of the one adapter."""
        return [stage]


class Replay(Sequential):
    """Experience replay (Chaudhry et al. 2019): each step learns from as many remembered rows as new ones.

    Its epoch is chosen on the whole validation splits of all tasks so far **(ours)**, which are kept beside the memory.
    """

    name = "replay"
    form = "shared"
    wants_memory = True


class EWC(Sequential):
    """EWC (Kirkpatrick et al. 2017): see `ewc.py`."""

    name = "ewc"
    form = "shared"
    wants_fisher = True
    reads = ("ewc_lambda", "fisher_rows")


class LwF(Sequential):
    """LwF (Li and Hoiem 2016): see `lwf.py`."""

    name = "lwf"
    form = "shared"
    reads = ("lwf_lambda", "lwf_temperature")


class Joint(Sequential):
    """All tasks at once, the upper bound of one adapter; there is no stage before the last.

    Its epoch is chosen on the validation splits of all tasks **(ours)**.
    """

    name = "joint"
    form = "shared"
    all_at_once = True
