"""How encoded rows go through a frozen backbone: what every pass over all of them is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cl_core.device import Device

Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class Inference:
    """What a pass over rows is told, whatever is at the backbone's sites.

    Attributes:
        pooling: what heads read of the last layer, "mean" or "cls".
        batch_size: rows per forward pass.
        device: where, and in which precision.
        progress: called after each batch with (rows done, rows in all); what it raises ends the pass.
    """

    pooling: str
    batch_size: int
    device: Device
    progress: Progress = silent
