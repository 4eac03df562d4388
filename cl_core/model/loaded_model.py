"""The model of a run after one of its stages, loaded from its folder and the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.device import choose_device
from cl_core.errors import UserError
from cl_core.model.forward_passes import ForwardPasses
from cl_core.model.model import Model
from cl_core.model.stored_weights import StageKeys, StoredWeights
from cl_core.route.router import Router
from cl_core.runs.run_config import RunConfig, TaskSummary
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace


@dataclass(frozen=True)
class LoadedModel:
    """A run's model after a stage, on one device.

    Attributes:
        config: of the run.
        stage: from 1.
        model: routes and answers.
        shared: whether one adapter serves all tasks.
    """

    config: RunConfig
    stage: int
    model: Model
    shared: bool

    @property
    def tasks(self) -> tuple[TaskSummary, ...]:
        """Those learnt by the stage."""
        return self.config.tasks[: self.stage]


def load_model(
    workspace: Workspace, run: RunFolder, stage: int | None = None, device: str = "auto"
) -> LoadedModel:
    """Loads backbone, adapters, heads and router.

    Args:
        workspace: where the run and its artifacts are.
        run: the run.
        stage: 1-based stage; None for the last.
        device: where to compute.

    Raises:
        UserError: the run has not come to that stage, or an artifact is missing or was replaced.
    """
    config, names = run.config, run.artifacts()
    recipe, trainer = config.recipe, config.recipe.trainer.traits
    run.check_parts()
    stage = _stage(run, trainer.form == "shared", stage)
    where = choose_device(device, config.precision)
    backbone = load_backbone(config.settings.backbone, where.torch_device)
    backbone.answer_from(config.vocabulary)
    passes = ForwardPasses(backbone, config.settings, where)
    tasks, store = [task.name for task in config.tasks[:stage]], workspace.store

    def missing(kind: str, which: str) -> UserError:
        return UserError(
            f"run '{run.name}' misses its {kind} {which[:12]}; 'adapter-lab resume {run.name}' makes it again"
        )

    def read(kind: str, key: str) -> Mapping[str, Tensor]:
        artifact = store.read(kind, key)
        if artifact is None:
            raise missing(kind, key)
        return artifact.tensors

    def key_of(name: str) -> str:
        if name not in names:
            raise missing(name.partition("/")[0], name)
        return names[name]

    weights = StoredWeights(passes, read)

    @cache
    def fishers() -> Bank:
        keys = [key_of(f"fisher/{task}") for task in tasks]
        return Bank.stack([weights.adapter(key, "fisher") for key in keys])

    if trainer.form == "shared":
        keys = StageKeys(shared=key_of(f"shared/{stage}"))
    else:
        fusions = {position: names.get(f"fusion/{task}") for position, task in enumerate(tasks)}
        keys = StageKeys(
            [key_of(f"adapter/{task}") for task in tasks],
            network=key_of(f"network/{stage}") if recipe.routes_inside else None,
            fusions={task: key for task, key in fusions.items() if key is not None},
        )
    router: Router | None = None
    if not trainer.shared and keys.network is None:
        router = recipe.router.load()(config.settings.router)
        router.load_state(dict(read("router", key_of(f"router/{stage}"))))
    parts = weights.parts(keys, trainer.pool(stage - 1), router, fishers)
    return LoadedModel(config, stage, parts.model(config, stage, passes), trainer.shared)


def _stage(run: RunFolder, shared: bool, stage: int | None) -> int:
    """The stage asked for, or the last one that the run has a model of."""
    names, config = run.artifacts(), run.config
    if shared or config.recipe.routes_inside:
        # Some recipes learn only at the end: joint, and L2R on long streams.
        numbered = "shared" if shared else "network"
        parts = [name.split("/") for name in names]
        stages = sorted(int(number) for kind, number, *_ in parts if kind == numbered)
    else:
        learnt = [f"adapter/{task.name}" in names for task in config.tasks]
        stages = list(range(1, 1 + sum(learnt)))
    if not stages or (stage is not None and stage not in stages):
        listed = ", ".join(map(str, stages)) or "none yet"
        raise UserError(
            f"run '{run.name}' has models of stages {listed}; stage {stage or 1} is not among them"
        )
    return stage or stages[-1]
