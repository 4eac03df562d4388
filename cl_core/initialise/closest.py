"""ClosestTaskInit: start where the most similar task ended."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn.functional import cosine_similarity


class ClosestInitialiser:
    """Adapter t starts as a byte copy of the most similar earlier task's adapter; the first one at
    random.

        parent(t) = argmax_{i < t} cos(c_i, c_t)

    The baseline ClosestTaskInit of I2I (arXiv 2304.02168). Measuring similarity by the cosine of
    the tasks' mean frozen embeddings, the router's own centroids, is **(ours)**. Of equally close
    tasks the earliest is taken.
    """

    version: ClassVar[int] = 1

    def parent(self, task: int, centroids: Tensor | None) -> int | None:
        """Returns the closest earlier task, or None for the first.

        Raises:
            ValueError: no centroid of the new task among `centroids` (n, d).
        """
        if task == 0:
            return None
        if centroids is None or len(centroids) <= task:
            available = "none" if centroids is None else str(len(centroids))
            raise ValueError(
                f"the initialiser 'closest' needs the centroids of all {task + 1} tasks up to the "
                f"new one; found {available}"
            )
        earlier, new = centroids[:task].double(), centroids[task].double()
        similarity: list[float] = cosine_similarity(earlier, new[None], dim=1).tolist()
        return similarity.index(max(similarity))
