"""What the routers share that learn nothing of a task but that it is there."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from cl_core.route.settings import RouterSettings


class CountingRouter:
    """Base of routers without features: it counts the tasks."""

    version: ClassVar[int] = 1

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self.n_tasks = 0

    def add_task(self, features: Tensor | None = None, labels: Tensor | None = None) -> None:
        """Counts the task."""
        self.n_tasks += 1

    def state(self) -> dict[str, Tensor]:
        """Returns {"n_tasks": (1,) int64}."""
        return {"n_tasks": torch.tensor([self.n_tasks])}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes over the count."""
        self.n_tasks = int(state["n_tasks"])
