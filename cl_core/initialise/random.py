"""Every adapter starts afresh."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor


class RandomInitialiser:
    """No parent: the published random initialisation of `AdapterSettings.init`."""

    version: ClassVar[int] = 1

    def parent(self, task: int, centroids: Tensor | None = None) -> int | None:
        """Returns None."""
        return None
