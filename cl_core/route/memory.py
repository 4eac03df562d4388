"""The memory: which few training samples of a task are kept, for L2R's routers and for replay.

L2R (arXiv 2408.09053) keeps a random sample of every task and leaves open what else would serve; the other
selections are those of the rehearsal literature. Whatever the selection, every class keeps at least one row **(ours)**.

Shapes: N training samples of one task, d feature size, n rows to keep.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from cl_core.route.selections import MEMORIES


def memory_size(labels: Tensor, fraction: float) -> int:
    """How many rows of a task are kept: `fraction` of them, rounded, at least one a class, at most all.

    Args:
        labels: (N,).
        fraction: 0 to 1; 0 keeps none.

    >>> memory_size(torch.tensor([0, 0, 0, 0, 1, 2]), fraction=0.1)  # at least one a class
    3
    """
    if fraction == 0:
        return 0
    classes = len(set(labels.tolist()))
    return min(len(labels), max(classes, math.floor(fraction * len(labels) + 0.5)))


def select_memory(
    how: str,
    labels: Tensor,
    fraction: float,
    features: Tensor | None,
    uncertainty: Tensor | None,
    generator: torch.Generator,
) -> list[int]:
    """Chooses the rows of one task that are kept.

    Args:
        how: a name in `MEMORIES`.
        labels: (N,).
        fraction: share of the rows.
        features: (N, d) of the frozen backbone, for `herding` and `k-centre`.
        uncertainty: (N,), higher is less sure, for `uncertainty`.
        generator: on the CPU.

    Returns:
        `memory_size` positions of rows, ascending, each class among them.

    Raises:
        UserError: there is no such selection.
        ValueError: the selection needs what is None, or what has another length.
    """
    select = MEMORIES.load(how)
    for name, given in (("features", features), ("training", uncertainty)):
        if name in MEMORIES[how].needs and (given is None or len(given) != len(labels)):
            size = "none" if given is None else f"{len(given)}"
            raise ValueError(f"memory '{how}' needs {name} of {len(labels)} rows; found {size}")
    count = memory_size(labels, fraction)
    if count == 0:
        return []
    rows = select(labels, count, features, uncertainty, generator)
    return sorted(rows)


def random_rows(
    labels: Tensor,
    count: int,
    features: Tensor | None,
    uncertainty: Tensor | None,
    generator: torch.Generator,
) -> list[int]:
    """Uniform without replacement, but for the first row drawn of each class, which always stays."""
    order = torch.randperm(len(labels), generator=generator).tolist()
    first: dict[int, int] = {}
    for row in order:
        first.setdefault(int(labels[row]), row)
    kept = set(first.values())
    return [*kept, *[row for row in order if row not in kept][: count - len(kept)]]


def balanced_rows(
    labels: Tensor,
    count: int,
    features: Tensor | None,
    uncertainty: Tensor | None,
    generator: torch.Generator,
) -> list[int]:
    """Equal quotas; a class with too few rows gives all, and the others share what it leaves."""

    def shuffled(rows: Tensor, quota: int) -> list[int]:
        return as_ints(rows[torch.randperm(len(rows), generator=generator)[:quota]])

    return by_class(labels, count, shuffled)


def herded_rows(
    labels: Tensor,
    count: int,
    features: Tensor | None,
    uncertainty: Tensor | None,
    generator: torch.Generator,
) -> list[int]:
    """Herding: each next row of a class brings the mean of the kept nearest to the class mean.

    Features have length 1, as in iCaRL. Ties go to the earlier row.
    """
    assert features is not None  # noqa: S101 - `select_memory` has checked
    points = unit_length(features)

    def herd(rows: Tensor, quota: int) -> list[int]:
        mine = points[rows]
        mean, total = mine.mean(dim=0), torch.zeros(mine.shape[1], dtype=mine.dtype)
        left = torch.ones(len(rows), dtype=torch.bool)
        chosen: list[int] = []
        for step in range(1, quota + 1):
            distance = (mean - (total + mine) / step).square().sum(dim=1)
            best = int(distance.masked_fill(~left, math.inf).argmin())
            left[best], total = False, total + mine[best]
            chosen.append(int(rows[best]))
        return chosen

    return by_class(labels, count, herd)


def k_centre_rows(
    labels: Tensor,
    count: int,
    features: Tensor | None,
    uncertainty: Tensor | None,
    generator: torch.Generator,
) -> list[int]:
    """Greedy k-centre: at most twice the smallest possible radius that `count` centres can have.

    It begins with the row of each class that is nearest to the class mean, so that no class is missing **(ours)**;
    from there on it is the algorithm as published. Euclidean distances of features as they are.
    """
    assert features is not None  # noqa: S101 - `select_memory` has checked
    points = features.double().cpu()
    kept: list[int] = []
    for label in sorted(set(labels.tolist())):
        rows = (labels == label).nonzero().flatten()
        to_mean = (points[rows] - points[rows].mean(dim=0)).square().sum(dim=1)
        kept.append(int(rows[int(to_mean.argmin())]))
    nearest = torch.full((len(points),), math.inf, dtype=torch.float64)
    for row in kept:
        nearest = torch.minimum(nearest, (points - points[row]).square().sum(dim=1))
    while len(kept) < count:
        free = nearest.clone()
        free[kept] = -1.0
        row = int(free.argmax())
        kept.append(row)
        nearest = torch.minimum(nearest, (points - points[row]).square().sum(dim=1))
    return kept


def uncertain_rows(
    labels: Tensor,
    count: int,
    features: Tensor | None,
    uncertainty: Tensor | None,
    generator: torch.Generator,
) -> list[int]:
    """Of each class the rows with the highest entropy; ties go to the earlier row."""
    assert uncertainty is not None  # noqa: S101 - `select_memory` has checked
    score = uncertainty.cpu()

    def least_sure(rows: Tensor, quota: int) -> list[int]:
        order = torch.sort(score[rows], descending=True, stable=True).indices
        return as_ints(rows[order[:quota]])

    return by_class(labels, count, least_sure)


def by_class(labels: Tensor, count: int, choose: Callable[[Tensor, int], list[int]]) -> list[int]:
    """`choose(own rows, quota)` of every class, with quotas as equal as the classes' sizes allow."""
    rows_of = {
        label: (labels == label).nonzero().flatten() for label in sorted(set(labels.tolist()))
    }
    quotas = equal_quotas({label: len(rows) for label, rows in rows_of.items()}, count)
    return [row for label, rows in rows_of.items() for row in choose(rows, quotas[label])]


def equal_quotas(sizes: dict[int, int], count: int) -> dict[int, int]:
    """Parts `count` over classes of these sizes, one at a time in turn; full classes are passed over.

    >>> equal_quotas({0: 1, 1: 50, 2: 50}, count=6)
    {0: 1, 1: 3, 2: 2}
    """
    quotas = dict.fromkeys(sizes, 0)
    left = min(count, sum(sizes.values()))
    while left:
        for label, size in sizes.items():
            if left and quotas[label] < size:
                quotas[label] += 1
                left -= 1
    return quotas


def unit_length(features: Tensor) -> Tensor:
    """Rows of length 1, in float64 on the CPU."""
    return torch.nn.functional.normalize(features.double().cpu(), dim=1)


def as_ints(rows: Tensor) -> list[int]:
    """Row numbers as Python's own."""
    return [int(row) for row in rows]
