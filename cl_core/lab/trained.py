"""What a run has learnt by one of its stages, loaded from the store: adapters, heads, router, fusions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from torch import Tensor

from cl_core.adapters.adapter import Adapter, select_sites
from cl_core.adapters.bank import Bank
from cl_core.adapters.fusion import FusionWeights
from cl_core.adapters.heads import Head
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.load import load_backbone
from cl_core.device import Device, choose_device
from cl_core.errors import UserError
from cl_core.lab.workspace import RunFolder, Workspace
from cl_core.route.network import RouterNetwork
from cl_core.route.router import Router
from cl_core.train.routers import RoutersAndHeads
from cl_core.train.shared import SharedWeights


class Trained:
    """Everything that answering takes, on one device.

    Args:
        workspace: where the run and its artifacts are.
        run: the run.
        stage: 1-based stage; None for the last.
        device: where to compute.

    Attributes:
        tasks: those learnt by the stage.
        pool: positions of the tasks whose adapters are held, K of them.
        bank: these adapters.
        heads: of all tasks seen.
        network: L2R's routers, where the recipe learns them.

    Raises:
        UserError: the run has not come to that stage, or an artifact is missing.
    """

    def __init__(
        self,
        workspace: Workspace,
        run: RunFolder,
        stage: int | None = None,
        device: str = "auto",
    ) -> None:
        self.config = run.config
        self._names = run.artifacts()
        self._store = workspace.store
        recipe = self.config.recipe
        self.trainer = recipe.trainer.traits
        self.stage = self._stage(run, stage)
        self.tasks = self.config.tasks[: self.stage]
        self.device: Device = choose_device(device, self.config.precision)
        self.backbone = load_backbone(self.config.settings.backbone, self.device.torch_device)
        self.backbone.answer_from(self.config.vocabulary)
        self.pool, adapters, self.heads = self._weights()
        self.bank = Bank.stack(adapters)
        self.network = self._routers() if recipe.routes_inside else None

    def _stage(self, run: RunFolder, stage: int | None) -> int:
        """The stage asked for, or the last one that the run has a model of."""
        numbered = "shared" if self.trainer.form == "shared" else "network"
        if self.trainer.form == "shared" or self.config.recipe.routes_inside:
            # Some recipes learn only at the end: joint, and L2R on long streams.
            parts = [name.split("/") for name in self._names]
            stages = sorted(int(number) for kind, number, *_ in parts if kind == numbered)
        else:
            learnt = [f"adapter/{task.name}" in self._names for task in self.config.tasks]
            stages = list(range(1, 1 + sum(learnt)))
        if not stages or (stage is not None and stage not in stages):
            listed = ", ".join(map(str, stages)) or "none yet"
            raise UserError(
                f"run '{run.name}' has models of stages {listed}; stage {stage or 1} is not among them"
            )
        return stage or stages[-1]

    def _weights(self) -> tuple[list[int], list[Adapter], list[Head]]:
        """The tasks whose adapters are held, these adapters, and the heads of all tasks seen."""
        settings, where = self.config.settings.adapter, self.device.torch_device
        sites = [site.name for site in select_sites(self.backbone.sites, settings)]
        if self.trainer.form == "shared":
            tensors = self._tensors("shared", f"shared/{self.stage}")
            shared = SharedWeights.from_tensors(tensors, sites, settings.activation).to(where)
            return [self.stage - 1], [shared.adapter], list(shared.heads)
        found = [
            TaskWeights.from_tensors(
                self._tensors("adapter", f"adapter/{task.name}"), sites, settings.activation
            ).to(where)
            for task in self.tasks
        ]
        pool = self.trainer.pool(self.stage - 1)
        return pool, [found[each].adapter for each in pool], [each.head for each in found]

    def _routers(self) -> RouterNetwork:
        """L2R's routers after the stage; heads that were tuned with them take the others' place."""
        adapted = select_sites(self.backbone.sites, self.config.settings.adapter)
        blocks = tuple(sorted({site.block for site in adapted}))
        tensors = self._tensors("network", f"network/{self.stage}")
        found = RoutersAndHeads.from_tensors(tensors, blocks, self.config.settings.network)
        found = found.to(self.device.torch_device)
        self.heads = list(found.heads)
        return found.network

    def router(self, changes: Mapping[str, float | None]) -> Router:
        """The router as it was after the stage, with settings changed that are not None."""
        settings = self.config.settings.router.model_copy(
            update={name: value for name, value in changes.items() if value is not None}
        )
        router = self.config.recipe.router.load()(type(settings)(**settings.model_dump()))
        router.load_state(self._tensors("router", f"router/{self.stage}"))
        return router

    def fusion(self, task: int) -> FusionWeights | None:
        """The task's own fusion and head; None for the first task, which has its adapter alone."""
        name = f"fusion/{self.tasks[task].name}"
        if name not in self._names:
            return None
        found = FusionWeights.from_tensors(self._tensors("fusion", name), self.bank.site_names)
        return found.to(self.device.torch_device)

    @cached_property
    def fishers(self) -> Bank:
        """Diagonal Fisher information of the pool's adapters."""
        first = self.bank.adapter(0)
        each = [
            Adapter.from_tensors(
                self._tensors("fisher", f"fisher/{self.tasks[index].name}"),
                first.site_names,
                first.activation,
            )
            for index in self.pool
        ]
        return Bank.stack(each).to(self.device.torch_device)

    def _tensors(self, kind: str, name: str) -> dict[str, Tensor]:
        key = self._names.get(name)
        artifact = self._store.read(kind, key) if key else None
        if artifact is None:
            raise UserError(
                f"run '{self.config.name}' misses its {name.split('/')[0]} {(key or name)[:12]}; "
                f"'adapter-lab resume {self.config.name}' makes it again"
            )
        return artifact.tensors
