"""What if a sample's adapters were others: k, temperature, one forced, some dropped, uniform, another composition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field, field_validator
from torch import Tensor

from cl_core.adapters.compose import plain_compositions
from cl_core.errors import UserError, did_you_mean
from cl_core.limits import ADAPTERS
from cl_core.route.algebra import top_k_softmax
from cl_core.route.router import Routing
from cl_core.route.settings import RouterSettings
from cl_core.settings import Settings, within


class WhatIf(Settings):
    """Changes to how a run routes and composes; nothing set is the run's own way.

    The router's scores stay what they are; what is made of them changes. `force` goes before `uniform`, and `drop`
    holds for both.
    """

    k: Annotated[int, within(ADAPTERS)] | None = None
    """How many adapters a sample gets."""
    temperature: Annotated[float, Field(gt=0)] | None = None
    """tau, of the router's softmax, or of L2R's gates."""
    force: str | None = None
    """The task whose adapter alone is used: the oracle, where it is the true one."""
    drop: tuple[str, ...] = ()
    """Tasks whose adapters cannot be chosen."""
    uniform: bool = False
    """The same weight for every adapter."""
    compose: str | None = None
    """What the weights do to the adapters: a composition that goes with any weights, without settings."""

    @field_validator("compose")
    @classmethod
    def _goes_with_any_weights(cls, compose: str | None) -> str | None:
        if compose is not None and compose not in plain_compositions():
            raise ValueError(f"'{compose}' is none of {', '.join(plain_compositions())}")
        return compose

    @property
    def fixed(self) -> bool:
        """Whether the weights no longer depend on the router."""
        return self.uniform or self.force is not None

    def places(self, tasks: Sequence[str]) -> list[int]:
        """Where the dropped adapters stand among those of `tasks`.

        Raises:
            UserError: a task that is not there, a forced one that is dropped, or none left.
        """
        for name in (*self.drop, *([self.force] if self.force is not None else [])):
            if name not in tasks:
                raise UserError(
                    f"there is no adapter of '{name}'; there are {', '.join(tasks)}.{did_you_mean(name, tasks)}"
                )
        if self.force in self.drop:
            raise UserError(f"'{self.force}' is both forced and dropped")
        if len(set(self.drop)) == len(tasks):
            raise UserError("all adapters are dropped; keep one at least")
        return [tasks.index(name) for name in self.drop]

    def fixed_weights(self, rows: int, tasks: Sequence[str]) -> Tensor:
        """(rows, K) weights that are the same for every sample."""
        dropped, weights = self.places(tasks), torch.ones(len(tasks))
        if self.force is not None:
            weights = torch.zeros(len(tasks))
            weights[list(tasks).index(self.force)] = 1.0
        weights[dropped] = 0.0
        return (weights / weights.sum()).expand(rows, -1)

    def reconsider(
        self, routing: Routing, tasks: Sequence[str], ranks: bool, settings: RouterSettings
    ) -> Routing:
        """The same scores, other weights; k and temperature are the router's own matter.

        Where adapters are dropped the next best move up, as if there had never been others.

        Args:
            routing: as the router decided under `settings`.
            tasks: of the K adapters.
            ranks: whether its weights are the softmax of its k best scores.
            settings: its settings, with this k and temperature.
        """
        dropped = self.places(tasks)
        if self.fixed:
            return Routing(routing.scores, self.fixed_weights(len(routing.weights), tasks))
        if not dropped:
            return routing
        scores, weights = routing.scores.clone(), routing.weights.clone()
        scores[:, dropped], weights[:, dropped] = -torch.inf, 0.0
        if ranks:
            return Routing(routing.scores, top_k_softmax(scores, settings.k, settings.temperature))
        none_left = weights.sum(dim=1) == 0
        weights[none_left] = top_k_softmax(scores[none_left], 1, 1.0)
        return Routing(routing.scores, weights / weights.sum(dim=1, keepdim=True))
