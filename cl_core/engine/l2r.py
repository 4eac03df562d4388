"""L2R's networks of routers: trained on the memory of all tasks so far."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cl_core.adapters.heads import HeadRule
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.vision.seeing import SeeingBackbone
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, Assets
from cl_core.engine.checkpoints import MidTaskCheckpoints
from cl_core.engine.memory_selection import Remembering
from cl_core.engine.task_adapters import Learning
from cl_core.route.network import RouterNetwork
from cl_core.store import key
from cl_core.train.data import MixedRows
from cl_core.train.routers import Answers, RoutersAndHeads, fit_routers, split_memory


class Networks:
    """Trains networks of routers over finished adapters, or finds them."""

    def __init__(
        self,
        assets: Assets,
        learning: Learning,
        remembering: Remembering,
        compose: str,
        rule: HeadRule,
    ) -> None:
        self.assets = assets
        self.learning = learning
        self.remembering = remembering
        self.compose = compose
        self.rule = rule

    def trained(self, stage: int, adapters: Sequence[str]) -> str:
        """The routers after a stage, from the memory of tasks 1..stage; returns their key.

        Args:
            stage: 0-based.
            adapters: keys of the adapters of those tasks.
        """
        assets, settings = self.assets, self.assets.settings
        tasks = range(stage + 1)
        kept = [self.remembering.remembered(task, adapters[task]) for task in tasks]
        inputs = {
            "version": VERSIONS["network"],
            **assets.backbone_inputs(),
            "adapters": list(adapters),
            "data": [assets.data.fingerprint(task, "train") for task in tasks],
            "memory": [self.remembering.memory(task, adapters[task]) for task in tasks],
            "labels": [list(assets.data.positions(task)) for task in tasks],
            "protocol": assets.stream.protocol,
            "rule": self.rule if assets.stream.protocol == "cil" else None,
            "compose": self.compose,
            "settings": settings.network.model_dump(exclude={"router_stages"}),
            "training": settings.train.model_dump(exclude={"checkpoint_every", "epochs"}),
            "seed": assets.seed,
        }
        own_key = key("network", inputs)
        checkpoints = MidTaskCheckpoints(assets.store, own_key)
        memory = MixedRows.concat(kept)

        def compute() -> Contents:
            seed = assets.derived_seed("network", own_key)
            generator = torch.Generator().manual_seed(seed)
            rows, held_back = split_memory(memory, settings.network.hold_back, generator)
            network = RouterNetwork.initialise(
                assets.weights.blocks,
                len(adapters),
                assets.backbone.hidden_size,
                generator,
                settings.network,
                _seen_size(assets.backbone),
            )
            learning = self.learning
            heads = tuple(learning.refrozen(learning.weights(k).head.clone()) for k in adapters)
            start = RoutersAndHeads(network, heads, settings.network.tune_heads)
            lesson = assets.lesson(
                rows,
                held_back,
                settings.train,
                seed,
                checkpoints,
                "routers",
                settings.network.router_epochs,
            )
            answers = Answers(
                assets.stream.protocol,
                [assets.data.positions(task) for task in tasks],
                len(assets.stream.label_space.names),
                self.rule,
            )
            fitted = fit_routers(
                lesson,
                start.to(torch.device("cpu")),
                self.learning.bank(adapters),
                answers,
                self.compose,
                settings.network,
            )
            history = [vars(record) for record in fitted.history]
            return fitted.weights.tensors(), {"history": history}

        moves = ("network.", "heads.") if settings.network.tune_heads else ("network.",)
        assets.make("network", inputs, compute, stage, stage, rows=len(memory), moves=moves)
        checkpoints.clear()
        return own_key


def _seen_size(backbone: Backbone) -> int | None:
    return backbone.seen_size if isinstance(backbone, SeeingBackbone) else None
