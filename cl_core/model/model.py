"""The model of a run after one of its stages: it routes, composes and answers, for whoever asks.

    route    which adapters a sample gets, p(x)
    states   what they make of it
    logits   what the heads make of that, under the protocol
    answer   all three, as the run does it or under a what-if

`model_parts.py` puts it together, for a run in progress (`experiment.py`) as for one in a folder
(`loaded_model.py`); a static merge and the untrained baseline are models with other parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.forward_passes import ForwardPasses
from cl_core.model.model_composition import ModelComposition, OnePass
from cl_core.model.model_router import InsideRouter, ModelRouter
from cl_core.model.what_if import WhatIf
from cl_core.route.router import Routing

AS_IN_THE_RUN = WhatIf()


@dataclass(frozen=True)
class Answer:
    """Routing of B samples, and their logits (B, C) over the stream's label space."""

    routing: Routing
    logits: Tensor


@dataclass(frozen=True)
class Model:
    """Adapters and heads over a frozen backbone, with what chooses and composes them.

    Attributes:
        passes: the frozen backbone, as the run reads it.
        bank: K adapters.
        heads: by task, or in DIL by adapter.
        router: which adapters a sample gets.
        composition: what its weights do to them.
        label_space: which labels can be the answer.
        tasks: names of those whose adapters the bank holds.
    """

    passes: ForwardPasses
    bank: Bank
    heads: tuple[Head, ...]
    router: ModelRouter
    composition: ModelComposition
    label_space: LabelSpace
    tasks: tuple[str, ...]

    def route(self, samples: EncodedSamples, task: int | None = None) -> Routing:
        """(B, K) scores and weights; `task` is the true one, from 0, for routers that are told it."""
        return self.router.route(samples, self.bank, task)

    def states(self, samples: EncodedSamples, weights: Tensor, task: int | None = None) -> Tensor:
        """(B, d) pooled last hidden states under (B, K) weights; (K, B, d) where every adapter answers by itself."""
        return self.composition.states(self, samples, weights, task)

    def logits(self, states: Tensor, weights: Tensor, task: int | None = None) -> Tensor:
        """(B, C) logits of such states, on the CPU.

        Raises:
            UserError: the protocol must be told the task, and is not.
        """
        where = self.passes.device.torch_device
        return self.composition.logits(self, states.to(where), weights.to(where), task).cpu()

    def answer(
        self, samples: EncodedSamples, task: int | None = None, what_if: WhatIf = AS_IN_THE_RUN
    ) -> Answer:
        """Routes, composes and answers.

        Args:
            samples: B of them.
            task: the true one, from 0, where the protocol or the router is told it.
            what_if: changes to how the run does it.

        Raises:
            UserError: there is no place for a change, or no task where one is needed.
        """
        model = self.changed(what_if)
        routing = model.route(samples, task)
        states = model.states(samples, routing.weights, task)
        return Answer(routing, model.logits(states, routing.weights, task))

    def alone(self, samples: EncodedSamples, adapter: int) -> Tensor:
        """(B,) what one adapter of several predicts by itself with its own head, as positions in the label space."""
        states = samples.alone(self.bank, adapter).to(self.passes.device.torch_device)
        return self.label_space.head_logits(states, self.heads, adapter).argmax(dim=1).cpu()

    def changed(self, what_if: WhatIf) -> Model:
        """The model under a what-if.

        Raises:
            UserError: there is no place for a change.
        """
        if what_if == AS_IN_THE_RUN:
            return self
        router, composition = self.router.changed(what_if, self.tasks), self.composition
        if isinstance(router, InsideRouter):
            return replace(self, router=router, composition=router)
        if what_if.compose is not None:
            composition = OnePass(what_if.compose)
        elif what_if.fixed:
            composition = composition.given_weights()
        return replace(self, router=router, composition=composition)
