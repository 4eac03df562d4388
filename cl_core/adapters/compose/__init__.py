"""Compositions: what routing weights p(x) do to the K adapters of a bank, sample by sample.

Those of `composition.py` are functions (bank, weights (B, K), path or None) -> {site name: transform}. The first three
are exact for any weights, whether or not they sum to one, and differentiable in the weights (`merge`, `average`) and
in the bank. Work that depends on the weights alone is done once per batch, not once per site. The merges beyond the
mean (`routewise.py`) also take their settings. The last two are no function of one forward pass with given weights;
they stand here because they are choices of the same slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cl_core.adapters.compose.paths import AVERAGE_PATHS, MERGE_PATHS, SELECT_PATHS
from cl_core.adapters.compose.traits import CompositionTraits
from cl_core.adapters.merging import MERGES
from cl_core.choices import Choice, Table

if TYPE_CHECKING:
    from torch import Tensor

    from cl_core.adapters.adapter import Transform
    from cl_core.adapters.bank import Bank
    from cl_core.adapters.compose.composition import Composition
    from cl_core.adapters.settings import MergeSettings

COMPOSITIONS: Table[Composition, CompositionTraits] = Table(
    slot="composition",
    choices=[
        Choice(
            name="select",
            target="cl_core.adapters.compose.select:select",
            summary="Each sample passes through the adapter with the largest weight.",
            source="I2I, EPI, S-Prompts: one adapter per sample",
            traits=CompositionTraits(
                explanation="Only the top-1 adapter is used.",
                formula=r"\Phi(x) = \Phi_j,\ j = \arg\max_t p_t",
                paths=SELECT_PATHS,
                one_adapter=True,
            ),
        ),
        Choice(
            name="merge",
            target="cl_core.adapters.compose.merge:merge",
            summary="Each sample gets one adapter, whose parameters are the weighted mean of those that the router "
            "keeps: the top k, or all.",
            source="DAM (arXiv 2403.08755); L2R (arXiv 2408.09053), merge variant",
            traits=CompositionTraits(
                explanation="Their parameters are averaged with these weights into one adapter, which answers.",
                formula=r"\Phi(x) = \sum_t p_t\,\Phi_t",
                differentiable=True,
                paths=MERGE_PATHS,
            ),
        ),
        Choice(
            name="average",
            target="cl_core.adapters.compose.average:average",
            summary="Each sample passes through the adapters that the router keeps, the top k or all; their "
            "outputs are averaged with its weights.",
            source="L2R (arXiv 2408.09053), weighted average",
            traits=CompositionTraits(
                explanation="Every one of them runs, and their outputs are averaged with these weights.",
                formula=r"h' = h + \sum_t p_t\,(A_t(h) - h)",
                differentiable=True,
                paths=AVERAGE_PATHS,
            ),
        ),
        *(
            Choice(
                name=merge.name,
                target=f"cl_core.adapters.compose.routewise:{merge.name.replace('-', '_')}",
                summary=f"Each sample gets one adapter. {merge.summary}",
                source=merge.source,
                traits=CompositionTraits(
                    explanation=f"They become one adapter, which answers. {merge.summary}",
                    settings=merge.traits.settings,
                ),
                needs=merge.needs,
            )
            for merge in MERGES.present
            if merge.name != "mean"
        ),
        Choice(
            name="fusion",
            target="cl_core.adapters.fusion:fuse",
            summary="Every token attends to the adapters; trained for each task after its adapter.",
            source="AdapterFusion (arXiv 2005.00247)",
            traits=CompositionTraits(
                explanation="Every token attends to the adapters learnt up to the sample's task, as that task's own "
                "fusion has learnt to: it decides, and not these weights.",
                formula=r"h' = h + \sum_t \beta_t W_v u_t",
                trained=True,
                settings=("fusion",),
            ),
            needs=("task id", "training"),
        ),
        Choice(
            name="ensemble",
            target="cl_core.adapters.heads:ensemble_logits",
            summary="Every adapter that the router keeps, the top k or all, answers alone with its own head; "
            "the logits are averaged with its weights.",
            source="logit ensembling, named by DAM (arXiv 2403.08755)",
            traits=CompositionTraits(
                explanation="Every one of them answers, and their answers are averaged with these weights.",
                formula=r"z(x) = \sum_t p_t\,z_t(x)",
                passes="one per adapter",
            ),
        ),
    ],
    traits=CompositionTraits,
)


def plain_compositions() -> tuple[str, ...]:
    """Those that read no settings and have several exact paths: they go with any weights."""
    return tuple(row.name for row in COMPOSITIONS.values() if row.traits.paths)


def with_given_weights(how: str) -> str:
    """The composition that stands in for `how` where weights are dialled in, by name.

    One with weights of its own (a fusion) takes none from outside: `merge` does what they say **(ours)**.
    """
    return "merge" if COMPOSITIONS[how].traits.trained else how


ELSEWHERE = {
    "fusion": "it has weights of its own: see cl_core.adapters.fusion.fuse",
    "ensemble": "it takes a forward pass for each adapter: see cl_core.adapters.heads.ensemble_logits",
}
"""Choices of the slot that no weights over adapters carry out, and where they are."""


def compose(
    bank: Bank,
    weights: Tensor,
    how: str = "merge",
    path: str | None = None,
    *,
    settings: MergeSettings | None = None,
    fishers: Bank | None = None,
) -> dict[str, Transform]:
    """Composes the bank's adapters for one batch.

    Args:
        bank: K adapters, on the device of the states.
        weights: (B, K), row i belonging to sample i of the batch.
        how: a name in `COMPOSITIONS`.
        path: which of the equivalent ways to compute it; None chooses by shape (`paths.py`).
        settings: of the merges beyond the mean; None for the defaults.
        fishers: in the bank's shape, for merges that need them.

    Returns:
        For each site name, a function (B, T, d) -> (B, T, d).

    Raises:
        UserError: no such composition, or it needs `fishers` and there are none.
        ValueError: weights of another shape than (B, K), no such path, or one of `ELSEWHERE`.
    """
    if how in ELSEWHERE:
        raise ValueError(f"'{how}' is not composed by weights; {ELSEWHERE[how]}")
    composition = COMPOSITIONS.load(how)
    return composition(bank, weights, path, settings=settings, fishers=fishers)
