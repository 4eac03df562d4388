"""The slot *route*: which adapters a sample gets, as weights p(x) over the K adapters of the bank.

Listing the choices imports no torch; `ROUTERS.load(name)` imports the class of that row only.
"""

from __future__ import annotations

from cl_core.choices import Choice, Table

ROUTERS = Table(
    slot="router",
    choices=[
        Choice(
            "centroid",
            "cl_core.route.centroid:CentroidRouter",
            "cosine to each task's mean embedding, softmax over the k nearest",
            "DAM (arXiv 2403.08755)",
            needs=("features",),
        ),
        Choice(
            "learned",
            "cl_core.route.learned:LearnedRouter",
            "a router in every adapted block, learnt from a small memory of all tasks",
            "L2R (arXiv 2408.09053)",
            needs=("memory", "training"),
        ),
        Choice(
            "mahalanobis",
            "cl_core.route.mahalanobis:MahalanobisRouter",
            "the task of the nearest class mean, in Mahalanobis distance",
            "EPI (Wang et al. 2023); layer and covariance **(ours)**",
            needs=("features",),
        ),
        Choice(
            "kmeans",
            "cl_core.route.kmeans:KMeansRouter",
            "the task of the nearest of a few centres, in L1 distance",
            "S-Prompts (arXiv 2207.12819), routing rule; layer and pooling **(ours)**",
            needs=("features",),
        ),
        Choice(
            "oracle",
            "cl_core.route.oracle:OracleRouter",
            "the adapter of the sample's true task: an upper bound, it is told the answer",
            "every paper's task-incremental setting",
            needs=("task id",),
        ),
        Choice(
            "uniform",
            "cl_core.route.uniform:UniformRouter",
            "the same weight for every adapter, whatever the sample",
            "static merge, a baseline of DAM (arXiv 2403.08755)",
        ),
        Choice(
            "fixed",
            "cl_core.route.fixed:FixedRouter",
            "the weights that you dial in, whatever the sample",
            "(ours)",
        ),
        Choice(
            "corrupted",
            "cl_core.route.corrupted:CorruptedRouter",
            "centroid, made right for a share of the samples that you set: it is told the answer",
            "after a check of DAM (arXiv 2403.08755) **(ours)**",
            needs=("features", "task id"),
        ),
    ],
)

__all__ = ["ROUTERS"]
