"""The training loop: Adam, warm-up and decay, clipping, early stopping, the best checkpoint.

What is minimised is an `Objective`; one for an adapter with its head is in `classification.py`, others
are beside it. A run that was killed goes on from its last checkpoint and, on the CPU, ends with the same
bytes as one that was not: the order of rows, the dropout masks and the learning rate are functions of
the position alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import torch
from torch import Tensor

from cl_core.backbones.batching import length_batches
from cl_core.device import Device
from cl_core.errors import RunStopped
from cl_core.train.checkpoint import Checkpoints, EpochRecord, TrainingState, pack, unpack
from cl_core.train.divergence import UNNAMED, DivergenceReport, all_finite
from cl_core.train.schedule import learning_rate
from cl_core.train.seeds import derive_seed
from cl_core.train.settings import TrainSettings
from cl_core.train.weights import Weights

W = TypeVar("W", bound=Weights)

WINDOW = (
    16  # batches whose rows are sorted by length together: little padding, still a random order
)


@dataclass(frozen=True)
class TrainingCallbacks:
    """What the loop tells and asks the outside.

    Attributes:
        step: called after each step with (steps taken, steps in all).
        epoch: called after each epoch.
        stop: asked before each step whether to stop.
    """

    step: Callable[[int, int], None] = lambda step, steps: None
    epoch: Callable[[EpochRecord], None] = lambda record: None
    stop: Callable[[], bool] = lambda: False


class Objective(Protocol):
    """What is minimised over N training samples, and how an epoch is judged."""

    @property
    def lengths(self) -> Sequence[int]:
        """N numbers of tokens: rows of similar length share a batch."""
        ...

    def loss(self, rows: Sequence[int]) -> Tensor:
        """The mean loss of a batch, with its graph. What it draws at random, it draws from torch's global generator."""
        ...

    def validate(self) -> tuple[float, float]:
        """Mean loss and accuracy of the weights as they are now, on rows kept apart."""
        ...


@dataclass(frozen=True)
class TrainingResult(Generic[W]):
    """What training came to: the best weights, on the CPU, and the learning curve."""

    weights: W
    history: tuple[EpochRecord, ...]


def optimise(
    start: W,
    make_objective: Callable[[W], Objective],
    settings: TrainSettings,
    device: Device,
    seed: int,
    checkpoints: Checkpoints | None = None,
    callbacks: TrainingCallbacks | None = None,
    best_by: Literal["accuracy", "loss"] = "accuracy",
    divergence: DivergenceReport = UNNAMED,
) -> TrainingResult[W]:
    """Minimises an objective; only `start`'s parameters move, and in a copy.

    The best epoch is the one with the highest validation accuracy, then the lowest validation loss, or the one with
    the lowest validation loss alone.

    Args:
        start: where the weights begin; not changed.
        make_objective: makes the objective from the copy that moves.
        settings: optimiser, schedule, stopping.
        device: where, and in which precision.
        seed: of the order of rows and of whatever the objective draws.
        checkpoints: where mid-task checkpoints go; None keeps none.
        callbacks: progress out, stop requests in.
        best_by: what chooses the best epoch.
        divergence: what an error calls this training and its settings.

    Raises:
        RunStopped: `callbacks.stop` said so.
        UserError: a loss or a weight is no longer finite.
    """
    callbacks = callbacks or TrainingCallbacks()
    weights = start.clone().to(device.torch_device)
    best = weights.clone()
    parameters = [parameter.requires_grad_(True) for parameter in weights.parameters()]
    optimiser = torch.optim.AdamW(
        parameters,
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        weight_decay=settings.weight_decay,
        fused=True,
    )
    progress = TrainingState()
    saved = checkpoints.load() if checkpoints else None
    if saved:
        unpack(saved[0], weights, best, optimiser)
        progress = TrainingState.from_json(saved[1])
    objective = make_objective(weights)

    steps_per_epoch = math.ceil(len(objective.lengths) / settings.batch_size)
    steps = settings.epochs * steps_per_epoch
    loss_sum = torch.tensor(progress.loss_sum, dtype=torch.float64, device=device.torch_device)
    norms = torch.zeros_like(loss_sum)  # a norm that overflows makes all gradients 0: seen here

    def check(what: str, value: float | None, finite: bool) -> None:
        if finite:
            return
        epoch = progress.epoch + 1
        weights.load(start.tensors())
        with torch.no_grad():
            at_start, _ = objective.validate()
        if not math.isfinite(at_start):
            raise divergence.never_finite(at_start)
        raise divergence.diverged(what, value, epoch, settings)

    def check_sum() -> None:
        mean = float(loss_sum) / max(progress.rows, 1)
        check("training loss", mean, math.isfinite(mean))
        moments = [tensor for state in optimiser.state.values() for tensor in state.values()]
        check("gradients", None, all_finite([norms, *moments]))
        check("weights", None, all_finite(weights.tensors().values()))

    def save() -> None:
        if checkpoints:
            check_sum()
            progress.loss_sum = float(loss_sum)
            checkpoints.save(pack(weights, best, optimiser), progress.to_json())

    random_devices = [device.torch_device] if device.torch_device.type == "cuda" else []
    with torch.random.fork_rng(devices=random_devices):
        while progress.epoch < settings.epochs:
            batches = epoch_order(objective.lengths, settings.batch_size, seed, progress.epoch)
            for rows in batches[progress.batch :]:
                if callbacks.stop():
                    save()
                    raise RunStopped("stopped as asked; the checkpoint is kept")
                rate = learning_rate(progress.step, steps, settings.learning_rate, settings.warmup)
                optimiser.param_groups[0]["lr"] = rate
                torch.manual_seed(derive_seed(seed, "dropout", progress.step))
                loss = objective.loss(rows)
                optimiser.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                if settings.clip is not None:
                    norms += torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
                optimiser.step()
                # Kept on the device: reading it every step would make a GPU wait.
                loss_sum += loss.detach().double() * len(rows)
                progress.rows += len(rows)
                progress.batch += 1
                progress.step += 1
                callbacks.step(progress.step, steps)
                if progress.step % settings.checkpoint_every == 0 and progress.batch < len(batches):
                    save()
            check_sum()
            with torch.no_grad():
                validation_loss, share = objective.validate()
            check("validation loss", validation_loss, math.isfinite(validation_loss))
            record = _finish_epoch(progress, float(loss_sum), validation_loss, share)
            accuracy = record.validation_accuracy if best_by == "accuracy" else 0.0
            score = (accuracy, -record.validation_loss)
            if progress.best is None or score > progress.best:
                progress.best, progress.stale = score, 0
                best.load(weights.tensors())
            else:
                progress.stale += 1
            loss_sum.zero_()
            callbacks.epoch(record)
            patience_over = settings.patience is not None and progress.stale >= settings.patience
            if patience_over:
                break
            save()
    return TrainingResult(best.to(torch.device("cpu")).clone(), tuple(progress.history))


def epoch_order(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch, each a list of rows: a function of (seed, epoch)."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return length_batches(lengths, batch_size, WINDOW, generator)


def _finish_epoch(
    progress: TrainingState, loss_sum: float, validation_loss: float, accuracy: float
) -> EpochRecord:
    train_loss = loss_sum / progress.rows
    record = EpochRecord(progress.epoch + 1, train_loss, validation_loss, accuracy)
    progress.history.append(record)
    progress.epoch += 1
    progress.batch = 0
    progress.rows = 0
    return record
