"""Settings of the initialisers that compute something of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cl_core.limits import EPOCHS
from cl_core.settings import Settings, within


class ImproviseSettings(Settings):
    """I2I's phases 1 and 2. The recipes i2i-ff, i2i-fl and i2i-ll differ in the two shares."""

    improvise_share: float = Field(1.0, gt=0, le=1)
    """Share of the training samples in phase 1, floor(share * n), at least one sample a class. ff, fl 1; ll 0.05."""
    distil_share: float = Field(1.0, gt=0, le=1)
    """Share of the training samples in phase 2. ff 1; fl, ll 0.05."""
    improvise_epochs: Annotated[int, within(EPOCHS)] | None = None
    """Passes over the samples of phase 1, at most; null for as many as in training."""
    distil_epochs: Annotated[int, within(EPOCHS)] | None = None
    """Passes over the samples of phase 2, at most; null for as many as in training."""
    vanilla: bool = True
    """Whether the run also trains, or finds, the vanilla adapters that knowledge transfer is measured against."""
