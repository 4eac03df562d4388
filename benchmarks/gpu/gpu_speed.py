"""Samples per second on a device, and those of a text backbone: training, one adapter, routed inference."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch
from gpu_random import make_bank, new_weights, random_rows
from gpu_report import Report
from torch import Tensor

from cl_core.adapters.adapter import transforms
from cl_core.adapters.compose import compose
from cl_core.adapters.settings import AdapterSettings
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.pooling import pool
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device, choose_device
from cl_core.errors import UserError
from cl_core.route.centroid import CentroidRouter
from cl_core.route.settings import RouterSettings
from cl_core.train.classification import fit
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.loop import TrainingCallbacks
from cl_core.train.settings import TrainSettings

TOKENS, K, TOP_K = 64, 20, 2
# Passes before the clock starts: the first ones choose kernels and take memory.
WARM_UP = 2


def measure_speed(report: Report, backbone: TextBackbone, device: Device, quick: bool) -> None:
    """Training and routed inference, per precision and batch size."""
    steps, batches = (2, (8,)) if quick else (30, (32, 256))
    for precision in ("float32", "bfloat16"):
        try:
            at_precision = choose_device(str(device.torch_device), precision)
        except UserError:
            continue
        for batch in batches:
            for work, measure in (
                ("training, one adapter", training_speed),
                ("inference, one plain adapter", plain_speed),
                (f"inference, routed, merge, K={K}, k={TOP_K}", routed_speed),
            ):
                report.speed(
                    work,
                    at_precision,
                    batch,
                    partial(measure, backbone, at_precision, batch, steps),
                )
    kind = "held by torch on the GPU" if device.torch_device.type == "cuda" else "of the process"
    report.notes.append(f"peak memory is that {kind}; texts have {TOKENS} tokens")


def training_speed(backbone: TextBackbone, device: Device, batch: int, steps: int) -> float:
    """Training on random texts."""
    rows = random_rows((steps + WARM_UP) * batch, TOKENS)
    return fitting_speed(backbone, device, rows, batch, steps)


def plain_speed(backbone: TextBackbone, device: Device, batch: int, steps: int) -> float:
    """Forward passes through one adapter."""
    adapter = make_bank(backbone, 1).adapter(0).to(device.torch_device)
    return inference_speed(backbone, device, batch, steps, lambda: transforms(adapter))


def routed_speed(backbone: TextBackbone, device: Device, batch: int, steps: int) -> float:
    """Router and merge from cached features, then the same forward passes."""
    generator = torch.Generator().manual_seed(0)
    bank = make_bank(backbone, K).to(device.torch_device)
    router = CentroidRouter(RouterSettings(k=TOP_K))
    for centroid in torch.randn(K, 1, backbone.hidden_size, generator=generator):
        router.add_task(centroid)
    features = torch.randn(batch, backbone.hidden_size, generator=generator)
    features = features.to(device.torch_device)
    return inference_speed(
        backbone, device, batch, steps, lambda: compose(bank, router.route(features).weights)
    )


def inference_speed(
    backbone: TextBackbone,
    device: Device,
    batch_size: int,
    steps: int,
    through: Callable[[], dict[str, Callable[[Tensor], Tensor]]],
) -> float:
    """Forward passes and pooling of random texts; `through` makes the transforms of each pass anew."""
    encoding = random_rows(batch_size, TOKENS).encoding
    batch = backbone.collate(encoding, range(batch_size), device.torch_device)

    def infer() -> None:
        with device.autocast():
            output = backbone(batch, through())
        pool(output.last_hidden_state, batch.attention_mask, "mean")

    return passing_speed(infer, device, batch_size, steps)


def fitting_speed(backbone: Backbone, device: Device, train: Rows, batch: int, steps: int) -> float:
    """Samples per second of `fit`, dropout and clipping on, over rows of two classes.

    Args:
        backbone: already on the device.
        device: with its precision.
        train: (steps + WARM_UP) batches of rows.
        batch: rows of a batch.
        steps: that are timed.
    """
    marks: dict[int, float] = {}

    def after_step(step: int, steps_in_all: int) -> None:
        if step in (WARM_UP, steps_in_all):  # elsewhere the GPU is not waited for
            device.synchronise()
            marks[step] = time.perf_counter()

    settings = TrainSettings(epochs=1, batch_size=batch)
    one = train.subset([0])  # judged after the last step that is timed
    context = TrainingContext(
        backbone, train, one, settings, device, 0, callbacks=TrainingCallbacks(step=after_step)
    )
    fit(context, new_weights(backbone, 2), AdapterSettings().dropout)
    return steps * batch / (marks[steps + WARM_UP] - marks[WARM_UP])


@torch.no_grad()
def passing_speed(forward: Callable[[], object], device: Device, batch: int, steps: int) -> float:
    """Samples per second over `steps` forward passes of one batch each."""
    began = 0.0
    for step in range(steps + WARM_UP):
        if step == WARM_UP:
            device.synchronise()
            began = time.perf_counter()
        forward()
    device.synchronise()
    return steps * batch / (time.perf_counter() - began)
