"""Settings of the routers. Each router reads those that its docstring names and ignores the
others.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from cl_core.settings import Settings


class RouterSettings(Settings):
    """How samples are routed. The defaults are DAM's."""

    k: Annotated[int, Field(ge=1)] = 2
    """How many adapters a sample gets at most; a bank of fewer gives all of them. DAM: 2."""

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """tau: the softmax over the k kept scores divides by it. Small is near selection. DAM: 0.01."""

    layer: int = -4
    """Which of the backbone's L + 1 hidden states is the router embedding; negative counts from the
    end.

    0 is the embeddings, -1 the last block. DAM reads layer 21 of 24, the fourth from the end.
    """

    pooling: Literal["mean", "cls"] = "mean"
    """How the hidden states of a sample's tokens become one vector: DAM's masked mean, or the first
    token's.
    """

    weights: tuple[float, ...] | None = None
    """For `fixed` only: one weight per task, in the stream's order; they are divided by their
    sum.
    """

    @field_validator("weights")
    @classmethod
    def _weights_can_be_normalised(
        cls, weights: tuple[float, ...] | None
    ) -> tuple[float, ...] | None:
        if weights is not None:
            if any(not math.isfinite(weight) or weight < 0 for weight in weights):
                raise ValueError("weights must be finite and not negative")
            if sum(weights) <= 0:
                raise ValueError("at least one weight must be above 0")
        return weights
