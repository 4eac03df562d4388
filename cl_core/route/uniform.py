"""The static average: every adapter, always."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.route.counting_router import CountingRouter
from cl_core.route.router import Routing, number_of_samples


class UniformRouter(CountingRouter):
    """p_t = 1 / K for every sample: DAM with k = T and tau -> infinity, its static-merge baseline.

    Reads no settings.
    """

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns scores and weights of 1 / K, (N, K); raises `ValueError` before the first
        task.
        """
        if self.n_tasks == 0:
            raise ValueError("there is no adapter to route to: no task has been added")
        given = features if features is not None else task
        device = None if given is None else given.device
        shape = (number_of_samples(features, task), self.n_tasks)
        weights = torch.full(shape, 1 / self.n_tasks, device=device)
        return Routing(weights, weights)
