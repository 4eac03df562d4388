"""The training loop of one task: Adam, warm-up and decay, clipping, early stopping, the best checkpoint.

Only the adapter and its head move. A run that was killed goes on from its last checkpoint and, on
the CPU, ends with the same bytes as one that was not: the order of rows, the dropout masks and the
learning rate are functions of the position alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import transforms
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.batching import length_batches
from cl_core.backbones.features import pool
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.errors import AdapterLabError, UserError
from cl_core.train.checkpoint import Checkpoints, EpochRecord, Progress, pack, unpack
from cl_core.train.data import Rows, balanced_class_weights
from cl_core.train.schedule import learning_rate
from cl_core.train.seeds import derive_seed
from cl_core.train.settings import TrainSettings

WINDOW = (
    16  # batches whose rows are sorted by length together: little padding, still a random order
)


class Stopped(AdapterLabError):
    """Somebody asked the run to stop; the checkpoint is kept."""


@dataclass(frozen=True)
class Watch:
    """What the loop tells and asks the outside.

    Attributes:
        step: called after each step with (steps taken, steps in all).
        epoch: called after each epoch.
        stop: asked before each step whether to stop.
    """

    step: Callable[[int, int], None] = lambda step, steps: None
    epoch: Callable[[EpochRecord], None] = lambda record: None
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Fitted:
    """What training one task came to: its best weights and its learning curve."""

    weights: TaskWeights
    history: tuple[EpochRecord, ...]


def fit(
    backbone: TextBackbone,
    start: TaskWeights,
    train: Rows,
    validation: Rows,
    settings: TrainSettings,
    dropout: float,
    device: Device,
    seed: int,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> Fitted:
    """Trains one task's adapter and head; the backbone stays as it is.

    The best epoch is the one with the highest validation accuracy, then the lowest validation loss.

    Args:
        backbone: frozen.
        start: where the adapter and the head begin; not changed.
        train: rows to learn from.
        validation: rows that choose the best epoch; at least one.
        settings: optimiser, schedule, stopping.
        dropout: probability of dropping a bottleneck's hidden unit while training.
        device: where, and in which precision.
        seed: of the order of rows and of dropout.
        checkpoints: where mid-task checkpoints go; None keeps none.
        watch: progress out, stop requests in.

    Raises:
        Stopped: `watch.stop` said so.
        UserError: the loss is no longer finite.
        ValueError: there are no training or no validation rows.
    """
    if len(train) == 0 or len(validation) == 0:
        raise ValueError(
            f"{len(train)} training and {len(validation)} validation rows; both are needed"
        )
    watch = watch or Watch()
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
    progress = Progress()
    found = checkpoints.load() if checkpoints else None
    if found:
        unpack(found[0], weights, best, optimiser)
        progress = Progress.from_json(found[1])

    class_weights = None
    if settings.class_weights == "balanced":
        classes = start.head.bias.shape[0]
        class_weights = balanced_class_weights(train.labels, classes).to(device.torch_device)
    steps_per_epoch = math.ceil(len(train) / settings.batch_size)
    steps = settings.epochs * steps_per_epoch
    labels = train.labels.to(device.torch_device)
    loss_sum = torch.tensor(progress.loss_sum, dtype=torch.float64, device=device.torch_device)

    def save() -> None:
        if checkpoints:
            progress.loss_sum = float(loss_sum)
            checkpoints.save(pack(weights, best, optimiser), progress.to_json())

    random_devices = [device.torch_device] if device.torch_device.type == "cuda" else []
    with torch.random.fork_rng(devices=random_devices):
        while progress.epoch < settings.epochs:
            batches = epoch_order(train, settings.batch_size, seed, progress.epoch)
            for rows in batches[progress.batch :]:
                if watch.stop():
                    save()
                    raise Stopped("stopped as asked; the checkpoint is kept")
                rate = learning_rate(progress.step, steps, settings.learning_rate, settings.warmup)
                optimiser.param_groups[0]["lr"] = rate
                torch.manual_seed(derive_seed(seed, "dropout", progress.step))
                batch = backbone.collate(train.encoding, rows, device.torch_device)
                with device.autocast():
                    output = backbone(batch, transforms(weights.adapter, dropout))
                    pooled = pool(
                        output.last_hidden_state, batch.attention_mask, settings.head_pooling
                    )
                loss = F.cross_entropy(
                    weights.head.logits(pooled), labels[rows], weight=class_weights
                )
                optimiser.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                if settings.clip is not None:
                    torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
                optimiser.step()
                # Kept on the device: reading it every step would make a GPU wait.
                loss_sum += loss.detach().double() * len(rows)
                progress.rows += len(rows)
                progress.batch += 1
                progress.step += 1
                watch.step(progress.step, steps)
                if progress.step % settings.checkpoint_every == 0 and progress.batch < len(batches):
                    save()
            record = _finish_epoch(
                progress, float(loss_sum), backbone, weights, validation, settings, device
            )
            score = (record.validation_accuracy, -record.validation_loss)
            if progress.best is None or score > progress.best:
                progress.best, progress.stale = score, 0
                best.load(weights.tensors())
            else:
                progress.stale += 1
            loss_sum.zero_()
            watch.epoch(record)
            patience_over = settings.patience is not None and progress.stale >= settings.patience
            if patience_over:
                break
            save()
    return Fitted(best.to(torch.device("cpu")).clone(), tuple(progress.history))


def epoch_order(train: Rows, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch, each a list of rows: a function of (seed, epoch)."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return length_batches(train.encoding.lengths, batch_size, WINDOW, generator)


@torch.no_grad()
def evaluate_one(
    backbone: TextBackbone,
    weights: TaskWeights,
    rows: Rows,
    settings: TrainSettings,
    device: Device,
) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy of one adapter on at least one row."""
    loss = torch.zeros((), dtype=torch.float64, device=device.torch_device)
    right = torch.zeros((), dtype=torch.int64, device=device.torch_device)
    labels = rows.labels.to(device.torch_device)
    for indices in length_batches(rows.encoding.lengths, 2 * settings.batch_size):
        batch = backbone.collate(rows.encoding, indices, device.torch_device)
        with device.autocast():
            output = backbone(batch, transforms(weights.adapter, 0.0))
            pooled = pool(output.last_hidden_state, batch.attention_mask, settings.head_pooling)
        logits: Tensor = weights.head.logits(pooled)
        loss += F.cross_entropy(logits, labels[indices], reduction="sum").double()
        right += (logits.argmax(dim=1) == labels[indices]).sum()
    return float(loss) / len(rows), int(right) / len(rows)


def _finish_epoch(
    progress: Progress,
    loss_sum: float,
    backbone: TextBackbone,
    weights: TaskWeights,
    validation: Rows,
    settings: TrainSettings,
    device: Device,
) -> EpochRecord:
    train_loss = loss_sum / progress.rows
    if not math.isfinite(train_loss):
        raise UserError(
            f"the training loss is {train_loss} in epoch {progress.epoch + 1}: lower the learning rate "
            f"(now {settings.learning_rate:g}), for example --set learning_rate={settings.learning_rate / 10:g}"
        )
    validation_loss, accuracy = evaluate_one(backbone, weights, validation, settings, device)
    record = EpochRecord(progress.epoch + 1, train_loss, validation_loss, accuracy)
    progress.history.append(record)
    progress.epoch += 1
    progress.batch = 0
    progress.rows = 0
    return record
