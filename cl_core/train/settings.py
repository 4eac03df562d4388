"""How one task is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cl_core.limits import BATCH_ROWS, COUNT, EPOCHS
from cl_core.settings import Settings, within


class TrainSettings(Settings):
    """Optimiser, schedule and stopping. The defaults work for MiniLM and a few hundred samples on a CPU **(ours)**.

    DAM's published settings are the preset `dam-published` (see `PRESETS`).
    """

    epochs: Annotated[int, within(EPOCHS)] = 10
    """Passes over the training samples, at most."""
    batch_size: Annotated[int, within(BATCH_ROWS)] = 16
    """Rows per step."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate of Adam."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """Adam's first moment decay."""
    beta2: float = Field(0.95, ge=0, lt=1)
    """Adam's second moment decay (DAM: 0.95)."""
    weight_decay: float = Field(0.0, ge=0)
    """Decoupled weight decay (AdamW)."""
    warmup: float = Field(0.1, ge=0, le=1)
    """Share of the steps over which the rate rises linearly; then it falls linearly to 0."""
    clip: float | None = Field(1.0, gt=0)
    """Largest global gradient norm; null for none (DAM: 0.1)."""
    patience: Annotated[int, within(COUNT)] | None = 3
    """Epochs without a better validation score before training stops; null never stops early."""
    class_weights: Literal["none", "balanced"] = "none"
    """"balanced" weighs each class by the inverse of its frequency."""
    head_pooling: Literal["mean", "cls"] = "mean"
    """What the head reads from the last layer."""
    checkpoint_every: Annotated[int, within(COUNT)] = 50
    """Steps between mid-task checkpoints. It decides what a kill costs, never what comes out."""


class BaselineSettings(Settings):
    """The baselines that one adapter for all tasks is trained with, and the Fisher information that merging reads."""

    ewc_lambda: float = Field(1000.0, ge=0, allow_inf_nan=False)
    """ewc: how strongly weights are held where earlier tasks need them."""
    fisher_rows: Annotated[int, within(COUNT)] = 200
    """ewc and the merge `fisher`: at most so many samples of a task estimate its Fisher information."""
    lwf_lambda: float = Field(1.0, ge=0, allow_inf_nan=False)
    """lwf: how much keeping the old answers counts beside learning the new ones."""
    lwf_temperature: float = Field(2.0, gt=0, allow_inf_nan=False)
    """lwf: softens the answers that are kept; published: 2."""


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "dam-published": {
        "epochs": 20,
        "learning_rate": 5e-5,
        "beta1": 0.9,
        "beta2": 0.95,
        "weight_decay": 0.0,
        "warmup": 0.1,
        "clip": 0.1,
        "patience": None,
    },
    "l2r-published": {"sites": "pfeiffer", "reduction": 16, "init": "i2i"},
    "i2i-published": {"sites": "pfeiffer", "reduction": 16, "init": "i2i"},
}
"""Named settings. `dam-published` is the paper's (DAM, implementation details). L2R and I2I publish the adapter's
size (r = d/16, after the FFN only; that L2R's sites and start are I2I's is **(ours)**), which is what theirs set."""
