"""How the model of a stage answers for a task's rows: its routing, its states, its logits.

One class for each way in which weights come to adapters:

    ByWeights   a router reads frozen features, a composition does what the weights say
    ByNetwork   L2R: routers inside the forward pass
    ByFusion    AdapterFusion: the task's own fusion of all adapters up to it
    ByEnsemble  every adapter answers with its own head; the logits are mixed
    ByShared    one adapter for all tasks: nothing to choose
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from cl_core.adapters.heads import Head, HeadRule
from cl_core.evaluate.answers import answer_logits, ensemble_logits
from cl_core.lab.assets import Assets
from cl_core.lab.improvising import Improvising
from cl_core.lab.learning import Learning
from cl_core.lab.learnt import Learnt
from cl_core.lab.networks import Networks
from cl_core.lab.sharing import Sharing
from cl_core.lab.states import States, composed_states
from cl_core.route.router import Router, Routing


@dataclass(frozen=True)
class Answers:
    """What N rows got.

    Attributes:
        routing: scores and weights, (N, K).
        logits: (N, C) over the stream's label space.
        states: artifact keys of the states that the logits were computed from.
        recomputed: rows whose forward pass was run; the others were looked up.
        per_block: (N, blocks, K) weights of each adapted block, where they differ.
    """

    routing: Routing
    logits: Tensor
    states: tuple[str, ...]
    recomputed: int
    per_block: Tensor | None = None


class Answering(Protocol):
    """The model of a stage, as far as scoring it needs to know."""

    def answer(self, stage: int, task: int, split: str) -> Answers:
        """Answers for a split of a task, 0-based, after a stage, 0-based. The task may be unseen."""
        ...


@dataclass
class Heads:
    """The heads of the tasks seen so far, under the protocol of the stream."""

    assets: Assets
    rule: HeadRule

    def logits(
        self,
        states: Tensor,
        heads: Sequence[Head],
        stage: int,
        task: int,
        weights: Tensor | None,
        pool: Sequence[int] | None = None,
    ) -> Tensor:
        """(N, C) logits over the label space, on the CPU; see `answer_logits`."""
        where = self.assets.device.torch_device
        return answer_logits(
            self.assets.stream.protocol,
            states.to(where),
            heads,
            [self.assets.data.positions(each) for each in range(stage + 1)],
            len(self.assets.stream.label_space.names),
            weights=None if weights is None else weights.to(where),
            rule=self.rule,
            pool=pool,
            task=task,
            candidates=self.assets.data.candidates(stage),
        ).cpu()


@dataclass
class Routes:
    """The router's word for a split."""

    assets: Assets
    router: Router
    by_features: bool

    def of(self, task: int, split: str) -> Routing:
        """Scores and weights (N, K) of a split; the router is as the last `add_task` left it."""
        rows = len(self.assets.data.encoding(task, split))
        features = self.assets.features(task, split) if self.by_features else None
        return self.router.route(features, torch.full((rows,), task))


class ByWeights:
    """DAM and all recipes whose weights are known before the forward pass."""

    def __init__(
        self, learning: Learning, learnt: Learnt, routes: Routes, heads: Heads, compose: str
    ) -> None:
        self.learning = learning
        self.learnt = learnt
        self.routes = routes
        self.heads = heads
        self.compose = compose
        self._states: dict[int, States] = {}

    def answer(self, stage: int, task: int, split: str) -> Answers:
        """Routes, composes, and lets the heads answer by the same weights."""
        adapters = self.learnt.adapters[: stage + 1]
        routing = self.routes.of(task, split)
        states = composed_states(
            self.learning.assets,
            self.learning,
            task,
            split,
            stage,
            adapters,
            routing.weights,
            self.compose,
            self._states.get(task),
            tasks=range(stage + 1),
        )
        self._states[task] = states
        heads = [self.learning.weights(each).head for each in adapters]
        logits = self.heads.logits(states.values, heads, stage, task, routing.weights)
        return Answers(routing, logits, (states.key,), states.recomputed)


class ByEnsemble:
    """Logits of every adapter with its own head, mixed by the routing weights: K forward passes a sample."""

    def __init__(self, learning: Learning, learnt: Learnt, routes: Routes, heads: Heads) -> None:
        self.learning = learning
        self.learnt = learnt
        self.routes = routes
        self.heads = heads

    def answer(self, stage: int, task: int, split: str) -> Answers:
        """Runs the split through each adapter alone; what an earlier stage ran is looked up."""
        assets = self.learning.assets
        adapters = self.learnt.adapters[: stage + 1]
        routing = self.routes.of(task, split)
        rows, where = len(routing.weights), assets.device.torch_device
        alone = [
            composed_states(
                assets,
                self.learning,
                task,
                split,
                stage,
                [adapter],
                torch.ones(rows, 1),
                "select",
                None,
            )
            for adapter in adapters
        ]
        logits = ensemble_logits(
            assets.stream.protocol,
            [states.values.to(where) for states in alone],
            [self.learning.weights(each).head for each in adapters],
            [assets.data.positions(each) for each in range(stage + 1)],
            len(assets.stream.label_space.names),
            routing.weights.to(where),
            self.heads.rule,
            task,
            assets.data.candidates(stage),
        )
        keys = tuple(states.key for states in alone)
        # The adapters before the newest were run at earlier stages.
        return Answers(routing, logits.cpu(), keys, rows)


class ByNetwork:
    """L2R: the routers weigh the adapters block by block; heads see the mean over blocks."""

    def __init__(
        self, learning: Learning, learnt: Learnt, networks: Networks, heads: Heads
    ) -> None:
        self.learning = learning
        self.learnt = learnt
        self.networks = networks
        self.heads = heads

    def answer(self, stage: int, task: int, split: str) -> Answers:
        """Runs the split through the routed adapters."""
        adapters = self.learnt.adapters[: stage + 1]
        network = self.learnt.networks[stage]
        states = self.networks.states(task, split, stage, adapters, network)
        heads = self.networks.load(network).heads
        logits = self.heads.logits(states.values, heads, stage, task, states.weights)
        routing = Routing(scores=states.weights, weights=states.weights)
        rows = len(states.values)
        return Answers(routing, logits, (states.key,), rows, states.per_block)


class ByFusion:
    """AdapterFusion: task t's own fusion of adapters 1..t, with the head trained above it."""

    def __init__(
        self,
        learning: Learning,
        learnt: Learnt,
        improvising: Improvising,
        routes: Routes,
        heads: Heads,
    ) -> None:
        self.learning = learning
        self.learnt = learnt
        self.improvising = improvising
        self.routes = routes
        self.heads = heads

    def answer(self, stage: int, task: int, split: str) -> Answers:
        """Runs the split through its task's fusion, which later stages do not change."""
        adapters = self.learnt.adapters[: task + 1]
        if task in self.learnt.fusions:
            fusion = self.learnt.fusions[task]
            values, head = self.improvising.fused_states("fusion", fusion, task, adapters, split)
            key = fusion
        else:
            weights = self.learning.weights(adapters[0])
            values, head = self.improvising.adapter_states(task, weights, split), weights.head
            key = adapters[0]
        routing = self.routes.of(task, split)
        heads = [self.learning.weights(each).head for each in self.learnt.adapters[: stage + 1]]
        heads[task] = head
        logits = self.heads.logits(values, heads, stage, task, routing.weights)
        return Answers(routing, logits, (key,), len(values) if task == stage else 0)


class ByShared:
    """One adapter that all tasks share: sequential, replay, EWC, LwF, joint."""

    def __init__(
        self, learning: Learning, learnt: Learnt, sharing: Sharing, heads: Heads, chain: bool
    ) -> None:
        self.learning = learning
        self.learnt = learnt
        self.sharing = sharing
        self.heads = heads
        self.chain = chain

    def answer(self, stage: int, task: int, split: str) -> Answers:
        """Runs the split through the adapter as it is after the stage."""
        assets, own = self.learning.assets, self.learnt.adapters[-1]
        rows = len(assets.data.encoding(task, split))
        ones = torch.ones(rows, 1)
        states = composed_states(
            assets,
            self.learning,
            task,
            split,
            stage,
            [own],
            ones,
            "select",
            None,
            kind="adapter" if self.chain else "shared",
        )
        pool: list[int] | None = None
        if self.chain:
            heads = [self.learning.weights(each).head for each in self.learnt.adapters]
            pool = [stage]
        else:
            heads = list(self.sharing.heads(own))
        logits = self.heads.logits(states.values, heads, stage, task, None, pool)
        return Answers(Routing(ones, ones), logits, (states.key,), rows)
