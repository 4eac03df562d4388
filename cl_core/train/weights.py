"""What a training loop moves: some tensors with names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

import torch
from torch import Tensor


class Weights(Protocol):
    """Tensors that are trained, stored and copied as one; `TaskWeights` is the plainest."""

    def parameters(self) -> list[Tensor]:
        """What moves, in a fixed order."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file."""
        ...

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the weights in place with those of `tensors`."""
        ...

    def clone(self) -> Self:
        """A copy that shares no memory and needs no gradient."""
        ...

    def to(self, device: torch.device) -> Self:
        """The same weights on another device."""
        ...
