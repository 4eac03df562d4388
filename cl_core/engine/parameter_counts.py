"""How many numbers a model has after a stage, by what they are for."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from cl_core.adapters.task_weights import TaskWeights
from cl_core.engine.artifact_keys import ArtifactKeys
from cl_core.engine.memory_selection import MemorySelector
from cl_core.engine.shared_adapter import SharedAdapterTrainer
from cl_core.engine.task_adapters import TaskAdapterTrainer
from cl_core.engine.task_fusion import FusionTrainer
from cl_core.route.network import parameter_count as network_parameters
from cl_core.route.router import Router
from cl_core.runs.events import ParametersEvent
from cl_core.runs.run_config import RunConfig


def count_parameters(
    stage: int,
    config: RunConfig,
    router: Router,
    task_trainer: TaskAdapterTrainer,
    memory_selector: MemorySelector,
    fusion_trainer: FusionTrainer,
    shared_trainer: SharedAdapterTrainer,
    artifact_keys: ArtifactKeys,
) -> ParametersEvent:
    """The counts after a stage, 0-based; what is trained once all adapters are there is counted as well."""
    recipe, trainer = config.recipe, config.recipe.trainer.traits
    backbone = sum(tensor.numel() for tensor in task_trainer.artifacts.backbone.parameters())
    memory = 0
    if config.keeps_memory:
        memory = sum(memory_selector.size(task) for task in range(stage + 1))
    if trainer.form == "shared":
        trained, kept = shared_trainer.parameter_counts(artifact_keys.adapters[-1], artifact_keys)
        active = backbone + trained
        return _event(stage, trained, kept, active, backbone, memory)
    weights = [task_trainer.weights(key) for key in artifact_keys.adapters]
    counts = [_size(task_weights) for task_weights in weights]
    heads = [
        sum(tensor.numel() for tensor in task_weights.head.parameters()) for task_weights in weights
    ]
    pool = trainer.pool(stage)
    # A shared adapter still needs every task's own head, where labels differ.
    kept_heads = 0 if config.protocol == "dil" else sum(heads[: pool[0]])
    learnt_by_router = router.state() if "features" in recipe.router.needs else {}
    stored = sum(counts[index] for index in pool) + kept_heads + _numbers(learnt_by_router)
    used = min(len(pool), _most_adapters_per_sample(config, len(pool)))
    active = backbone + sum(sorted(counts[index] for index in pool)[-used:])
    trainable = counts[stage]
    hidden_size = task_trainer.artifacts.backbone.hidden_size
    if recipe.routes_inside:
        blocks = {name.partition(".")[0] for name in task_trainer.site_names}
        network = network_parameters(
            len(blocks), len(pool), hidden_size, config.settings.network.shared_router
        )
        stored, active = stored + network, active + network
    if recipe.composition.traits.trained and stage > 0:
        fusion = fusion_trainer.parameter_count() + heads[stage]
        stored += fusion * stage
        active = backbone + sum(counts) - sum(heads) + fusion
        trainable = max(trainable, fusion)
    return _event(stage, trainable, stored, active, backbone, memory)


def _event(
    stage: int, trainable: int, stored: int, active: int, backbone: int, memory: int
) -> ParametersEvent:
    return ParametersEvent(
        stage=stage + 1,
        trainable_parameters=trainable,
        stored_parameters=stored,
        active_parameters=active,
        backbone_parameters=backbone,
        memory_rows=memory,
    )


def _most_adapters_per_sample(config: RunConfig, adapters: int) -> int:
    if config.recipe.composition.traits.one_adapter:
        return 1
    match config.recipe.router.traits.weights:
        case "one-hot":
            return 1
        case "soft top-k":
            return config.settings.router.k
        case _:
            return adapters


def _size(weights: TaskWeights) -> int:
    return sum(tensor.numel() for tensor in weights.parameters())


def _numbers(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())
