"""The centroid router made right and wrong on purpose: where does merging cushion a wrong route?"""

from __future__ import annotations

from hashlib import sha256

import torch
from torch import Tensor

from cl_core.route.algebra import top_k_softmax
from cl_core.route.centroid import CentroidRouter
from cl_core.route.router import Routing


class CorruptedRouter(CentroidRouter):
    """DAM's router with a top-1 accuracy that the user sets (DAM, arXiv 2403.08755, first check; how is **(ours)**).

    A share `router_accuracy` of the samples is to be right. Where it is not, the score of the true task and the best
    score are exchanged; a sample that is to be wrong and is right exchanges the best and the second-best score. The
    weights then are DAM's, of the exchanged scores, so that at one accuracy `select` and `merge` see the same routes.
    Whether a sample is to be right depends on its own features alone. With one task, and for samples of a task without
    an adapter, nothing is changed. It is told the answer: its results are no router's.

    Reads the settings `router_accuracy`, `k`, `temperature`, `layer` and `pooling`.
    """

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns exchanged cosines and weights, (N, K), on the features' device.

        Raises:
            ValueError: no features or no task ids.
        """
        if task is None:
            raise ValueError("the corrupted router needs the task ids (N,); found None")
        scores = super().route(features, task).scores
        count = scores.shape[1]
        if count > 1 and features is not None:
            right = chances(features).to(scores.device) < self.settings.router_accuracy
            true, has_adapter = task.to(scores.device).long().clamp(max=count - 1), task < count
            best, second = scores.argsort(dim=1, descending=True, stable=True)[:, :2].unbind(dim=1)
            other = torch.where(right, true, torch.where(best == true, second, best))
            other = torch.where(has_adapter.to(scores.device), other, best)
            rows = torch.arange(len(scores), device=scores.device)
            exchanged = scores.clone()
            exchanged[rows, best] = scores[rows, other]
            exchanged[rows, other] = scores[rows, best]
            scores = exchanged
        weights = top_k_softmax(scores.double(), self.settings.k, self.settings.temperature)
        return Routing(scores, weights.float())


def chances(features: Tensor) -> Tensor:
    """(N,) numbers as if drawn uniformly from [0, 1), each a hash of its own row's float32 bytes."""
    rows = features.detach().float().cpu().numpy()
    drawn = [int.from_bytes(sha256(row.tobytes()).digest()[:6], "big") / 2**48 for row in rows]
    return torch.tensor(drawn, dtype=torch.float64)
