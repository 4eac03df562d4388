"""Encoded samples, and what forward passes have made of them: each pass is run once, whatever is asked afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.fusion import FusionWeights
from cl_core.backbones.encoding import BackboneInput
from cl_core.model.forward_passes import ForwardPasses, RoutedStates
from cl_core.route.network import RouterNetwork

MakeBank = Callable[[], Bank]


class EncodedSamples:
    """B samples as a model takes them, and as their answers are kept; `cached_states.py` keeps them in the store.

    Args:
        passes: of the backbone that encoded them.
        encoding: the samples; None where a subclass reads them when they are asked for.
        descriptions: each in one line, for whoever shows them.
    """

    def __init__(
        self,
        passes: ForwardPasses,
        encoding: BackboneInput | None,
        descriptions: Sequence[str] = (),
    ) -> None:
        self.passes = passes
        if encoding is not None:
            self.encoding = encoding
        self.descriptions = list(descriptions)
        self._alone: dict[int, Tensor] = {}
        self._routed: tuple[RouterNetwork, str, RoutedStates] | None = None

    def __len__(self) -> int:
        return len(self.encoding)

    @cached_property
    def encoding(self) -> BackboneInput:
        """As the backbone reads them."""
        raise ValueError("no samples were given")

    @cached_property
    def features(self) -> Tensor:
        """(B, d) router embeddings."""
        return self.passes.features(self.encoding)

    def bare(self, pooling: str) -> Tensor:
        """(B, d) states without adapters."""
        return self.passes.bare(self.encoding, pooling)

    def alone(self, bank: Bank, adapter: int) -> Tensor:
        """(B, d) states under one adapter of the bank by itself."""
        if adapter not in self._alone:
            weights = torch.zeros(len(self), len(bank))
            weights[:, adapter] = 1.0
            self._alone[adapter] = self.passes.composed(self.encoding, bank, weights, "select")
        return self._alone[adapter]

    def composed(
        self, bank: Bank, weights: Tensor, how: str, fishers: MakeBank | None = None
    ) -> Tensor:
        """(B, d) states under the bank's adapters, composed by (B, K) weights."""
        fisher_bank = None if fishers is None else fishers()
        return self.passes.composed(self.encoding, bank, weights, how, fisher_bank)

    def fused(self, bank: Bank, fusion: FusionWeights | None, task: int, weights: Tensor) -> Tensor:
        """(B, d) states under a task's fusion of the adapters up to it; where it has none, of the top-1 adapter."""
        if fusion is None:
            return self.passes.composed(self.encoding, bank, weights, "select")
        return self.passes.fused(self.encoding, bank.first(task + 1), fusion)

    def routed(self, bank: Bank, network: RouterNetwork, how: str) -> RoutedStates:
        """States and weights where routers inside the pass weigh the adapters; the last pass is kept."""
        if self._routed is None or self._routed[0] is not network or self._routed[1] != how:
            self._routed = network, how, self.passes.routed(self.encoding, bank, network, how)
        return self._routed[2]
