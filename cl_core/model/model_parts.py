"""What a run has learnt by a stage, and the model that its recipe makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose.composition import Composition
from cl_core.adapters.compose.traits import CompositionTraits
from cl_core.adapters.heads import Head
from cl_core.choices import Choice
from cl_core.model.encoded_samples import MakeBank
from cl_core.model.forward_passes import ForwardPasses
from cl_core.model.model import Model
from cl_core.model.model_composition import (
    FindFusion,
    ModelComposition,
    OnePass,
    PassPerAdapter,
    SingleAdapter,
    TaskFusion,
)
from cl_core.model.model_router import InsideRouter, ModelRouter, NoRouter, ScoreRouter
from cl_core.model.stage_labels import label_space_after
from cl_core.route.network import RouterNetwork
from cl_core.route.router import Router
from cl_core.runs.run_config import RunConfig


def _no_fusion(task: int) -> None:
    """There is none."""


@dataclass(frozen=True)
class ModelParts:
    """What a run has learnt by a stage, on the device.

    Attributes:
        bank: its adapters.
        heads: of all tasks so far; in DIL one is enough for an adapter that all share.
        router: what has learnt to route, before the pass or inside it; None where one adapter serves all tasks.
        fusion: AdapterFusion: from a task to its own; None for the first, whose adapter stands alone.
        fishers: makes those of the bank's adapters.
    """

    bank: Bank
    heads: tuple[Head, ...]
    router: Router | RouterNetwork | None
    fusion: FindFusion = _no_fusion
    fishers: MakeBank | None = None

    def model(self, config: RunConfig, stage: int, passes: ForwardPasses) -> Model:
        """The model of a run after a stage, from 1, as its recipe puts the parts together."""
        recipe, router = config.recipe, self.router
        routes: ModelRouter
        composition: ModelComposition
        if router is None:
            routes, composition = NoRouter(), SingleAdapter()
        elif isinstance(router, RouterNetwork):
            routes = composition = InsideRouter(router, recipe.compose)
        else:
            make, settings = recipe.router.load(), config.settings.router
            by_features = "features" in recipe.router.needs
            routes = ScoreRouter(make, router, settings, by_features, recipe.ranks)
            composition = self._composition(recipe.composition)
        count = len(self.bank)
        heads = self.heads[-count:] if config.protocol == "dil" else self.heads
        tasks = tuple(task.name for task in config.tasks[stage - count : stage])
        label_space = label_space_after(config, stage)
        return Model(passes, self.bank, heads, routes, composition, label_space, tasks)

    def _composition(self, row: Choice[Composition, CompositionTraits]) -> ModelComposition:
        if row.traits.trained:
            return TaskFusion(row.name, self.fusion)
        if not row.traits.by_weights:
            return PassPerAdapter()
        return OnePass(row.name, self.fishers if "fishers" in row.needs else None)
