"""L2R's network of routers: one linear router per adapted block.

    z = W_r h + b      h the pooled hidden state that enters block r
    alpha = gate(z)    see `gates.py`

L2R, arXiv 2408.09053. `routed_pass.py` reads it while the backbone runs. Where there is something to see, one router
more weighs the visual projections, which come before the first block: it reads the mean of what is seen **(ours)**.
Shapes: B samples, T tokens, d hidden size, v width of visual features, K adapters, R blocks with adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.backbones.pooling import pool
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
        visual: weight (K, v) and bias (K,) of the visual projections' router; None where there is nothing to see.
    """

    weight: Tensor
    bias: Tensor
    blocks: tuple[int, ...]
    gate: Gate = "gumbel-sigmoid"
    temperature: float = 1.0
    pooling: str = "cls"
    visual: tuple[Tensor, Tensor] | None = None

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
        seen_size: int | None = None,
    ) -> RouterNetwork:
        """Routers that weigh all adapters nearly alike: weights N(0, 0.02^2), zero biases **(ours)**.

        Args:
            blocks: the adapted blocks, ascending.
            adapters: K.
            hidden_size: d.
            generator: a CPU generator; the same state gives the same bytes.
            settings: gate, pooling, and whether the router is shared.
            seen_size: v, where there is something to see.
        """
        routers = 1 if settings.shared_router else len(blocks)
        weight = torch.empty(routers, adapters, hidden_size)
        weight.normal_(0.0, INITIAL_STD, generator=generator)
        visual = None
        if seen_size is not None:
            looks = torch.empty(adapters, seen_size)
            looks.normal_(0.0, INITIAL_STD, generator=generator)
            visual = looks, torch.zeros(adapters)
        return cls._made(weight, torch.zeros(routers, adapters), blocks, settings, visual)

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], blocks: Sequence[int], settings: RouterNetworkSettings
    ) -> RouterNetwork:
        """The inverse of `tensors`; other names are ignored."""
        visual = None
        if "network.visual_weight" in tensors:
            visual = tensors["network.visual_weight"], tensors["network.visual_bias"]
        weight, bias = tensors["network.weight"], tensors["network.bias"]
        return cls._made(weight, bias, blocks, settings, visual)

    @classmethod
    def _made(
        cls,
        weight: Tensor,
        bias: Tensor,
        blocks: Sequence[int],
        settings: RouterNetworkSettings,
        visual: tuple[Tensor, Tensor] | None,
    ) -> RouterNetwork:
        return cls(
            weight,
            bias,
            tuple(blocks),
            settings.gate,
            settings.gate_temperature,
            settings.router_pooling,
            visual,
        )

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained."""
        return sum(tensor.numel() for tensor in self.parameters())

    @property
    def routers(self) -> int:
        """How many times a sample is routed: at each adapted block, and once for what is seen."""
        return len(self.blocks) + (self.visual is not None)

    def parameters(self) -> list[Tensor]:
        """All tensors, for an optimiser."""
        return [self.weight, self.bias, *(self.visual or ())]

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file."""
        names = ("weight", "bias", "visual_weight", "visual_bias")
        return {
            f"network.{name}": tensor
            for name, tensor in zip(names, self.parameters(), strict=False)
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the routers in place with those of `tensors`."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> RouterNetwork:
        """A copy that shares no memory and needs no gradient."""
        return self._with([tensor.detach().clone() for tensor in self.parameters()])

    def to(self, device: torch.device) -> RouterNetwork:
        """The same routers on another device."""
        return self._with([tensor.to(device) for tensor in self.parameters()])

    def _with(self, tensors: Sequence[Tensor]) -> RouterNetwork:
        weight, bias, *looks = tensors
        return replace(
            self, weight=weight, bias=bias, visual=(looks[0], looks[1]) if looks else None
        )

    def without(self, places: Sequence[int]) -> RouterNetwork:
        """The same routers, where the adapters at some places can never be chosen: their gates are shut."""

        def shut(bias: Tensor) -> Tensor:
            changed = bias.clone()
            changed[..., list(places)] = -torch.inf
            return changed

        visual = None if self.visual is None else (self.visual[0], shut(self.visual[1]))
        return replace(self, bias=shut(self.bias), visual=visual)

    def visual_logits(self, seen: Tensor) -> Tensor:
        """(B, K) logits of the visual projections, from the (B, v) mean of what is seen.

        Raises:
            ValueError: the network has no router for them.
        """
        if self.visual is None:
            raise ValueError("this network of routers has none for what is seen")
        weight, bias = self.visual
        return F.linear(seen.to(weight.dtype), weight, bias)

    def logits(self, index: int, hidden: Tensor, mask: Tensor) -> Tensor:
        """z = W_r h + b, in the routers' own type, whatever that of the states.

        Args:
            index: of the block among `blocks`.
            hidden: (B, T, d), entering the block.
            mask: (B, T), 1 for tokens and 0 for padding.

        Returns:
            (B, K).
        """
        dtype, router = self.weight.dtype, index if len(self.weight) > 1 else 0
        # A sum over tokens loses digits in half precision; one token is converted alone.
        states = hidden if self.pooling == "cls" else hidden.to(dtype)
        pooled = pool(states, mask, self.pooling).to(dtype)
        return F.linear(pooled, self.weight[router], self.bias[router])


def parameter_count(blocks: int, adapters: int, hidden_size: int, shared: bool = False) -> int:
    """Trainable numbers of the routers of R blocks over K adapters: R K (d + 1), or K (d + 1) for a shared one.

    >>> parameter_count(blocks=6, adapters=5, hidden_size=384)
    11550
    """
    return (1 if shared else blocks) * adapters * (hidden_size + 1)
