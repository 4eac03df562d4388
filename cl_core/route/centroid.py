"""DAM's router: a sample goes to the tasks whose mean embedding it resembles."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from cl_core.route.algebra import cosine_scores, top_k_softmax
from cl_core.route.router import Routing, check_features
from cl_core.route.settings import RouterSettings


class CentroidRouter:
    """DAM's centroid router (arXiv 2403.08755).

        c_t = mean over D_t^train of e(x)         embeddings are not normalised before the mean
        s_t = cos(e(x), c_t)
        p_t = softmax over K(x) of s_t / tau      K(x): the k largest s_t; p_t = 0 elsewhere

    Published: k = 2, tau = 0.01. e(x) is the masked mean of an intermediate layer of the frozen
    backbone *without adapters* (layer 21 of 24), so a centroid stays right while adapters are
    added, and no sample is kept.

    Reads the settings `k`, `temperature` and, through whoever makes the features, `layer` and
    `pooling`.
    """

    version: ClassVar[int] = 1

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self._centroids: list[Tensor] = []

    @property
    def centroids(self) -> Tensor:
        """(K, d) float32 on the CPU; (0, 0) before the first task."""
        return torch.stack(self._centroids) if self._centroids else torch.zeros(0, 0)

    def add_task(self, features: Tensor | None, labels: Tensor | None = None) -> None:
        """Keeps the mean of (N, d) features, summed in float64 so that the order of samples does
        not show.

        Raises:
            ValueError: no features, or of another width than those of earlier tasks.
        """
        width = len(self._centroids[0]) if self._centroids else None
        points = check_features(features, "centroid", width)
        self._centroids.append(points.double().mean(dim=0).float().cpu())

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns cosines and weights, (N, K) each, on the features' device; raises `ValueError`
        without features.
        """
        if features is None:
            raise ValueError("the centroid router needs features of shape (N, d); found None")
        if not self._centroids:
            raise ValueError("there is no adapter to route to: no task has been added")
        scores = cosine_scores(features, self.centroids.to(features.device))
        weights = top_k_softmax(scores, self.settings.k, self.settings.temperature)
        return Routing(scores.float(), weights.float())

    def state(self) -> dict[str, Tensor]:
        """Returns {"centroids": (K, d) float32}."""
        return {"centroids": self.centroids}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes over the centroids."""
        self._centroids = [centroid.clone() for centroid in state["centroids"].float().cpu()]
