"""Whatever leaves the finite numbers first, training ends with a sentence that names it and says what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from cl_core.adapters.heads import Head
from cl_core.device import Device
from cl_core.errors import UserError
from cl_core.train.divergence import DivergenceReport
from cl_core.train.i2i_objectives import HeadAndProjection
from cl_core.train.loop import TrainingResult, optimise
from cl_core.train.settings import TrainSettings

SETTINGS = TrainSettings(epochs=2, batch_size=4, patience=None)


@dataclass
class Line:
    """A line through the origin, with one number of training or of validation gone wrong.

    Attributes:
        weights: a head of one class over four dimensions.
        train: what the training loss is multiplied with, and the validation loss as long as nothing has moved.
        validation: what the validation loss is.
        steep: what is added to the gradient alone.
    """

    weights: HeadAndProjection
    train: float = 1.0
    validation: float | None = None
    steep: float = 0.0
    lengths: Sequence[int] = (1,) * 8

    def loss(self, rows: Sequence[int]) -> Tensor:
        weight = self.weights.head.weight
        nothing = (self.steep * (weight - weight.detach())).sum()
        return self.train * (weight.sum() - 3).square() + nothing

    def validate(self) -> tuple[float, float]:
        moved = bool((self.weights.head.weight != 1).any())
        if moved and self.validation is not None:
            return self.validation, 0.5
        return self.train, 0.5


def fit(
    settings: TrainSettings = SETTINGS, checkpoints: Any = None, **line: Any
) -> TrainingResult[HeadAndProjection]:
    start = HeadAndProjection(Head(torch.ones(1, 4), torch.zeros(1)))
    device = Device(torch.device("cpu"), bfloat16=False, reason="a test")

    def objective(weights: HeadAndProjection) -> Line:
        return Line(weights, **line)

    divergence = DivergenceReport("tickets", strengths=(("ewc_lambda", 1e6),))
    return optimise(start, objective, settings, device, 0, checkpoints, divergence=divergence)


def test_a_line_alone_is_learnt() -> None:
    assert len(fit().history) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_validation_loss_that_is_no_number_ends_it(value: float) -> None:
    with pytest.raises(
        UserError, match=f"'tickets' diverged: the validation loss is {value} in epoch 1"
    ):
        fit(validation=value)


def test_a_sum_that_is_no_number_never_reaches_a_checkpoint() -> None:
    class Kept:
        def load(self) -> None:
            return None

        def save(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
            assert math.isfinite(data["loss_sum"])
            assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())

    often = SETTINGS.model_copy(update={"checkpoint_every": 1, "learning_rate": 1e30})
    with pytest.raises(UserError, match="diverged: the training loss is inf in epoch 1"):
        fit(often, Kept())


@pytest.mark.parametrize("clip", [1.0, None])
def test_gradients_that_overflow_end_it_although_every_loss_is_finite(clip: float | None) -> None:
    settings = SETTINGS.model_copy(update={"clip": clip})
    with pytest.raises(UserError, match="diverged: the gradients are no longer finite in epoch 1"):
        fit(settings, steep=3e38)


def test_weights_that_overflow_in_the_last_step_end_it() -> None:
    once = SETTINGS.model_copy(update={"epochs": 1, "batch_size": 8, "learning_rate": 1e300})
    with pytest.raises(UserError, match="diverged: the weights are no longer finite in epoch 1"):
        fit(once)


def test_the_remedy_names_every_setting_that_could_be_at_fault() -> None:
    settings = SETTINGS.model_copy(update={"clip": None, "learning_rate": 5e-3})
    with pytest.raises(UserError) as said:
        fit(settings, validation=float("nan"))
    for remedy in ("--set learning_rate=0.0005", "--set ewc_lambda=100000", "--set clip=1"):
        assert remedy in str(said.value)


def test_a_loss_that_never_was_a_number_is_not_blamed_on_the_learning_rate() -> None:
    with pytest.raises(UserError, match=r"cannot begin: .* frozen backbone") as said:
        fit(train=float("nan"))
    assert "learning_rate" not in str(said.value)
