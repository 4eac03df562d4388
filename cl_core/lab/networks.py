"""L2R's networks of routers: trained on the memory of all tasks so far, and the states they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.adapter import select_sites
from cl_core.adapters.heads import HeadRule
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.seeing import SeeingBackbone
from cl_core.lab.assets import VERSIONS, Assets
from cl_core.lab.learning import Learning
from cl_core.lab.making import Contents
from cl_core.lab.mid_task import MidTaskCheckpoints
from cl_core.lab.remembering import Remembering
from cl_core.route.network import RouterNetwork
from cl_core.route.routed_pass import routed_states
from cl_core.store import key
from cl_core.train.data import MixedRows
from cl_core.train.routers import Answers, RoutersAndHeads, fit_routers, split_memory


@dataclass(frozen=True)
class NetworkStates:
    """What a network of routers made of N rows.

    Attributes:
        key: of the artifact.
        values: (N, d) pooled last hidden states.
        per_block: (N, blocks, K) weights of each adapted block.
        weights: (N, K) what the heads see: the mean over blocks.
    """

    key: str
    values: Tensor
    per_block: Tensor
    weights: Tensor


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
                self._blocks(),
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

    def load(self, network: str) -> RoutersAndHeads:
        """The routers under a key and the heads that they were trained with, on the run's device.

        Raises:
            KeyError: they are not in the store.
        """
        artifact = self.assets.store.read("network", network)
        if artifact is None:
            raise KeyError(network)
        found = RoutersAndHeads.from_tensors(
            artifact.tensors, self._blocks(), self.assets.settings.network
        )
        return found.to(self.assets.device.torch_device)

    def states(
        self, task: int, split: str, stage: int, adapters: Sequence[str], network: str
    ) -> NetworkStates:
        """Runs a split through the adapters as the routers weigh them.

        Args:
            task: 0-based task whose rows they are.
            split: of that task.
            stage: 0-based, for the event.
            adapters: K keys.
            network: key of the routers.
        """
        assets, settings = self.assets, self.assets.settings
        inputs: dict[str, Any] = {
            "version": VERSIONS["states"],
            **assets.backbone_inputs(),
            "data": assets.data.fingerprint(task, split),
            "network": network,
            "pooling": settings.train.head_pooling,
            "batch_size": settings.evaluate.eval_batch_size,
        }

        def compute() -> Contents:
            encoding = assets.data.encoding(task, split)
            values, per_block, weights = routed_states(
                assets.backbone,
                encoding,
                range(len(encoding)),
                self.learning.bank(adapters),
                self.load(network).network,
                self.compose,
                settings.train.head_pooling,
                settings.evaluate.eval_batch_size,
                assets.device,
                assets.rows_done,
            )
            return {"states": values, "per_block": per_block, "weights": weights}, None

        artifact = assets.make("states", inputs, compute, task, stage)
        tensors = artifact.tensors
        return NetworkStates(
            artifact.key, tensors["states"], tensors["per_block"], tensors["weights"]
        )

    def _blocks(self) -> tuple[int, ...]:
        """The adapted blocks, in order."""
        assets = self.assets
        sites = select_sites(assets.backbone.sites, assets.settings.adapter)
        return tuple(sorted({site.block for site in sites}))


def _seen_size(backbone: Backbone) -> int | None:
    return backbone.seen_size if isinstance(backbone, SeeingBackbone) else None
