"""EPI's router: the task that has the class nearest in Mahalanobis distance."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from cl_core.route.router import Routing, check_features
from cl_core.route.settings import RouterSettings


class MahalanobisRouter:
    """The identifier of EPI (Wang et al., ACL 2023, "Rehearsal-free Continual Language Learning via Efficient Parameter
    Isolation").

        mu_{t,c}   mean of the features of class c of task t
        Sigma      mean over tasks of the mean over classes of the class's covariance (1/n)
        s_t        = - min_c (e(x) - mu_{t,c})' Sigma^+ (e(x) - mu_{t,c})
        p_t        = 1 for the largest s_t

    With fewer degrees of freedom than dimensions (f = rows - classes < d) Sigma has no inverse worth the name and is
    shrunk to (f/d) Sigma + (1 - f/d) (tr Sigma / d) I first **(ours)**. Everything is float64. Reads, through whoever
    makes the features, `layer` and `pooling`.

    EPI's own code reads the mean of the *last* layer's tokens (`layer=-1`; here the fourth from the end is read, as by
    all routers **(ours)**), divides a class's covariance by n - 1 (here by n **(ours)**) and takes the plain
    pseudo-inverse, however few the rows.
    """

    version: ClassVar[int] = 1

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self._means: list[Tensor] = []
        self._tasks: list[int] = []
        self._covariance = torch.zeros(0, 0, dtype=torch.float64)
        self._freedom = 0
        self._whitening: Tensor | None = None

    @property
    def n_tasks(self) -> int:
        """K."""
        return self._tasks[-1] + 1 if self._tasks else 0

    def add_task(self, features: Tensor | None, labels: Tensor | None = None) -> None:
        """Keeps the class means of (N, d) features and adds their covariance to the shared one.

        Args:
            features: (N, d), N > 0.
            labels: (N,) classes; None takes the task for one class **(ours)**.

        Raises:
            ValueError: no features, of another width than before, or labels of another length.
        """
        width = len(self._covariance) if self._tasks else None
        points = check_features(features, "mahalanobis", width).double().cpu()
        classes = torch.zeros(len(points)) if labels is None else labels.cpu()
        if len(classes) != len(points):
            raise ValueError(f"{len(classes)} labels for {len(points)} samples")
        task = self.n_tasks
        scatter = torch.zeros(points.shape[1], points.shape[1], dtype=points.dtype)
        values = sorted(set(classes.tolist()))
        for value in values:
            members = points[classes == value]
            mean = members.mean(dim=0)
            scatter += (members - mean).T @ (members - mean) / len(members)
            self._means.append(mean)
            self._tasks.append(task)
        before = self._covariance * task if task else torch.zeros_like(scatter)
        self._covariance = (before + scatter / len(values)) / (task + 1)
        self._freedom += len(points) - len(values)
        self._whitening = None

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns negative squared distances and one-hot weights, (N, K), on the features' device."""
        if not self._tasks:
            raise ValueError("there is no adapter to route to: no task has been added")
        given = check_features(features, "mahalanobis", len(self._covariance))
        if self._whitening is None:
            self._whitening = whitening(self._covariance, self._freedom)
        whiten = self._whitening.to(given.device)
        means = torch.stack(self._means).to(given.device)
        # By differences, not |x|^2 - 2xm + |m|^2, which loses what tells near classes apart.
        distances = torch.cdist(
            given.double() @ whiten,
            means @ whiten,
            compute_mode="donot_use_mm_for_euclid_dist",
        ).square()  # (N, M)
        owner = torch.tensor(self._tasks, device=given.device)
        scores = torch.stack(
            [-distances[:, owner == index].min(dim=1).values for index in range(self.n_tasks)],
            dim=1,
        )
        weights = one_hot(scores.argmax(dim=1), self.n_tasks).float()
        return Routing(scores.float(), weights)

    def state(self) -> dict[str, Tensor]:
        """Returns means (M, d), their tasks (M,), the covariance (d, d) and its degrees of freedom (1,)."""
        means = torch.stack(self._means) if self._means else torch.zeros(0, 0, dtype=torch.float64)
        return {
            "means": means,
            "tasks": torch.tensor(self._tasks, dtype=torch.int64),
            "covariance": self._covariance,
            "freedom": torch.tensor([self._freedom]),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes over what `state` returned."""
        self._means = [mean.clone() for mean in state["means"].double().cpu()]
        self._tasks = [int(task) for task in state["tasks"]]
        self._covariance = state["covariance"].double().cpu().clone()
        self._freedom = int(state["freedom"])
        self._whitening = None


def whitening(covariance: Tensor, freedom: int) -> Tensor:
    """A with A A' = Sigma^+, the pseudo-inverse of the covariance, shrunk where `freedom` < d.

    Args:
        covariance: Sigma, (d, d) float64.
        freedom: degrees of freedom f.

    Returns:
        (d, d); directions without variance get 0.
    """
    size = len(covariance)
    share = min(1.0, freedom / size)
    spread = covariance.trace() / size
    shrunk = share * covariance + (1 - share) * spread * torch.eye(size, dtype=covariance.dtype)
    values, vectors = torch.linalg.eigh(shrunk)
    spanned = values > size * torch.finfo(values.dtype).eps * values.max()
    roots = torch.where(spanned, values, torch.ones_like(values)).rsqrt() * spanned
    whitened: Tensor = vectors * roots
    return whitened
