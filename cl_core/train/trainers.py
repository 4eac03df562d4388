"""The trainers: which weights a run holds after task i.

How one task is learnt is the same for both (`loop.py`). They differ in what is kept: `Isolated`
keeps one adapter per task,
`Sequential` keeps one adapter that each task goes on training. Started from the previous task's
best checkpoint, the two train the very same adapters: DAM is sequential fine-tuning that forgets
nothing because it keeps every step of it.
"""

from __future__ import annotations

from typing import Protocol


class Trainer(Protocol):
    """The train slot."""

    shared: bool
    """Whether all tasks share one adapter, which then forgets; routing between adapters has nothing to choose."""

    def pool(self, stage: int) -> list[int]:
        """The tasks (0-based) whose adapters the model holds after learning task `stage` (0-based)."""
        ...


class Isolated:
    """DAM, L2R, I2I: task t trains Phi_t and g_t alone; Phi_{<t} and the heads before it never change."""

    shared = False

    def pool(self, stage: int) -> list[int]:
        """Every adapter so far."""
        return list(range(stage + 1))


class Sequential:
    """The baseline that forgets: one adapter, trained on one task after the other from where the last one ended."""

    shared = True

    def pool(self, stage: int) -> list[int]:
        """Only the newest state of the one adapter."""
        return [stage]
