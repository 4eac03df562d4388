"""The slot *route*: which adapters a sample gets, as weights p(x) over the K adapters of the bank.

Listing the choices imports no torch; `ROUTERS.load(name)` imports the class of that row only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cl_core.choices import Choice, Table
from cl_core.route.traits import ONE_HOT, SOFTMAX, RouterTraits

if TYPE_CHECKING:
    from cl_core.route.router import Router

_POINT = "The frozen backbone turns the sample into a point. The further right a mark, the nearer that point is to "
_SPREAD = "; the marks are spread over the range of this sample's scores. "
_SOFTMAX = "Filled marks are kept, and a softmax turns their scores into weights."
_ONE = "The nearest task's adapter gets all the weight."

ROUTERS: Table[type[Router], RouterTraits] = Table(
    slot="router",
    choices=[
        Choice(
            "centroid",
            "cl_core.route.centroid:CentroidRouter",
            "cosine to each task's mean embedding, softmax over the k nearest",
            "DAM (arXiv 2403.08755)",
            RouterTraits(
                weights="soft top-k",
                scores="cosine",
                explanation=f"{_POINT}the mean of the task's training samples{_SPREAD}{_SOFTMAX}",
                formula=SOFTMAX,
                settings=("k", "temperature", "layer", "pooling", "parts"),
                keeps_centroids=True,
            ),
            needs=("features",),
        ),
        Choice(
            "learned",
            "cl_core.route.learned:LearnedRouter",
            "a router in every adapted block, learnt from a small memory of all tasks",
            "L2R (arXiv 2408.09053)",
            RouterTraits(
                weights="inside the pass",
                explanation="A small router in every block weighs the adapters; the bars show the mean over blocks.",
                settings=("network",),
            ),
            needs=("memory", "training"),
        ),
        Choice(
            "mahalanobis",
            "cl_core.route.mahalanobis:MahalanobisRouter",
            "the task of the nearest class mean, in Mahalanobis distance",
            "EPI (Wang et al. 2023); layer and covariance **(ours)**",
            RouterTraits(
                weights="one-hot",
                scores="minus distance",
                explanation=f"{_POINT}the task's nearest class, the mean of its training samples, in Mahalanobis "
                f"distance{_SPREAD}{_ONE}",
                formula=ONE_HOT,
                settings=("layer", "pooling", "parts"),
            ),
            needs=("features",),
        ),
        Choice(
            "kmeans",
            "cl_core.route.kmeans:KMeansRouter",
            "the task of the nearest of a few centres, in L1 distance",
            "S-Prompts (arXiv 2207.12819), routing rule; layer and pooling **(ours)**",
            RouterTraits(
                weights="one-hot",
                scores="minus distance",
                explanation=f"{_POINT}the nearest of the task's centres, found by K-means among its training samples, "
                f"in L1 distance{_SPREAD}{_ONE}",
                formula=ONE_HOT,
                settings=("centres", "layer", "pooling", "parts"),
            ),
            needs=("features",),
        ),
        Choice(
            "oracle",
            "cl_core.route.oracle:OracleRouter",
            "the adapter of the sample's true task, which it is told: no router can choose better",
            "every paper's task-incremental setting",
            RouterTraits(
                weights="one-hot",
                explanation="This recipe is told the sample's true task, whose adapter gets all the weight.",
            ),
            needs=("task id",),
        ),
        Choice(
            "uniform",
            "cl_core.route.uniform:UniformRouter",
            "the same weight for every adapter, whatever the sample",
            "static merge, a baseline of DAM (arXiv 2403.08755)",
            RouterTraits(
                weights="same for all",
                explanation="This recipe gives every adapter the same weight, whatever the sample is.",
                head_rule="direct",  # its weights name no task (ours)
            ),
        ),
        Choice(
            "fixed",
            "cl_core.route.fixed:FixedRouter",
            "the weights that you dial in, whatever the sample",
            "(ours)",
            RouterTraits(
                weights="same for all",
                explanation="This recipe gives every sample the weights that were dialled in.",
                settings=("weights",),
                asks={"weights": "one weight per task, as in --set weights=[0.5,0.5,0]"},
                head_rule="direct",  # as uniform (ours)
            ),
        ),
        Choice(
            "corrupted",
            "cl_core.route.corrupted:CorruptedRouter",
            "centroid, made right for a share of the samples that you set: it is told the answer",
            "after a check of DAM (arXiv 2403.08755) **(ours)**",
            RouterTraits(
                weights="soft top-k",
                scores="cosine",
                explanation=f"{_POINT}the mean of the task's training samples{_SPREAD}Two scores are exchanged where "
                f"the route is to be right and is not, or the other way round. {_SOFTMAX}",
                formula=SOFTMAX,
                settings=("router_accuracy", "k", "temperature", "layer", "pooling", "parts"),
                keeps_centroids=True,
            ),
            needs=("features", "task id"),
        ),
    ],
    traits=RouterTraits,
)

__all__ = ["ROUTERS"]
