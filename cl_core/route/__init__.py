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
        ),
        Choice(
            "oracle",
            "cl_core.route.oracle:OracleRouter",
            "the adapter of the sample's true task: an upper bound, it is told the answer",
            "every paper's task-incremental setting",
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
    ],
)

__all__ = ["ROUTERS"]
