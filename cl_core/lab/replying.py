"""How a run's model answers encoded samples, in its own way or another; `answering.py` is its twin for a run's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS, with_given_weights
from cl_core.adapters.heads import Head
from cl_core.backbones.encoding import Encoded
from cl_core.backbones.features import extract_features
from cl_core.errors import UserError
from cl_core.evaluate.answers import answer_logits, ensemble_logits
from cl_core.evaluate.states import pooled_states, states_under
from cl_core.lab.trained import Trained
from cl_core.lab.what_if import WhatIf
from cl_core.route.network import RouterNetwork
from cl_core.route.routed_pass import routed_states
from cl_core.route.router import Routing


@dataclass(frozen=True)
class Reply:
    """Routing of B samples, their logits (B, C), and L2R's weights by block (B, blocks, K)."""

    routing: Routing
    logits: Tensor
    per_block: Tensor | None = None


class Looked:
    """B encoded samples with what is computed of them once, whatever is asked of them afterwards.

    Args:
        trained: what the run has learnt.
        encoding: the samples.
        described: each in one line.
    """

    def __init__(self, trained: Trained, encoding: Encoded, described: Sequence[str]) -> None:
        self.trained, self.encoding, self.described = trained, encoding, list(described)

    def __len__(self) -> int:
        return len(self.encoding)

    @cached_property
    def features(self) -> Tensor:
        """(B, d) router embeddings."""
        settings = self.trained.config.settings
        return extract_features(
            self.trained.backbone,
            self.encoding,
            layer=settings.router.layer,
            pooling=settings.router.pooling,
            batch_size=settings.evaluate.eval_batch_size,
            autocast=self.trained.device.autocast,
            parts=settings.router.parts,
        )

    @cached_property
    def alone(self) -> list[Tensor]:
        """(B, d) pooled states under each adapter of the pool by itself."""
        eye = torch.eye(len(self.trained.pool))
        return [self.states(row.expand(len(self), -1), "select") for row in eye]

    def states(self, weights: Tensor, how: str) -> Tensor:
        """(B, d) pooled states under adapters composed by (B, K) weights."""
        trained, settings = self.trained, self.trained.config.settings
        return pooled_states(
            trained.backbone,
            self.encoding,
            range(len(weights)),
            trained.bank,
            weights.to(trained.device.torch_device),
            how,
            settings.train.head_pooling,
            settings.evaluate.eval_batch_size,
            trained.device,
            merging=settings.merging,
            fishers=trained.fishers if "fishers" in COMPOSITIONS[how].needs else None,
        )


def reply(trained: Trained, looked: Looked, task: int | None, what_if: WhatIf) -> Reply:
    """Routes, composes and answers in the way of the recipe, or with changes to it.

    Args:
        trained: what the run has learnt.
        looked: the samples.
        task: the true one, where the protocol or the router is told it.
        what_if: changes; none by default.

    Raises:
        UserError: a change that this run has no place for.
    """
    _check(trained, what_if)
    if trained.trainer.shared:
        ones = torch.ones(len(looked), 1)
        return Reply(
            Routing(ones, ones), head_logits(trained, looked.states(ones, "select"), None, task)
        )
    if trained.network is not None and not what_if.fixed:
        return _through_network(trained, trained.network, looked, task, what_if)
    names = [trained.tasks[index].name for index in trained.pool]
    if trained.network is not None:
        weights = what_if.fixed_weights(len(looked), names)
        routing = Routing(weights, weights)
    else:
        routing = _routing(trained, looked, task, what_if, names)
    how = what_if.compose or trained.config.recipe.compose
    if what_if.fixed:
        how = with_given_weights(how)
    if COMPOSITIONS[how].traits.trained:
        return Reply(routing, _fused(trained, looked, task or 0, routing))
    if COMPOSITIONS[how].traits.passes != "one":
        return Reply(routing, mixed_logits(trained, looked.alone, routing.weights, task))
    states = looked.states(routing.weights, how)
    return Reply(routing, head_logits(trained, states, routing.weights, task))


def _check(trained: Trained, what_if: WhatIf) -> None:
    recipe = trained.config.recipe.name
    if trained.trainer.shared and what_if != WhatIf():
        raise UserError(
            f"recipe '{recipe}' keeps one adapter for all tasks: there is nothing to choose"
        )
    if trained.network is not None and what_if.k is not None:
        raise UserError(f"recipe '{recipe}' weighs all adapters in every block: it has no k")


def _routing(
    trained: Trained, looked: Looked, task: int | None, what_if: WhatIf, names: Sequence[str]
) -> Routing:
    changes = {"k": what_if.k, "temperature": what_if.temperature}
    router = trained.router(changes)
    recipe = trained.config.recipe
    features = looked.features if "features" in recipe.router.needs else None
    routing = router.route(features, torch.full((len(looked),), task or 0))
    settings = trained.config.settings.router.model_copy(
        update={name: value for name, value in changes.items() if value is not None}
    )
    return what_if.reconsider(routing, names, recipe.ranks, settings)


def _through_network(
    trained: Trained, network: RouterNetwork, looked: Looked, task: int | None, what_if: WhatIf
) -> Reply:
    """L2R: the routers weigh the adapters block by block while the backbone runs."""
    settings = trained.config.settings
    names = [trained.tasks[index].name for index in trained.pool]
    network = network.without(what_if.places(names))
    if what_if.temperature is not None:
        network = replace(network, temperature=what_if.temperature)
    states, per_block, weights = routed_states(
        trained.backbone,
        looked.encoding,
        range(len(looked)),
        trained.bank,
        network,
        what_if.compose or trained.config.recipe.compose,
        settings.train.head_pooling,
        settings.evaluate.eval_batch_size,
        trained.device,
    )
    logits = head_logits(trained, states, weights, task)
    return Reply(Routing(weights, weights), logits, per_block)


def mixed_logits(
    trained: Trained, alone: Sequence[Tensor], weights: Tensor, task: int | None
) -> Tensor:
    """(B, C) logits where every adapter answers by itself.

    Args:
        trained: what the run has learnt.
        alone: K of (B, d), pooled states under each adapter of the pool.
        weights: (B, K) routing weights.
        task: the true one, where the protocol is told it.
    """
    where = trained.device.torch_device
    return ensemble_logits(
        trained.config.protocol,
        [states.to(where) for states in alone],
        trained.heads,
        [each.labels for each in trained.tasks],
        len(trained.config.label_space),
        weights.to(where),
        trained.config.head_rule or "direct",
        task,
        _candidates(trained),
    ).cpu()


def _fused(trained: Trained, looked: Looked, task: int, routing: Routing) -> Tensor:
    """Logits under the task's own fusion; the first task has its adapter alone."""
    heads = list(trained.heads)
    fused = trained.fusion(task)
    if fused is not None:
        bank = Bank.stack([trained.bank.adapter(each) for each in range(task + 1)])
        settings = trained.config.settings
        states = states_under(
            trained.backbone,
            looked.encoding,
            range(len(looked)),
            lambda positions: fused.transforms(bank),
            settings.train.head_pooling,
            settings.evaluate.eval_batch_size,
            trained.device,
        )
        heads[task] = fused.head
    else:
        states = looked.states(routing.weights, "select")
    return head_logits(trained, states, routing.weights, task, heads)


def head_logits(
    trained: Trained,
    states: Tensor,
    weights: Tensor | None,
    task: int | None,
    heads: Sequence[Head] | None = None,
) -> Tensor:
    """(B, C) logits of states under a run's heads and protocol.

    Args:
        trained: what the run has learnt.
        states: (B, d) pooled.
        weights: (B, K) routing weights, by which the heads are mixed; None where one adapter serves all tasks.
        task: the true one, where the protocol is told it.
        heads: in place of the run's own.
    """
    where = trained.device.torch_device
    shared = trained.trainer.form == "shared"
    return answer_logits(
        trained.config.protocol,
        states.to(where),
        heads or trained.heads,
        [each.labels for each in trained.tasks],
        len(trained.config.label_space),
        weights=None if weights is None else weights.to(where),
        rule=trained.config.head_rule or "direct",
        pool=None if shared else trained.pool,
        task=task,
        candidates=_candidates(trained),
    ).cpu()


def _candidates(trained: Trained) -> Tensor | None:
    """(C,) bool, the answers known at this stage; None where all are from the start."""
    config = trained.config
    if config.settings.answers.vocabulary == "known" or config.protocol != "dil":
        return None
    known = torch.zeros(len(config.label_space), dtype=torch.bool)
    for each in trained.tasks:
        known[list(each.labels)] = True
    return known
