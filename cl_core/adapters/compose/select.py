"""Select: each sample passes through one adapter alone, the one with the largest weight."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import Transform, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.bottleneck import bottleneck_per_sample
from cl_core.adapters.compose.paths import SELECT_PATHS, check_path
from cl_core.adapters.compose.project import project
from cl_core.adapters.compose.routes import check_batch, check_weights
from cl_core.adapters.precision import in_precision
from cl_core.adapters.projection import VISUAL
from cl_core.adapters.settings import MergeSettings


def select(
    bank: Bank,
    weights: Tensor,
    path: str | None = None,
    *,
    settings: MergeSettings | None = None,
    fishers: Bank | None = None,
) -> dict[str, Transform]:
    """h' = A_j(h) with j = argmax_i p_i, of equal ones the lowest.

    The size of p_j does not matter, so the weights get no gradient; the bank does.

    Args:
        bank: K adapters.
        weights: (B, K).
        path: "shared" when all samples have one adapter: it alone, as if it were the only one;
            "gather" otherwise: each sample's rows of the bank, and two batched products.
        settings, fishers: not read.

    Raises:
        ValueError: weights of another shape, or a path that does not fit.
    """
    check_weights(weights, bank)
    choice = weights.argmax(dim=1)
    shared = bool((choice == choice[0]).all())
    path = path or ("shared" if shared else "gather")
    check_path(path, SELECT_PATHS, shared)
    if path == "shared":
        return transforms(bank.adapter(int(choice[0])))

    def at_site(site: int) -> Transform:
        def transform(h: Tensor) -> Tensor:
            check_batch(h, len(choice))
            down, a, up, b = (tensor[site].index_select(0, choice) for tensor in bank.stacks())
            return bottleneck_per_sample(h, down, a, up, b, bank.activation)

        return in_precision(bank.dtype, transform)

    by_site = {name: at_site(site) for site, name in enumerate(bank.site_names)}
    if bank.projection is not None:
        by_site[VISUAL] = project(bank.projection, F.one_hot(choice, len(bank)))
    return by_site
