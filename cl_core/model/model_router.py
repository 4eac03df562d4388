"""Which adapters a sample gets: one class for each way in which weights come about.

ScoreRouter    a router reads frozen features, or none, before the forward pass
InsideRouter   L2R: routers inside the pass weigh the adapters block by block
FixedWeights   the same for every sample, as a what-if has it
NoRouter       one adapter serves all tasks: nothing to choose
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.errors import UserError
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.model_composition import AdaptersWithHeads, ModelComposition, OnePass, Task
from cl_core.model.what_if import WhatIf
from cl_core.route.network import RouterNetwork
from cl_core.route.router import Router, Routing
from cl_core.route.settings import RouterSettings


class ModelRouter(Protocol):
    """From samples to weights over the bank's adapters."""

    def route(self, samples: EncodedSamples, bank: Bank, task: Task) -> Routing:
        """(B, K) scores and weights; some routers are told the true task."""
        ...

    def changed(self, what_if: WhatIf, tasks: tuple[str, ...]) -> ModelRouter:
        """The router under a what-if, among adapters of these tasks.

        Raises:
            UserError: there is no place for a change.
        """
        ...


@dataclass(frozen=True)
class ScoreRouter:
    """A choice of the slot *route*, which gives weights before the forward pass.

    Attributes:
        make: from settings to a router of the kind that has learnt nothing.
        router: one that has.
        settings: that it was made with.
        reads_features: whether it looks at router embeddings.
        ranks: whether its weights are the softmax of its k best scores.
        what_if: what is changed of its weights, and the tasks of the K adapters.
    """

    make: Callable[[RouterSettings], Router]
    router: Router
    settings: RouterSettings
    reads_features: bool
    ranks: bool
    what_if: tuple[WhatIf, tuple[str, ...]] | None = None

    def route(self, samples: EncodedSamples, bank: Bank, task: Task) -> Routing:
        """(B, K) scores and weights."""
        features = samples.features if self.reads_features else None
        routing = self.router.route(features, torch.full((len(samples),), task or 0))
        if self.what_if is None:
            return routing
        what_if, tasks = self.what_if
        return what_if.reconsider(routing, tasks, self.ranks, self.settings)

    def changed(self, what_if: WhatIf, tasks: tuple[str, ...]) -> ScoreRouter:
        """The same scores; k, temperature and the weights as the what-if has them."""
        asked = {"k": what_if.k, "temperature": what_if.temperature}
        changes = {name: value for name, value in asked.items() if value is not None}
        settings = type(self.settings)(**{**self.settings.model_dump(), **changes})
        router = self.make(settings)
        router.load_state(self.router.state())
        return replace(self, router=router, settings=settings, what_if=(what_if, tasks))


@dataclass(frozen=True)
class InsideRouter(ModelComposition):
    """L2R: routers and composition in one, for the weights come about while the backbone runs.

    Attributes:
        network: the routers of all adapted blocks.
        how: name of the composition.
    """

    network: RouterNetwork
    how: str

    def route(self, samples: EncodedSamples, bank: Bank, task: Task) -> Routing:
        """(B, K) weights, the mean over blocks, with those of each block."""
        routed = samples.routed(bank, self.network, self.how)
        return Routing(routed.weights, routed.weights, routed.per_block)

    def states(
        self, model: AdaptersWithHeads, samples: EncodedSamples, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, d), of the pass that the weights are of."""
        return samples.routed(model.bank, self.network, self.how).states

    def given_weights(self) -> OnePass:
        """The same composition, by weights that are there before the pass."""
        return OnePass(self.how)

    def changed(self, what_if: WhatIf, tasks: tuple[str, ...]) -> ModelRouter:
        """Gates that never choose what is dropped, of another temperature, composed otherwise; or fixed weights."""
        if what_if.k is not None:
            raise UserError("its routers weigh all adapters in every block: there is no k")
        if what_if.fixed:
            return FixedWeights(what_if.fixed_weights(1, tasks))
        network = self.network.without(what_if.places(tasks))
        if what_if.temperature is not None:
            network = replace(network, temperature=what_if.temperature)
        return InsideRouter(network, what_if.compose or self.how)


@dataclass(frozen=True)
class FixedWeights:
    """The same weights for every sample.

    Attributes:
        weights: (1, K).
    """

    weights: Tensor

    def route(self, samples: EncodedSamples, bank: Bank, task: Task) -> Routing:
        """(B, K)."""
        weights = self.weights.expand(len(samples), -1)
        return Routing(weights, weights)

    def changed(self, what_if: WhatIf, tasks: tuple[str, ...]) -> ModelRouter:
        """Other weights."""
        return FixedWeights(what_if.fixed_weights(1, tasks)) if what_if.fixed else self


class NoRouter:
    """One adapter serves all tasks."""

    def route(self, samples: EncodedSamples, bank: Bank, task: Task) -> Routing:
        """(B, 1) ones."""
        ones = torch.ones(len(samples), 1)
        return Routing(ones, ones)

    def changed(self, what_if: WhatIf, tasks: tuple[str, ...]) -> NoRouter:
        """Refuses every change."""
        if what_if == WhatIf():
            return self
        raise UserError("one adapter serves all tasks: there is nothing to choose")
