"""Weights of a run from the store: by key, on the device, and together as the parts of a stage's model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from torch import Tensor

from cl_core.adapters.adapter import Adapter, select_sites
from cl_core.adapters.bank import Bank
from cl_core.adapters.fusion import FusionWeights
from cl_core.adapters.task_weights import TaskWeights
from cl_core.model.encoded_samples import MakeBank
from cl_core.model.forward_passes import ForwardPasses
from cl_core.model.model_parts import ModelParts
from cl_core.route.router import Router
from cl_core.train.routers import RoutersAndHeads
from cl_core.train.shared_objective import SharedWeights

Read = Callable[[str, str], Mapping[str, Tensor]]
"""From the kind and the key of an artifact to its tensors; says what is missing."""


@dataclass(frozen=True)
class StageKeys:
    """Keys of what a run has learnt by a stage.

    Attributes:
        adapters: of the tasks so far, each with its head; empty where `shared` is all there is.
        shared: of the adapter that all tasks share, with all heads.
        network: of L2R's routers.
        fusions: AdapterFusion, by task; the first has none.
    """

    adapters: Sequence[str] = ()
    shared: str | None = None
    network: str | None = None
    fusions: Mapping[int, str] = field(default_factory=dict)


class StoredWeights:
    """Weights from the store, each read once, on the device.

    Args:
        passes: of the run.
        read: finds an artifact.
    """

    def __init__(self, passes: ForwardPasses, read: Read) -> None:
        self._read, self._where = read, passes.device.torch_device
        self._adapter, self._network = passes.settings.adapter, passes.settings.network
        sites = select_sites(passes.backbone.sites, self._adapter)
        self.site_names = [site.name for site in sites]
        self.blocks = tuple(sorted({site.block for site in sites}))
        self._tasks: dict[tuple[str, str], TaskWeights] = {}

    def task(self, key: str, kind: str = "adapter") -> TaskWeights:
        """A task's adapter and head."""
        if (kind, key) not in self._tasks:
            tensors, activation = self._read(kind, key), self._adapter.activation
            weights = TaskWeights.from_tensors(tensors, self.site_names, activation)
            self._tasks[kind, key] = weights.to(self._where)
        return self._tasks[kind, key]

    def adapter(self, key: str, kind: str) -> Adapter:
        """An adapter alone, or what has its shape."""
        tensors, activation = self._read(kind, key), self._adapter.activation
        return Adapter.from_tensors(tensors, self.site_names, activation).to(self._where)

    def shared(self, key: str) -> SharedWeights:
        """The adapter that all tasks share, and its heads."""
        tensors, activation = self._read("shared", key), self._adapter.activation
        return SharedWeights.from_tensors(tensors, self.site_names, activation).to(self._where)

    def network(self, key: str) -> RoutersAndHeads:
        """L2R's routers and the heads that they were trained with."""
        tensors = self._read("network", key)
        return RoutersAndHeads.from_tensors(tensors, self.blocks, self._network).to(self._where)

    def fusion(self, key: str, kind: str = "fusion") -> FusionWeights:
        """A fusion and its head."""
        return FusionWeights.from_tensors(self._read(kind, key), self.site_names).to(self._where)

    def parts(
        self,
        keys: StageKeys,
        pool: Sequence[int],
        router: Router | None,
        fishers: MakeBank | None = None,
    ) -> ModelParts:
        """What the keys name.

        Args:
            keys: of the stage.
            pool: the tasks whose adapters the model holds.
            router: that weighs before the pass, where there is something to choose.
            fishers: see `ModelParts`.
        """
        if keys.shared is not None:
            shared = self.shared(keys.shared)
            return ModelParts(Bank.stack([shared.adapter]), shared.heads, None)
        learnt = [self.task(key) for key in keys.adapters]
        bank = Bank.stack([learnt[task].adapter for task in pool])
        heads = tuple(weights.head for weights in learnt)
        if keys.network is not None:
            inside = self.network(keys.network)
            return ModelParts(bank, inside.heads, inside.network)

        @lru_cache(maxsize=1)  # the states and the logits of a task ask one after the other
        def fusion(task: int) -> FusionWeights | None:
            return self.fusion(keys.fusions[task]) if task in keys.fusions else None

        return ModelParts(bank, heads, router, fusion, fishers)
