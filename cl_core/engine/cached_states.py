"""States of a run's rows, each an artifact under the key of all that they depend on: what is there is looked up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS
from cl_core.adapters.fusion import FusionWeights
from cl_core.backbones.encoding import BackboneInput
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, RunArtifacts
from cl_core.evaluate.states import changed_rows
from cl_core.model.encoded_samples import EncodedSamples, MakeBank
from cl_core.model.forward_passes import RoutedStates
from cl_core.model.stored_weights import StageKeys
from cl_core.route.network import RouterNetwork


@dataclass(frozen=True)
class ComposedStates:
    """States of a split under adapters composed by each row's weights.

    Attributes:
        key: of the artifact.
        values: (N, d) float32.
        adapters: K artifact keys, the columns of `weights`.
        weights: (N, K) routing weights that they were computed with.
        recomputed: rows whose forward pass was run for this artifact; the others were looked up.
    """

    key: str
    values: Tensor
    adapters: tuple[str, ...]
    weights: Tensor
    recomputed: int


class RunSamples(EncodedSamples):
    """A split of a task's rows, answered by the model of a stage.

    Args:
        artifacts: of the run.
        keys: of what the stage's model is made of.
        stage: 0-based, for the events.
        task: 0-based task whose rows they are.
        split: of that task.
        earlier: by task, what the stage before has composed; gets this one's.

    Attributes:
        state_keys: artifact keys of the states that were asked for.
        recomputed: rows whose forward pass was run; the others were looked up.
    """

    def __init__(
        self,
        artifacts: RunArtifacts,
        keys: StageKeys,
        stage: int,
        task: int,
        split: str,
        earlier: dict[int, ComposedStates],
    ) -> None:
        super().__init__(artifacts.passes, None)
        self.artifacts, self.keys = artifacts, keys
        self.stage, self.task, self.split = stage, task, split
        self.earlier = earlier
        self.state_keys: list[str] = []
        self.recomputed = len(self)

    def __len__(self) -> int:
        return len(self.artifacts.stream.all_tasks[self.task].splits[self.split])

    @cached_property
    def encoding(self) -> BackboneInput:
        """As the backbone reads them; not asked for where all states are there."""
        return self.artifacts.data.encoding(self.task, self.split)

    @cached_property
    def features(self) -> Tensor:
        """(N, d) router embeddings."""
        return self.artifacts.features(self.task, self.split)

    def bare(self, pooling: str) -> Tensor:
        """(N, d) states without adapters."""
        return self.artifacts.bare_states(self.task, self.split, pooling)

    def alone(self, bank: Bank, adapter: int) -> Tensor:
        """(N, d) states under one adapter by itself; what an earlier stage ran is looked up."""
        keys = self.keys.adapters if self.keys.shared is None else [self.keys.shared]
        # Of an adapter that all tasks share there is the newest state alone.
        key = keys[adapter - len(bank)]
        one, ones = Bank.stack([bank.adapter(adapter)]), torch.ones(len(self), 1)
        states = self._composed([key], one, ones, "select", None)
        self.state_keys.append(states.key)
        return states.values

    def composed(
        self, bank: Bank, weights: Tensor, how: str, fishers: MakeBank | None = None
    ) -> Tensor:
        """(N, d); rows whose adapters and weights are those of the stage before are looked up, not computed."""
        states = self._composed(
            self.keys.adapters, bank, weights, how, fishers, self.earlier.get(self.task)
        )
        self.earlier[self.task] = states
        self.recomputed = states.recomputed
        self.state_keys.append(states.key)
        return states.values

    def fused(self, bank: Bank, fusion: FusionWeights | None, task: int, weights: Tensor) -> Tensor:
        """(N, d) under the task's own fusion, which later stages do not change."""
        self.recomputed = len(self) if task == self.stage else 0
        if fusion is None:
            self.state_keys.append(self.keys.adapters[task])
            return self.passes.adapter(self.encoding, bank.adapter(task))
        key, adapters = self.keys.fusions[task], self.keys.adapters[: task + 1]
        self.state_keys.append(key)
        of_task = bank.first(task + 1)
        return fused_states(self.artifacts, key, fusion, adapters, of_task, task, self.split)

    def routed(self, bank: Bank, network: RouterNetwork, how: str) -> RoutedStates:
        """States and weights where L2R's routers weigh the adapters."""
        if self._routed is None:
            inputs = {
                **_inputs(self.artifacts, self.task, self.split),
                "network": self.keys.network,
            }

            def compute() -> Contents:
                routed = self.passes.routed(self.encoding, bank, network, how)
                return vars(routed), None

            artifact = self.artifacts.get_or_compute(
                "states", inputs, compute, self.task, self.stage
            )
            self.state_keys.append(artifact.key)
            self._routed = network, how, RoutedStates(**artifact.tensors)
        return self._routed[2]

    def _composed(
        self,
        adapters: Sequence[str],
        bank: Bank,
        weights: Tensor,
        how: str,
        fishers: MakeBank | None,
        previous: ComposedStates | None = None,
    ) -> ComposedStates:
        changed = torch.ones(len(weights), dtype=torch.bool)
        if previous is not None:
            changed = changed_rows(previous.adapters, previous.weights, adapters, weights)
            if not changed.any():
                return ComposedStates(previous.key, previous.values, tuple(adapters), weights, 0)
        lookup = previous is not None and not bool(changed.all())
        settings = self.artifacts.settings
        inputs: dict[str, Any] = {
            **_inputs(self.artifacts, self.task, self.split),
            "adapters": list(adapters),
            "weights": hashlib.sha256(weights.contiguous().numpy().tobytes()).hexdigest(),
            "compose": how,
            # A looked-up row may differ in its last bit from one computed in another batch, so
            # what it came from is part of the key.
            "previous": previous.key if lookup and previous else None,
        }
        fisher_bank = None
        if not COMPOSITIONS[how].traits.paths:
            inputs["merging"] = settings.merging.model_dump()
        if fishers is not None:
            inputs["fisher_rows"] = settings.baselines.fisher_rows
            fisher_bank = fishers()

        def compute() -> Contents:
            rows = changed.nonzero().flatten().tolist()
            fresh = self.passes.composed(
                self.encoding, bank, weights[changed], how, fisher_bank, rows
            )
            if not (lookup and previous):
                return {"states": fresh}, None
            values = previous.values.clone()
            values[changed] = fresh
            return {"states": values}, None

        artifact = self.artifacts.get_or_compute("states", inputs, compute, self.task, self.stage)
        values = artifact.tensors["states"]
        return ComposedStates(artifact.key, values, tuple(adapters), weights, int(changed.sum()))


def fused_states(
    artifacts: RunArtifacts,
    key: str,
    fusion: FusionWeights,
    adapters: Sequence[str],
    bank: Bank,
    task: int,
    split: str,
) -> Tensor:
    """(N, d) states of a split under a fusion of adapters.

    Args:
        artifacts: of the run.
        key: of the fusion.
        fusion: the same.
        adapters: keys of those that it fuses.
        bank: the same.
        task: 0-based task whose rows they are.
        split: of that task.
    """
    inputs = {**_inputs(artifacts, task, split), "adapters": list(adapters), "fusion": key}

    def compute() -> Contents:
        return {
            "states": artifacts.passes.fused(artifacts.data.encoding(task, split), bank, fusion)
        }, None

    return artifacts.get_or_compute("states", inputs, compute, task, task).tensors["states"]


def _inputs(artifacts: RunArtifacts, task: int, split: str) -> Mapping[str, Any]:
    """What the key of all states of a split depends on."""
    return {
        "version": VERSIONS["states"],
        **artifacts.backbone_inputs(),
        "data": artifacts.data.fingerprint(task, split),
        "pooling": artifacts.settings.train.head_pooling,
        "batch_size": artifacts.settings.evaluate.eval_batch_size,
    }
