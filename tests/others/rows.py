"""What a distribution of somebody else's lists in the lab: a choice of each slot, and a number. Imports no torch."""

from __future__ import annotations

from typing import Any

from cl_core.adapters.compose.traits import CompositionTraits
from cl_core.choices import Choice
from cl_core.evaluate.metric import Metric
from cl_core.initialise.traits import InitialiserTraits
from cl_core.route.traits import ONE_HOT, RouterTraits
from cl_core.train.traits import one_adapter


def rows() -> list[Any]:
    """The rows; named by the entry point."""
    return [
        Choice(
            "nearest",
            "tests.others.nearest:NearestRouter",
            "the adapter of the nearest centroid, by Euclidean distance",
            "nearest class mean",
            RouterTraits(
                weights="one-hot",
                scores="minus Euclidean distance",
                explanation="The sample goes to the task whose mean is nearest in a straight line.",
                formula=ONE_HOT,
                settings=("layer", "pooling"),
                keeps_centroids=True,
            ),
            needs=("features",),
        ),
        Choice(
            "anchor",
            "tests.others.anchor:Anchor",
            "one shared adapter that is pulled back to where the last task left it",
            "L2-SP (Li et al. 2018)",
            one_adapter(settings=("ewc_lambda",)),
        ),
        Choice(
            "total",
            "tests.others.total:total",
            "Each sample passes through all adapters, whose changes are added up.",
            "(ours)",
            CompositionTraits(
                explanation="The changes of all adapters are added up.",
                formula=r"h' = h + \sum_t (A_t(h) - h)",
            ),
        ),
        Choice(
            "oldest",
            "tests.others.oldest:OldestInitialiser",
            "a copy of the first task's adapter",
            "(ours)",
            InitialiserTraits(),
        ),
        Metric(
            "worst_task",
            "Worst task",
            "min",
            "min_j R[T, j]",
            "higher",
            "share",
            "matrix",
            "The task that fares worst after the last.",
            "tests.others.worst:worst_task",
            ("R",),
            from_stage=2,
            short="Worst",
        ),
    ]
