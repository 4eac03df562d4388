"""Settings of the routers. Each router reads those that its docstring names and ignores the
others.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from cl_core.limits import ADAPTERS, BATCH_ROWS, BLOCKS, COUNT, EPOCHS
from cl_core.settings import Settings, no_longer, within

Gate = Literal["gumbel-sigmoid", "gumbel-sigmoid-hard", "softmax"]


class RouterSettings(Settings):
    """How samples are routed. The defaults are DAM's."""

    k: Annotated[int, within(ADAPTERS)] = 2
    """How many adapters a sample gets at most; a bank of fewer gives all of them. DAM: 2."""

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """tau: the softmax over the k kept scores divides by it. Small is near selection. DAM: 0.01."""

    layer: Annotated[int, within(BLOCKS, least=-BLOCKS.most)] = -4
    """Which of the backbone's L + 1 hidden states is the router embedding; negative counts from the
    end.

    0 is the embeddings, -1 the last block. DAM reads layer 21 of 24, the fourth from the end.
    """

    pooling: Literal["mean", "cls"] = "mean"
    """How the hidden states of a sample's tokens become one vector: DAM's masked mean, or the first
    token's.
    """

    parts: Literal["both", "text", "vision"] = "both"
    """Of the router embedding, where the backbone sees: DAM's two parts, or one of them."""

    weights: Annotated[tuple[float, ...], no_longer(ADAPTERS)] | None = None
    """For `fixed` only: one weight per task, in the stream's order; they are divided by their
    sum.
    """

    centres: Annotated[int, within(ADAPTERS)] = 5
    """For `kmeans` only: centres per task. S-Prompts: 5."""

    router_accuracy: Annotated[float, Field(ge=0, le=1)] = 1.0
    """For `corrupted` only: the share of samples whose best-scored task is made to be the true one."""

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


class MemorySettings(Settings):
    """The few training samples of every task that are kept, for L2R's routers and for replay."""

    memory: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Share of each task's training samples, 0.001 to 0.5 and at least one sample a class; 0 keeps none **(ours)**."""
    memory_selection: Literal["random", "balanced", "herding", "k-centre", "uncertainty"] = "random"
    """Which samples are kept; L2R: random."""


class RouterNetworkSettings(Settings):
    """L2R's network of routers and its training on the memory (arXiv 2408.09053)."""

    gate: Gate = "gumbel-sigmoid"
    """What makes weights of a router's logits; softmax is the paper's ablation."""
    gate_temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """tau of the gumbel-sigmoid while training; L2R: 1."""
    shared_router: bool = False
    """One router for all blocks, instead of one for each."""
    router_pooling: Literal["cls", "mean"] = "mean"
    """How the hidden state entering a block becomes a router's input: the first token's, or the masked mean."""
    router_epochs: Annotated[int, within(EPOCHS)] = 30
    """Passes over the memory, at most."""
    router_learning_rate: Annotated[float, Field(gt=0)] = 3e-2
    """Peak learning rate of Adam."""
    router_batch_size: Annotated[int, within(BATCH_ROWS)] = 16
    """Samples of the memory per step."""
    router_patience: Annotated[int, within(COUNT)] | None = 10
    """Epochs without a better score on the samples held back before training stops; null never stops early."""
    hold_back: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of the memory that trains no router and chooses the best epoch, of each task the same **(ours)**."""
    tune_heads: bool = False
    """Whether the tasks' heads move with the routers; the paper does not say."""
    router_stages: Literal["auto", "all", "last"] = "auto"
    """After which tasks routers are trained and scored: all, or the last alone; auto is as the recipe says."""
