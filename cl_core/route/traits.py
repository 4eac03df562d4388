"""What a row of the table of routers says of its router. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cl_core.adapters.settings import HeadRule

Weights = Literal["soft top-k", "one-hot", "same for all", "inside the pass"]
"""soft top-k: a softmax of the k best scores, divided by the temperature; one-hot: 1 for one adapter; same for all:
whatever the sample is; inside the pass: made block by block while the backbone runs, so that there are none before."""

SOFTMAX = r"p_t = \frac{e^{s_t/\tau}}{\sum_{u \in K(x)} e^{s_u/\tau}}"
"""Of soft top-k weights, whatever the scores are."""
ONE_HOT = r"p_t = \mathbb{1}[t = \arg\max_u s_u]"
"""Of one-hot weights that follow the scores."""


@dataclass(frozen=True)
class RouterTraits:
    """A router.

    Attributes:
        weights: what p(x) is; see `Weights`.
        explanation: for whoever looks at a sample, in one to three sentences that need no paper: what this router
            does with it. Markdown and formulas have no place here.
        scores: in a word, what its scores of a sample are ("cosine", "minus distance"), higher being better; empty
            where scores say no more than weights do.
        formula: LaTeX of the weights; empty where there is nothing to write down.
        settings: names of the settings that it reads, or of whole groups of them ("network"); those of the memory
            belong to the need of one.
        asks: settings that have no default and must be set, with what the refusal says of each.
        keeps_centroids: whether its state holds the mean embedding of each task, (K, d), as "centroids".
        head_rule: how heads answer together in CIL where nobody says (`head_rule=auto`).
    """

    weights: Weights
    explanation: str
    scores: str = ""
    formula: str = ""
    settings: tuple[str, ...] = ()
    asks: Mapping[str, str] = field(default_factory=dict)
    keeps_centroids: bool = False
    head_rule: HeadRule = "compose"
