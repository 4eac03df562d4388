"""L2R's network of routers: one linear router per adapted block.

    z = W_r h + b      h the pooled hidden state that enters block r
    alpha = gate(z)    see `gates.py`

L2R, arXiv 2408.09053. `routed_pass.py` reads it while the backbone runs. Shapes: B samples, T tokens, d hidden size,
K adapters, R blocks with adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.backbones.features import pool
from cl_core.route.settings import Gate, RouterNetworkSettings

INITIAL_STD = 0.02


@dataclass(frozen=True)
class RouterNetwork:
    """The routers of all adapted blocks.

    Attributes:
        weight: W, (R, K, d), or (1, K, d) where one router serves all blocks.
        bias: b, (R, K) or (1, K).
        blocks: the R adapted blocks, ascending.
        gate: what makes weights of the logits.
        temperature: tau of the gate.
        pooling: "cls" or "mean".
    """

    weight: Tensor
    bias: Tensor
    blocks: tuple[int, ...]
    gate: Gate = "gumbel-sigmoid"
    temperature: float = 1.0
    pooling: str = "cls"

    def __post_init__(self) -> None:
        routers = self.weight.shape[0]
        if routers not in (1, len(self.blocks)):
            raise ValueError(f"{routers} routers for {len(self.blocks)} blocks; one each, or one")
        if self.bias.shape != self.weight.shape[:2]:
            wanted = tuple(self.weight.shape[:2])
            raise ValueError(f"bias is {tuple(self.bias.shape)}; weight makes it {wanted}")

    @classmethod
    def initialise(
        cls,
        blocks: Sequence[int],
        adapters: int,
        hidden_size: int,
        generator: torch.Generator,
        settings: RouterNetworkSettings,
    ) -> RouterNetwork:
        """Routers that weigh all adapters nearly alike: weights N(0, 0.02^2), zero biases **(ours)**.

        Args:
            blocks: the adapted blocks, ascending.
            adapters: K.
            hidden_size: d.
            generator: a CPU generator; the same state gives the same bytes.
            settings: gate, pooling, and whether the router is shared.
        """
        routers = 1 if settings.shared_router else len(blocks)
        weight = torch.empty(routers, adapters, hidden_size)
        return cls._made(
            weight.normal_(0.0, INITIAL_STD, generator=generator),
            torch.zeros(routers, adapters),
            blocks,
            settings,
        )

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], blocks: Sequence[int], settings: RouterNetworkSettings
    ) -> RouterNetwork:
        """The inverse of `tensors`; other names are ignored."""
        return cls._made(tensors["network.weight"], tensors["network.bias"], blocks, settings)

    @classmethod
    def _made(
        cls, weight: Tensor, bias: Tensor, blocks: Sequence[int], settings: RouterNetworkSettings
    ) -> RouterNetwork:
        return cls(
            weight,
            bias,
            tuple(blocks),
            settings.gate,
            settings.gate_temperature,
            settings.router_pooling,
        )

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained."""
        return self.weight.numel() + self.bias.numel()

    def parameters(self) -> list[Tensor]:
        """The two tensors, for an optimiser."""
        return [self.weight, self.bias]

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file."""
        return {"network.weight": self.weight, "network.bias": self.bias}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the routers in place with those of `tensors`."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> RouterNetwork:
        """A copy that shares no memory and needs no gradient."""
        weight, bias = (tensor.detach().clone() for tensor in self.parameters())
        return replace(self, weight=weight, bias=bias)

    def to(self, device: torch.device) -> RouterNetwork:
        """The same routers on another device."""
        return replace(self, weight=self.weight.to(device), bias=self.bias.to(device))

    def logits(self, place: int, hidden: Tensor, mask: Tensor) -> Tensor:
        """z = W_r h + b, in the routers' own type, whatever that of the states.

        Args:
            place: of the block among `blocks`.
            hidden: (B, T, d), entering the block.
            mask: (B, T), 1 for tokens and 0 for padding.

        Returns:
            (B, K).
        """
        dtype, router = self.weight.dtype, place if len(self.weight) > 1 else 0
        # A sum over tokens loses digits in half precision; one token is converted alone.
        states = hidden if self.pooling == "cls" else hidden.to(dtype)
        pooled = pool(states, mask, self.pooling).to(dtype)
        return F.linear(pooled, self.weight[router], self.bias[router])


def parameter_count(blocks: int, adapters: int, hidden_size: int, shared: bool = False) -> int:
    """Trainable numbers of the routers of R blocks over K adapters: R K (d + 1), or K (d + 1) for a shared one."""
    return (1 if shared else blocks) * adapters * (hidden_size + 1)
