"""What a model makes of its adapters for a sample, and which heads read it: one class for each way.

    OnePass         one pass, the adapters composed by the sample's weights
    PassPerAdapter  a pass for each adapter; every one answers, and the answers are mixed by the weights
    TaskFusion      AdapterFusion: the task's own fusion of all adapters up to it, with the head trained above it
    SingleAdapter   one adapter serves all tasks: nothing to compose
    NoAdapter       the bare backbone

L2R's, whose weights come about inside the pass, is `model_router.InsideRouter`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import with_given_weights
from cl_core.adapters.fusion import FusionWeights
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.model.encoded_samples import EncodedSamples, MakeBank

Task = int | None
"""The samples' true task, from 0, where it is known."""
FindFusion = Callable[[int], FusionWeights | None]


class AdaptersWithHeads(Protocol):
    """What there is to compose: of a `Model`, all that a composition reads."""

    @property
    def bank(self) -> Bank:
        """K adapters."""
        ...

    @property
    def heads(self) -> tuple[Head, ...]:
        """By task, or in DIL by adapter."""
        ...

    @property
    def label_space(self) -> LabelSpace:
        """Which labels can be the answer."""
        ...


class ModelComposition(ABC):
    """From routing weights (B, K) to states, and from states to logits."""

    @abstractmethod
    def states(
        self, model: AdaptersWithHeads, samples: EncodedSamples, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, d) pooled last hidden states, on the CPU; (K, B, d) where every adapter answers by itself."""

    def logits(
        self, model: AdaptersWithHeads, states: Tensor, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, C) logits of such states; the heads are weighed as the adapters are."""
        return model.label_space.logits(states, model.heads, weights, task)

    def given_weights(self) -> ModelComposition:
        """What stands in for it where a sample's weights are dialled in."""
        return self


@dataclass(frozen=True)
class OnePass(ModelComposition):
    """The adapters composed by each sample's weights.

    Attributes:
        how: name of the composition.
        fishers: makes those of the bank's adapters, for compositions that weigh by them.
    """

    how: str
    fishers: MakeBank | None = None

    def states(
        self, model: AdaptersWithHeads, samples: EncodedSamples, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, d)."""
        return samples.composed(model.bank, weights, self.how, self.fishers)


class PassPerAdapter(ModelComposition):
    """Logits of every adapter with its own head, mixed by the weights."""

    def states(
        self, model: AdaptersWithHeads, samples: EncodedSamples, weights: Tensor, task: Task
    ) -> Tensor:
        """(K, B, d)."""
        return torch.stack([samples.alone(model.bank, k) for k in range(len(model.bank))])

    def logits(
        self, model: AdaptersWithHeads, states: Tensor, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, C); see `LabelSpace.mixed_logits`."""
        return model.label_space.mixed_logits(states.unbind(0), model.heads, weights, task)


@dataclass(frozen=True)
class TaskFusion(ModelComposition):
    """AdapterFusion: task t's own fusion of adapters 1..t, which later tasks do not change.

    Attributes:
        how: name of the composition.
        fusion: from a task to its own; None for the first, whose adapter stands alone.
    """

    how: str
    fusion: FindFusion

    def states(
        self, model: AdaptersWithHeads, samples: EncodedSamples, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, d)."""
        return samples.fused(model.bank, self.fusion(task or 0), task or 0, weights)

    def logits(
        self, model: AdaptersWithHeads, states: Tensor, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, C), with the fusion's head in place of the task's."""
        heads, fusion = list(model.heads), self.fusion(task or 0)
        if fusion is not None:
            heads[task or 0] = fusion.head
        return model.label_space.logits(states, heads, weights, task)

    def given_weights(self) -> OnePass:
        """A fusion takes no weights from outside; another composition does what they say."""
        return OnePass(with_given_weights(self.how))


class SingleAdapter(ModelComposition):
    """Sequential, replay, EWC, LwF, joint; a static merge: no weights tell the heads apart."""

    def states(
        self, model: AdaptersWithHeads, samples: EncodedSamples, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, d)."""
        return samples.alone(model.bank, 0)

    def logits(
        self, model: AdaptersWithHeads, states: Tensor, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, C)."""
        return model.label_space.logits(states, model.heads, None, task)


@dataclass(frozen=True)
class NoAdapter(SingleAdapter):
    """The untrained baseline.

    Attributes:
        pooling: what its heads read of the last layer.
    """

    pooling: str

    def states(
        self, model: AdaptersWithHeads, samples: EncodedSamples, weights: Tensor, task: Task
    ) -> Tensor:
        """(B, d)."""
        return samples.bare(self.pooling)
