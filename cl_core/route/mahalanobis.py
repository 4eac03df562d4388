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

    Sigma is shrunk first, whatever the number of rows, to (1 - a) Sigma + a (tr Sigma / d) I **(ours)**: it is worst
    conditioned not with few rows, but where rows minus classes meet d. The share a is that of Ledoit and Wolf ("A
    well-conditioned estimator for large-dimensional covariance matrices", 2004), for a mean of covariances:

        r_i    the row i of task t less its class's mean, times sqrt(n_t / (C_t n_c)), so that S_t = R_t' R_t / n_t
        b_t    (sum_i |r_i|^4 / n_t - |S_t|^2) / n_t       how far S_t is from what it estimates, squared
        a      min(1, sum_t b_t / T^2 / |Sigma - (tr Sigma / d) I|^2)

    Everything is float64. Reads, through whoever makes the features, `layer` and `pooling`.

    EPI's own code reads the mean of the *last* layer's tokens (`layer=-1`; here the fourth from the end is read, as by
    all routers **(ours)**), divides a class's covariance by n - 1 (here by n **(ours)**) and takes the plain
    pseudo-inverse, however few the rows.
    """

    version: ClassVar[int] = 2

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self._means: list[Tensor] = []
        self._tasks: list[int] = []
        self._covariance = torch.zeros(0, 0, dtype=torch.float64)
        self._error = 0.0
        """The sum of the b_t."""
        self._freedom: int | None = None
        """Of a router that was made before: its degrees of freedom, by which it was shrunk."""
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
        rows = torch.zeros_like(points)
        values = sorted(set(classes.tolist()))
        for value in values:
            of_class = classes == value
            members = points[of_class]
            mean = members.mean(dim=0)
            rows[of_class] = (members - mean) * (len(points) / len(values) / len(members)) ** 0.5
            self._means.append(mean)
            self._tasks.append(task)
        covariance = rows.T @ rows / len(rows)
        fourth = rows.square().sum(dim=1).square().mean()
        self._error += float((fourth - covariance.square().sum()) / len(rows))
        before = self._covariance * task if task else torch.zeros_like(covariance)
        self._covariance = (before + covariance) / (task + 1)
        if self._freedom is not None:
            self._freedom += len(points) - len(values)
        self._whitening = None

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns negative squared distances and one-hot weights, (N, K), on the features' device."""
        if not self._tasks:
            raise ValueError("there is no adapter to route to: no task has been added")
        given = check_features(features, "mahalanobis", len(self._covariance))
        if self._whitening is None:
            self._whitening = whitening(self._covariance, self.shrinkage)
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

    @property
    def shrinkage(self) -> float:
        """The share a in [0, 1] of (tr Sigma / d) I; 0 for a covariance that is one already."""
        size = len(self._covariance)
        if self._freedom is not None:
            return max(0.0, 1 - self._freedom / size)
        sphere = self._covariance.trace() / size * torch.eye(size, dtype=torch.float64)
        distance = float((self._covariance - sphere).square().sum())
        error = self._error / self.n_tasks**2
        return min(1.0, error / distance) if distance else 0.0

    def state(self) -> dict[str, Tensor]:
        """Returns means (M, d), their tasks (M,), the covariance (d, d) and the sum of its errors b_t (1,)."""
        means = torch.stack(self._means) if self._means else torch.zeros(0, 0, dtype=torch.float64)
        return {
            "means": means,
            "tasks": torch.tensor(self._tasks, dtype=torch.int64),
            "covariance": self._covariance,
            "error": torch.tensor([self._error], dtype=torch.float64),
            **({} if self._freedom is None else {"freedom": torch.tensor([self._freedom])}),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes over what `state` returned, also before there was an error in it: such a router routes as it did."""
        self._means = [mean.clone() for mean in state["means"].double().cpu()]
        self._tasks = [int(task) for task in state["tasks"]]
        self._covariance = state["covariance"].double().cpu().clone()
        self._freedom = int(state["freedom"]) if "freedom" in state else None
        self._error = float(state.get("error", torch.zeros(1)))
        self._whitening = None


def whitening(covariance: Tensor, shrinkage: float) -> Tensor:
    """A with A A' = Sigma^+, the pseudo-inverse of the covariance, once it is shrunk.

    Args:
        covariance: Sigma, (d, d) float64.
        shrinkage: the share of (tr Sigma / d) I.

    Returns:
        (d, d); directions without variance get 0.
    """
    size = len(covariance)
    sphere = covariance.trace() / size * torch.eye(size, dtype=covariance.dtype)
    shrunk = (1 - shrinkage) * covariance + shrinkage * sphere
    values, vectors = torch.linalg.eigh(shrunk)
    spanned = values > size * torch.finfo(values.dtype).eps * values.max()
    roots = torch.where(spanned, values, torch.ones_like(values)).rsqrt() * spanned
    whitened: Tensor = vectors * roots
    return whitened
