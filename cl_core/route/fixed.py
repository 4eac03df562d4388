"""The same weights for every sample: those that the user dials in."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.errors import UserError
from cl_core.route.counting_router import CountingRouter
from cl_core.route.router import Routing, number_of_samples
from cl_core.route.settings import RouterSettings


class FixedRouter(CountingRouter):
    """p = weights / sum of weights, for every sample **(ours)**.

    At an early stage only K of the stream's tasks have an adapter: their weights are divided by
    their own sum, and as long as that is 0 the K adapters share equally **(ours)**. Reads the
    setting `weights`.

    Raises:
        UserError: no weights in the settings.
    """

    def __init__(self, settings: RouterSettings) -> None:
        super().__init__(settings)
        if settings.weights is None:
            raise UserError(
                "the router 'fixed' needs one weight per task, as in: weights: [0.5, 0.5, 0]"
            )
        self._weights = settings.weights

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns scores and weights, (N, K).

        Raises:
            UserError: fewer weights than tasks.
        """
        if self.n_tasks > len(self._weights):
            raise UserError(
                f"the router 'fixed' has {len(self._weights)} weights for {self.n_tasks} tasks; "
                "give one per task"
            )
        if self.n_tasks == 0:
            raise ValueError("there is no adapter to route to: no task has been added")
        given = features if features is not None else task
        row = torch.tensor(self._weights[: self.n_tasks], dtype=torch.float64)
        if float(row.sum()) == 0:
            row = torch.ones_like(row)
        row = (row / row.sum()).float().to(None if given is None else given.device)
        weights = row.expand(number_of_samples(features, task), -1).contiguous()
        return Routing(weights, weights)
