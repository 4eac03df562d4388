"""Compositions: what routing weights p(x) do to the K adapters of a bank, sample by sample.

Each is a function (bank, weights (B, K), path or None) -> {site name: transform}, exact for any
weights, whether or not they sum to one, and differentiable in the weights (`merge`, `average`) and
in the bank. Work that depends on the weights alone is done once per batch, not once per site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cl_core.choices import Choice, Table

if TYPE_CHECKING:
    from torch import Tensor

    from cl_core.adapters.adapter import Transform
    from cl_core.adapters.bank import Bank

COMPOSITIONS = Table(
    slot="composition",
    choices=[
        Choice(
            name="select",
            target="cl_core.adapters.compose.select:select",
            summary="Each sample passes through the adapter with the largest weight.",
            source="I2I, EPI, S-Prompts: one adapter per sample",
        ),
        Choice(
            name="merge",
            target="cl_core.adapters.compose.merge:merge",
            summary="Each sample gets one adapter, whose parameters are the weighted mean of all.",
            source="DAM (arXiv 2403.08755); L2R (arXiv 2408.09053), merge variant",
        ),
        Choice(
            name="average",
            target="cl_core.adapters.compose.average:average",
            summary="Each sample passes through all adapters, whose outputs are averaged.",
            source="L2R (arXiv 2408.09053), weighted average",
        ),
    ],
)


def compose(
    bank: Bank, weights: Tensor, how: str = "merge", path: str | None = None
) -> dict[str, Transform]:
    """Composes the bank's adapters for one batch.

    Args:
        bank: K adapters, on the device of the states.
        weights: (B, K), row i belonging to sample i of the batch.
        how: a name in `COMPOSITIONS`.
        path: which of the equivalent ways to compute it; None chooses by shape (`paths.py`).

    Returns:
        For each site name, a function (B, T, d) -> (B, T, d).

    Raises:
        UserError: no such composition.
        ValueError: weights of another shape than (B, K), or no such path.
    """
    transforms: dict[str, Transform] = COMPOSITIONS.load(how)(bank, weights, path)
    return transforms
