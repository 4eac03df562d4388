"""Merges: K adapters become one, in parameter space, by more than the weighted mean.

Each is a pure function (bank, weights (K,), settings, fishers or None) -> adapter. Merging methods
speak of task vectors, what fine-tuning added to a base model. An adapter is itself what was added
to a frozen model, and it starts near zero, so its own tensors are its task vector and the base is
"no adapter" **(ours)**. `compose` applies the same merges sample by sample (`compose/routewise.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cl_core.adapters.settings import MergeSettings
from cl_core.choices import Choice, Table

if TYPE_CHECKING:
    from torch import Tensor

    from cl_core.adapters.adapter import Adapter
    from cl_core.adapters.bank import Bank


@dataclass(frozen=True)
class MergeTraits:
    """What a row says of a merge, beside its need of Fishers.

    Attributes:
        settings: names of the settings that it reads.
    """

    settings: tuple[str, ...] = ()


class Merge(Protocol):
    """One row of `MERGES`: a pure function of the bank."""

    def __call__(
        self, bank: Bank, weights: Tensor, settings: MergeSettings, fishers: Bank | None
    ) -> Adapter:
        """One adapter of K; see `merge_adapters`."""
        ...


MERGES: Table[Merge, MergeTraits] = Table(
    slot="merge",
    choices=[
        Choice(
            name="mean",
            target="cl_core.adapters.merging.linear:mean",
            summary="The weighted mean of the parameters.",
            source="DAM (arXiv 2403.08755)",
            traits=MergeTraits(),
        ),
        Choice(
            name="task-arithmetic",
            target="cl_core.adapters.merging.linear:task_arithmetic",
            summary="The sum of all adapters, scaled.",
            source="Ilharco et al. 2023 (arXiv 2212.04089)",
            traits=MergeTraits(settings=("merge_scale",)),
        ),
        Choice(
            name="ties",
            target="cl_core.adapters.merging.ties:ties",
            summary="The mean of the large entries whose signs agree with the majority's.",
            source="Yadav et al. 2023 (arXiv 2306.01708)",
            traits=MergeTraits(settings=("ties_keep", "ties_scale")),
        ),
        Choice(
            name="dare",
            target="cl_core.adapters.merging.dare:dare",
            summary="The weighted mean after dropping random entries and rescaling the others.",
            source="Yu et al. 2024 (arXiv 2311.03099)",
            traits=MergeTraits(settings=("dare_drop", "merge_seed")),
        ),
        Choice(
            name="fisher",
            target="cl_core.adapters.merging.linear:fisher",
            summary="The mean in which each entry counts by its Fisher information.",
            source="Matena and Raffel 2022 (arXiv 2111.09832)",
            traits=MergeTraits(settings=("fisher_rows",)),
            needs=("fishers",),
        ),
        Choice(
            name="slerp",
            target="cl_core.adapters.merging.slerp:slerp",
            summary="A point on the arc between the adapters, which keeps their length.",
            source="Shoemake 1985; more than two adapters (ours)",
            traits=MergeTraits(),
        ),
        Choice(
            name="product",
            target="cl_core.adapters.merging.product:product",
            summary="The mean of the products U D, cut back to the bottleneck's width.",
            source="truncated SVD (Eckart and Young 1936); biases and hidden axes (ours)",
            traits=MergeTraits(),
        ),
    ],
    traits=MergeTraits,
)


def merge_adapters(
    how: str,
    bank: Bank,
    weights: Tensor,
    settings: MergeSettings | None = None,
    fishers: Bank | None = None,
) -> Adapter:
    """Merges a bank into one adapter. Weights are taken as they are; nothing is normalised.

    Args:
        how: a name in `MERGES`.
        bank: K adapters.
        weights: (K,), none negative. Where all are zero the result is no adapter: zeros.
        settings: of the merges; None for the defaults.
        fishers: the diagonal Fisher information of every parameter, none negative, in the bank's
            shape; only some merges need it.

    Raises:
        UserError: no such merge, or it needs `fishers` and there are none.
        ValueError: weights or fishers of another shape, or negative.
    """
    check_merge(bank, weights, fishers)
    return MERGES.load(how)(bank, weights, settings or MergeSettings(), fishers)


def check_merge(bank: Bank, weights: Tensor, fishers: Bank | None) -> None:
    """Raises `ValueError` unless weights (K,) and fishers fit the bank and none is negative or NaN."""
    if tuple(weights.shape) != (len(bank),):
        raise ValueError(
            f"merging weights must be ({len(bank)},), one per adapter of the bank; found "
            f"{tuple(weights.shape)}"
        )
    if not bool((weights >= 0).all()):
        raise ValueError(f"merging weights must be 0 or more; found {weights.tolist()}")
    if fishers is not None:
        wanted, actual = (tuple(stack.down.shape) for stack in (bank, fishers))
        if wanted != actual or bank.site_names != fishers.site_names:
            raise ValueError(
                f"the Fishers' down is {actual} at sites {fishers.site_names}; the bank's is "
                f"{wanted} at sites {bank.site_names}"
            )
        if not all(bool((fisher >= 0).all()) for fisher in fishers.parameters()):
            raise ValueError("Fisher information must be 0 or more; found a negative entry or NaN")
