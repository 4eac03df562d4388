"""S-Prompts' router: the task of the nearest of a few centres per task."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from cl_core.route.router import Routing, check_features
from cl_core.route.settings import RouterSettings


class KMeansRouter:
    """The routing rule of S-Prompts (Wang et al. 2022, arXiv 2207.12819), without its prompts.

        c_{t,j}  centres of K-means on task t's features, which have length 1
        s_t      = - min_j ||e(x) / |e(x)| - c_{t,j}||_1
        p_t      = 1 for the largest s_t

    Five centres as published. K-means is scikit-learn's, ten starts from a fixed seed; a task with fewer distinct
    samples gets as many centres as it has of these. Reads the setting `centres` and, through whoever makes the
    features, `layer` and `pooling`.

    S-Prompts' own code reads the encoder's final class token (`layer=-1`, `pooling=cls`); here the mean of the
    tokens of the fourth layer from the end is read, as by all routers **(ours)**. Ten starts were scikit-learn's
    default then.
    """

    version: ClassVar[int] = 1

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self._centres: list[Tensor] = []

    def add_task(self, features: Tensor | None, labels: Tensor | None = None) -> None:
        """Keeps the centres of (N, d) features.

        Raises:
            ValueError: no features, or of another width than before.
        """
        from sklearn.cluster import KMeans

        width = self._centres[0].shape[1] if self._centres else None
        points = normalize(check_features(features, "kmeans", width).double().cpu(), dim=1).numpy()
        distinct = len({row.tobytes() for row in points})
        fitted = KMeans(min(self.settings.centres, distinct), n_init=10, random_state=0).fit(points)
        self._centres.append(torch.from_numpy(fitted.cluster_centers_).float())

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns negative L1 distances and one-hot weights, (N, K), on the features' device."""
        if not self._centres:
            raise ValueError("there is no adapter to route to: no task has been added")
        given = check_features(features, "kmeans", self._centres[0].shape[1])
        points = normalize(given.double(), dim=1)
        scores = torch.stack(
            [
                -torch.cdist(points, centres.double().to(points.device), p=1.0).min(dim=1).values
                for centres in self._centres
            ],
            dim=1,
        )
        return Routing(scores.float(), one_hot(scores.argmax(dim=1), scores.shape[1]).float())

    def state(self) -> dict[str, Tensor]:
        """Returns all centres (M, d) and the tasks that they belong to (M,)."""
        counts = torch.tensor([len(centres) for centres in self._centres], dtype=torch.int64)
        centres = torch.cat(self._centres) if self._centres else torch.zeros(0, 0)
        return {
            "centres": centres,
            "tasks": torch.repeat_interleave(torch.arange(len(counts)), counts),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes over the centres."""
        tasks, centres = state["tasks"].cpu(), state["centres"].float().cpu()
        count = int(tasks.max()) + 1 if len(tasks) else 0
        self._centres = [centres[tasks == task].clone() for task in range(count)]
