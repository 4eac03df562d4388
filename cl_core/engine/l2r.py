"""L2R's networks of routers: trained on the memory of all tasks so far."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cl_core.adapters.heads import HeadRule
from cl_core.adapters.label_space import LabelSpace
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, RunArtifacts
from cl_core.engine.checkpoints import MidTaskCheckpoints
from cl_core.engine.memory_selection import MemorySelector
from cl_core.engine.task_adapters import TaskAdapterTrainer
from cl_core.route.network import RouterNetwork
from cl_core.store import key
from cl_core.train.data import MixedRows
from cl_core.train.routers import RoutersAndHeads, fit_routers, split_memory


class RouterTrainer:
    """Trains networks of routers over finished adapters, or finds them."""

    def __init__(
        self,
        artifacts: RunArtifacts,
        task_trainer: TaskAdapterTrainer,
        memory_selector: MemorySelector,
        compose: str,
        rule: HeadRule,
    ) -> None:
        self.artifacts = artifacts
        self.task_trainer = task_trainer
        self.memory_selector = memory_selector
        self.compose = compose
        self.rule = rule

    def train(self, stage: int, adapters: Sequence[str]) -> str:
        """The routers after a stage, from the memory of tasks 1..stage; returns their key.

        Args:
            stage: 0-based.
            adapters: keys of the adapters of those tasks.
        """
        artifacts, settings = self.artifacts, self.artifacts.settings
        tasks = range(stage + 1)
        kept = [self.memory_selector.rows(task, adapters[task]) for task in tasks]
        inputs = {
            "version": VERSIONS["network"],
            **artifacts.backbone_inputs(),
            "adapters": list(adapters),
            "data": [artifacts.data.fingerprint(task, "train") for task in tasks],
            "memory": [self.memory_selector.select(task, adapters[task]) for task in tasks],
            "labels": [list(artifacts.data.positions(task)) for task in tasks],
            "protocol": artifacts.stream.protocol,
            "rule": self.rule if artifacts.stream.protocol == "cil" else None,
            "compose": self.compose,
            "settings": settings.network.model_dump(exclude={"router_stages"}),
            "training": settings.train.model_dump(exclude={"checkpoint_every", "epochs"}),
            "seed": artifacts.seed,
        }
        artifact_key = key("network", inputs)
        checkpoints = MidTaskCheckpoints(artifacts.store, artifact_key)
        memory = MixedRows.concat(kept)

        def compute() -> Contents:
            seed = artifacts.derived_seed("network", artifact_key)
            generator = torch.Generator().manual_seed(seed)
            rows, held_back = split_memory(memory, settings.network.hold_back, generator)
            network = RouterNetwork.initialise(
                artifacts.weights.blocks,
                len(adapters),
                artifacts.backbone.hidden_size,
                generator,
                settings.network,
                _seen_size(artifacts.backbone),
            )
            task_trainer = self.task_trainer
            heads = tuple(
                task_trainer.refrozen(task_trainer.weights(k).head.clone()) for k in adapters
            )
            start = RoutersAndHeads(network, heads, settings.network.tune_heads)
            context = artifacts.context(
                rows,
                held_back,
                settings.train,
                seed,
                checkpoints,
                "routers",
                settings.network.router_epochs,
            )
            label_space = LabelSpace(
                artifacts.stream.protocol,
                tuple(tuple(artifacts.data.positions(task)) for task in tasks),
                len(artifacts.stream.label_space.names),
                self.rule,
            )
            fitted = fit_routers(
                context,
                start.to(torch.device("cpu")),
                self.task_trainer.bank(adapters),
                label_space,
                self.compose,
                settings.network,
            )
            history = [vars(record) for record in fitted.history]
            return fitted.weights.tensors(), {"history": history}

        moves = ("network.", "heads.") if settings.network.tune_heads else ("network.",)
        artifacts.get_or_compute(
            "network", inputs, compute, stage, stage, rows=len(memory), moves=moves
        )
        checkpoints.clear()
        return artifact_key


def _seen_size(backbone: Backbone) -> int | None:
    return backbone.seen_size if isinstance(backbone, VisionLanguageBackbone) else None
