"""What an adapter looks like, and how several are fused or merged into one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cl_core.errors import UserError
from cl_core.limits import BLOCKS, EPOCHS, SEED, WIDTH
from cl_core.settings import Settings, within

Activation = Literal["relu", "gelu", "silu", "tanh"]
Places = Literal["houlsby", "pfeiffer"]
Initialisation = Literal["dam", "i2i", "backbone"]
HeadRule = Literal["direct", "compose", "top1"]
"""How the heads of several tasks answer together in CIL; see docs/methods.md."""


class AdapterSettings(Settings):
    """One task's adapter. Defaults are DAM's (arXiv 2403.08755): r = d/8, ReLU, two sites."""

    reduction: Annotated[int, within(WIDTH)] = 8
    """Hidden size over bottleneck width: r = d // reduction. DAM 8; I2I and L2R 16."""
    bottleneck: Annotated[int, within(WIDTH)] | None = None
    """Bottleneck width r itself; overrides `reduction`."""
    activation: Activation = "relu"
    """phi; the papers use relu."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Probability of dropping a unit of phi(.) while training."""
    sites: Places = "houlsby"
    """houlsby: after attention and after the FFN (DAM); pfeiffer: after the FFN only (I2I)."""
    blocks: Annotated[int, within(BLOCKS)] | None = None
    """Adapters only in the upper n blocks; None adapts all."""
    init: Initialisation = "dam"
    """dam: everything N(0, 1e-3^2) clamped to +-2e-3; i2i: weights N(0, 0.02^2), zero biases; backbone: the
    adapters that the backbone was trained with, where it has any of this shape."""

    def width(self, hidden_size: int) -> int:
        """The bottleneck width r for a backbone of hidden size d.

        Raises:
            UserError: `reduction` leaves no unit.
        """
        if self.bottleneck is not None:
            return self.bottleneck
        if self.reduction > hidden_size:
            raise UserError(
                f"adapter reduction {self.reduction} leaves no unit of hidden size {hidden_size}; "
                f"choose a reduction between 1 and {hidden_size}, or give the bottleneck's width"
            )
        return hidden_size // self.reduction


class FusionSettings(Settings):
    """AdapterFusion (Pfeiffer et al. 2021), and I2I's phase 1 (arXiv 2304.02168)."""

    fusion_regulariser: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    """What the distance of W_v from the identity is multiplied with. Published: 0.01."""
    fusion_epochs: Annotated[int, within(EPOCHS)] | None = None
    """Passes over the training samples for a fusion; null as for adapters."""
    fusion_learning_rate: Annotated[float, Field(gt=0)] | None = None
    """Peak learning rate of a fusion; null as for adapters."""


class MergeSettings(Settings):
    """How adapters are merged into one. Each method reads its own settings only."""

    merge_scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.4
    """task-arithmetic: lambda, what the sum of all adapters is multiplied by. 0.4 is what Ilharco et al. recommend."""
    ties_keep: Annotated[float, Field(gt=0, le=1)] = 0.2
    """ties: the share of each adapter's entries, the largest by magnitude, that is kept. Published: 0.2."""
    ties_scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """ties: lambda, what the merged entries are multiplied by. Published without tuning: 1."""
    dare_drop: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """dare: the probability of dropping an entry. Published for large models: 0.9; 0.5 suits small adapters (ours)."""
    merge_seed: Annotated[int, within(SEED, least=0)] = 0
    """dare: decides, together with an adapter's position in the bank, which of its entries are dropped."""


class AnswerSettings(Settings):
    """What a task's labels are scored by."""

    answers: Literal["heads", "embeddings"] = "heads"
    """heads: a linear head per task, trained with its adapter; embeddings: frozen embeddings of what the labels are
    called, so that adapters alone are trained (DAM)."""

    vocabulary: Literal["known", "seen"] = "known"
    """dil: whether all answers of the stream are known up front (DAM), or those of the tasks seen so far alone."""
