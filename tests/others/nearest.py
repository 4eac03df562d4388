"""Nearest centroid by Euclidean distance."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.route.centroid import CentroidRouter
from cl_core.route.router import Routing


class NearestRouter(CentroidRouter):
    """p_t = 1 for argmin_t ||e(x) - c_t||."""

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns negative distances and one-hot weights, (N, K)."""
        assert features is not None
        scores = -torch.cdist(features, self.centroids.to(features.device))
        weights = torch.nn.functional.one_hot(scores.argmax(dim=1), scores.shape[1]).float()
        return Routing(scores, weights)
