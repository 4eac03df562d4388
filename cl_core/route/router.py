"""What a router is: it learns of one task at a time and gives each sample its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor

from cl_core.route.settings import RouterSettings


@dataclass(frozen=True)
class Routing:
    """What N samples got.

    Attributes:
        scores: (N, K) float32, how well each adapter suits each sample, in the router's own
            measure; higher is better. Not cut to the k best, so that top-k recall and tables of all
            tasks can be made from it.
        weights: (N, K) float32, p(x): not negative, each row sums to 1.
        per_block: (N, blocks, K) weights of each adapted block, where they differ (L2R).
    """

    scores: Tensor
    weights: Tensor
    per_block: Tensor | None = None


class Router(Protocol):
    """One choice of the slot *route*, made from `RouterSettings` alone.

    Whether it reads router embeddings of the frozen backbone ("features") and the true task ("task id", only upper
    bounds do) is among its row's needs; what its weights and scores are, its row's traits say.

    Attributes:
        version: part of every key that depends on the router; raised when its numbers change.
    """

    version: ClassVar[int]

    def __init__(self, settings: RouterSettings) -> None:
        """Has learnt of no task."""
        ...

    def add_task(self, features: Tensor | None, labels: Tensor | None = None) -> None:
        """Learns of the next task; afterwards K is one higher. No sample is kept.

        Args:
            features: (N, d) router embeddings of the task's training split; None for routers
                without features.
            labels: (N,) their classes, for routers that look at classes.
        """
        ...

    def route(self, features: Tensor | None, task: Tensor | None) -> Routing:
        """Gives each sample weights over the K adapters, each sample by itself.

        Args:
            features: (N, d) router embeddings; may be None for routers without features.
            task: (N,) true task indices from 0; None when they are not known. Routers that do not
                know the task take no more than N from it.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """Returns all that was learnt, on the CPU: an artifact."""
        ...

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes over what `state` returned, in place of what was learnt."""
        ...


def check_features(features: Tensor | None, router: str, width: int | None) -> Tensor:
    """Returns (N, d) features; raises `ValueError` unless there are any, of this width where one is set."""
    if features is None or features.ndim != 2 or len(features) == 0:
        given = "None" if features is None else f"shape {tuple(features.shape)}"
        raise ValueError(
            f"the {router} router needs features of shape (N, d), N > 0; found {given}"
        )
    if width is not None and features.shape[1] != width:
        raise ValueError(
            f"features have {features.shape[1]} dimensions, those of earlier tasks {width}; one "
            "router reads one backbone, layer and pooling"
        )
    return features


def number_of_samples(features: Tensor | None, task: Tensor | None) -> int:
    """Returns N for a router that reads neither; raises `ValueError` when neither is given."""
    for given in (features, task):
        if given is not None:
            return len(given)
    raise ValueError("route needs features or task ids, if only to count the samples")
