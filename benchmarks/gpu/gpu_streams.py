"""A small stream learnt on the CPU and on a device, in float32 and in bf16, and what came of each compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from gpu_random import new_weights
from gpu_report import TOLERANCES, Report, distance, largest
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.heads import merged_logits
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.inference import Inference
from cl_core.device import Device, choose_device
from cl_core.errors import UserError
from cl_core.evaluate.states import states_under
from cl_core.route.centroid import CentroidRouter
from cl_core.route.settings import RouterSettings
from cl_core.train.classification import fit
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.settings import TrainSettings

TOP_K = 2


@dataclass(frozen=True)
class Size:
    """How much there is of a stream.

    Attributes:
        rows: of each split of a task.
        epochs: per task.
        wrong: largest share that may be answered wrongly of any task: equal scores of guesses would say nothing.
    """

    rows: dict[str, int]
    epochs: int
    wrong: float


FULL = Size({"train": 400, "validation": 100, "test": 200}, epochs=3, wrong=0.4)
QUICK = Size({"train": 24, "validation": 8, "test": 32}, epochs=1, wrong=1.0)


@dataclass(frozen=True)
class Stream:
    """Tasks with one label space, each a function (backbone, split) -> rows.

    Attributes:
        tasks: in order.
        classes: how many labels there are.
        epochs: per task.
        name: said before each check.
        wrong: as of `Size`.
    """

    tasks: Sequence[Callable[[Backbone, str], Rows]]
    classes: int
    epochs: int
    name: str = ""
    wrong: float = 1.0


@dataclass
class StreamOutcome:
    """What came of a stream of K tasks.

    Attributes:
        tasks: what each task trained.
        moved: distance of each task's weights from those it started from.
        losses: of each epoch of each task, in nats.
        matrix: (K, K) accuracy on task j after task i.
        weights: (N, K) of the last task's test samples, after the last task.
        states: (N, d) pooled, of the same rows.
    """

    tasks: list[TaskWeights]
    moved: list[float]
    losses: list[float]
    matrix: Tensor
    weights: Tensor
    states: Tensor


def compare_streams(
    report: Report,
    on_cpu: tuple[Backbone, Device],
    on_device: tuple[Backbone, Device],
    stream: Stream,
) -> None:
    """The CPU and the device, both in float32."""
    name = stream.name
    cpu = learn(*on_cpu, stream)
    other = learn(*on_device, stream, cpu.tasks)
    pairs = list(zip(cpu.losses, other.losses, strict=True))
    loss = max(abs(a - b) for a, b in pairs)
    report.check(f"{name}training losses, float32, CPU and device", loss, TOLERANCES["loss"])
    for task, (mine, theirs, moved) in enumerate(
        zip(cpu.tasks, other.tasks, cpu.moved, strict=True)
    ):
        what = f"{name}weights of task {task + 1}, float32, distance over distance trained"
        report.check(what, apart(mine, theirs) / moved, TOLERANCES["weights"])
    routing = largest(cpu.weights - other.weights)
    report.check(f"{name}routing of the stream", routing, TOLERANCES["routing"])
    scores = largest(cpu.matrix - other.matrix)
    report.check(f"{name}score matrix, float32, CPU and device", scores, TOLERANCES["accuracy"])
    worst = 1 - float(cpu.matrix[-1].min())
    report.check(f"{name}wrong of the task answered worst, CPU", worst, stream.wrong)
    after = f"{name}accuracies after the last task"
    report.notes.append(f"{after}, CPU, float32: {row_text(cpu)}")
    report.notes.append(f"{after}, device, float32: {row_text(other)}")


def compare_bfloat16(report: Report, backbone: Backbone, device: Device, stream: Stream) -> None:
    """Learns again in bf16 autocast; the states are compared under float32's weights."""
    try:
        half = choose_device(str(device.torch_device), "bfloat16")
    except UserError as error:
        report.notes.append(f"bf16 was not measured: {error}")
        return
    full = learn(backbone, device, stream)
    last = stream.tasks[-1](backbone, "test")
    states = merged_states(backbone, half, full.tasks, last, full.weights)
    report.check(
        f"{stream.name}pooled states, bf16 and float32",
        distance(states, full.states),
        TOLERANCES["bfloat16 states"],
    )
    learnt = learn(backbone, half, stream)
    report.check(
        f"{stream.name}last row of the score matrix, bf16 and float32",
        largest(learnt.matrix[-1] - full.matrix[-1]),
        TOLERANCES["bfloat16 accuracy"],
    )
    report.notes.append(
        f"{stream.name}accuracies after the last task, device, bf16: {row_text(learnt)}"
    )


def learn(
    backbone: Backbone,
    device: Device,
    stream: Stream,
    starts: Sequence[TaskWeights] | None = None,
) -> StreamOutcome:
    """DAM on a small stream: train, route, merge, score after each task.

    A task starts from the weights of the one before it; from those in `starts`, where they are given.
    """
    tasks = stream.tasks
    # Dropout is off, as a GPU draws other random numbers than the CPU.
    settings, dropout = TrainSettings(epochs=stream.epochs, patience=None), 0.0
    router = CentroidRouter(RouterSettings(k=TOP_K))
    now = new_weights(backbone, stream.classes)
    learnt = StreamOutcome(
        [], [], [], torch.zeros(len(tasks), len(tasks)), torch.empty(0), torch.empty(0)
    )
    for stage, task in enumerate(tasks):
        train, validation = task(backbone, "train"), task(backbone, "validation")
        router.add_task(extract_features(backbone, train.encoding, autocast=device.autocast))
        fitted = fit(
            TrainingContext(backbone, train, validation, settings, device, stage), now, dropout
        )
        learnt.moved.append(apart(fitted.weights, now))
        learnt.losses += [record.train_loss for record in fitted.history]
        learnt.tasks.append(fitted.weights)
        now = fitted.weights if starts is None else starts[stage]
        for seen in range(stage + 1):
            rows = tasks[seen](backbone, "test")
            features = extract_features(backbone, rows.encoding, autocast=device.autocast)
            weights = router.route(features).weights
            states = merged_states(backbone, device, learnt.tasks, rows, weights)
            heads = [task.head for task in learnt.tasks]
            answers = merged_logits(states, heads, weights).argmax(1)
            learnt.matrix[stage, seen] = (answers == rows.labels).float().mean()
        learnt.weights, learnt.states = weights, states
    return learnt


def merged_states(
    backbone: Backbone,
    device: Device,
    tasks: Sequence[TaskWeights],
    rows: Rows,
    weights: Tensor,
) -> Tensor:
    """(N, d) pooled states of each row under its own merge, on the CPU."""
    bank = Bank.stack([task.adapter for task in tasks]).to(device.torch_device)
    there = weights.to(device.torch_device)
    every = range(len(rows))
    return states_under(
        backbone,
        rows.encoding,
        every,
        lambda batch: compose(bank, there[batch], "merge"),
        Inference("mean", 32, device),
    )


def apart(one: TaskWeights, other: TaskWeights) -> float:
    """Euclidean distance of all weights together."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return math.sqrt(sum(float((a - b).double().square().sum()) for a, b in pairs))


def row_text(learnt: StreamOutcome) -> str:
    """Accuracies after the last task."""
    return ", ".join(f"{100 * float(value):.1f} %" for value in learnt.matrix[-1])
