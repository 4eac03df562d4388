"""The visual projection Psi: a linear map from visual features to what the language model reads, one per task.

    v' = V v + c

DAM (arXiv 2403.08755): every task has its own, trained with its adapter and merged with the same p(x). A linear map's
weighted mean is the weighted mean of its outputs, so `merge` and `average` are one here. Shapes: v the width of the
visual features, d that of the language model's embeddings, K adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

VISUAL = "visual"
"""The name of its place in a backbone, beside the sites of the bottlenecks."""
INITIAL_STD = 0.02
NAMES = ("visual", "visual_bias")


@dataclass(frozen=True)
class Projection:
    """One task's projection, or those of K tasks.

    Attributes:
        weight: V, (d, v); of K tasks (K, d, v).
        bias: c, (d,); of K tasks (K, d).
    """

    weight: Tensor
    bias: Tensor

    @classmethod
    def initialise(cls, size: int, visual_size: int, generator: torch.Generator) -> Projection:
        """N(0, 0.02^2) weights and zero biases, as BERT initialises its own layers **(ours)**.

        Args:
            size: d.
            visual_size: v.
            generator: a CPU generator; the same state gives the same bytes.
        """
        weight = torch.empty(size, visual_size).normal_(0.0, INITIAL_STD, generator=generator)
        return cls(weight, torch.zeros(size))

    @classmethod
    def stack(cls, projections: Sequence[Projection | None]) -> Projection | None:
        """Those of K tasks as one; None where no task has one.

        Raises:
            ValueError: some tasks have one and others have not.
        """
        present = [projection for projection in projections if projection is not None]
        if not present:
            return None
        if len(present) < len(projections):
            raise ValueError("some adapters have a visual projection and others have none")
        return cls(
            torch.stack([projection.weight for projection in present]),
            torch.stack([projection.bias for projection in present]),
        )

    def parameters(self) -> list[Tensor]:
        """What moves in training."""
        return [self.weight, self.bias]

    def tensors(self) -> dict[str, Tensor]:
        """Named as stored among an adapter's."""
        return {
            f"adapter.{name}": tensor for name, tensor in zip(NAMES, self.parameters(), strict=True)
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Projection | None:
        """The inverse of `tensors`; None where there is none. Other names are ignored."""
        if f"adapter.{NAMES[0]}" not in tensors:
            return None
        weight, bias = (tensors[f"adapter.{name}"] for name in NAMES)
        return cls(weight, bias)

    def changed(self, change: Callable[[Tensor], Tensor]) -> Projection:
        """The same with each tensor changed."""
        return Projection(change(self.weight), change(self.bias))

    def clone(self) -> Projection:
        """A copy that shares no memory and needs no gradient."""
        return self.changed(lambda tensor: tensor.detach().clone())

    def to(self, device: torch.device) -> Projection:
        """The same on another device."""
        return self.changed(lambda tensor: tensor.to(device))

    def apply(self, features: Tensor) -> Tensor:
        """One task's: (..., v) visual features to (..., d), in float32."""
        with torch.autocast(features.device.type, enabled=False):
            return torch.nn.functional.linear(features.to(self.weight), self.weight, self.bias)
