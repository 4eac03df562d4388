"""Everything that task t owns: its bottlenecks Phi_t and its head g_t."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.heads import Head
from cl_core.adapters.settings import Activation


@dataclass(frozen=True)
class TaskWeights:
    """An adapter with its head; what is trained, stored and copied as one."""

    adapter: Adapter
    head: Head

    def parameters(self) -> list[Tensor]:
        """What moves in training, the adapter's tensors first."""
        return [*self.adapter.parameters(), *self.head.parameters()]

    def clone(self) -> TaskWeights:
        """A copy that shares no memory."""
        return TaskWeights(self.adapter.clone(), self.head.clone())

    def to(self, device: torch.device) -> TaskWeights:
        """The same weights on another device."""
        return TaskWeights(self.adapter.to(device), self.head.to(device))

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file."""
        return {**self.adapter.tensors(), **self.head.tensors()}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], site_names: Sequence[str], activation: Activation
    ) -> TaskWeights:
        """The inverse of `tensors`."""
        adapter = Adapter.from_tensors(tensors, site_names, activation)
        return cls(adapter, Head.from_tensors(tensors))

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the weights in place with those of `tensors`, named as `tensors()` names them."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])
