"""In which floating-point type an adapter computes.

Adapters, routers and heads stay in float32 whatever the backbone's type. Under autocast, torch
chooses each operation's type; otherwise states of another type are converted on the way in and back
on the way out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def in_precision(
    dtype: torch.dtype, transform: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], Tensor]:
    """The same transform, computed in `dtype` unless autocast decides; the result has h's type."""

    def converted(h: Tensor) -> Tensor:
        if h.dtype == dtype or torch.is_autocast_enabled(h.device.type):
            return transform(h)
        return transform(h.to(dtype)).to(h.dtype)

    return converted
