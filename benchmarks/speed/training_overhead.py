"""Training's samples per second, as a ratio to the bare backbone's forward and backward pass.

    python benchmarks/speed/training_overhead.py

Measured: the steps that `cl_core.train.classification.fit` takes, the function that every run trains with:
collating, forward pass with the adapter and its dropout, pooling, head, loss, backward pass, clipping,
fused AdamW. Against it, on the very same batches: MiniLM alone, forward and backward. Its weights are
frozen there too, and the gradient goes through all activations down to the word embeddings, which is the
stricter baseline (with gradients for the weights it would be slower). The target is 0.85 x or more.

Bare steps take turns with `fit`'s: after each step, `fit` calls its watcher, and there the bare step is
done and timed on the same rows. Printed are the median and quartiles of the ratio within each turn, the
ratio of the shortest times, and where a step's time goes beyond the bare passes. Where other programs
want the same cores, `--clock cpu --threads 1` counts the processor time of this process alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles

import torch

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.heads import Head
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.encoding import Batch, Encoding
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device, choose_device
from cl_core.train.classification import fit
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.loop import TrainingCallbacks, epoch_order
from cl_core.train.settings import TrainSettings

TARGET = 0.85
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
CLASSES, SEED, WARM_UP = 4, 0, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="turns that are counted")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--tokens", type=int, default=64)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    device = choose_device(chosen.device, chosen.precision)
    backbone = load_backbone(BackboneSettings(max_length=chosen.tokens), device.torch_device)
    assert isinstance(backbone, TextBackbone)
    print(f"torch {torch.__version__}, {device.reason}; {chosen.clock} clock")
    for batch_size in chosen.batch_sizes:
        clock = CLOCKS[chosen.clock]
        turns = measure(backbone, device, batch_size, chosen.tokens, chosen.rounds, clock)
        show(turns, batch_size, chosen.tokens)


@dataclass
class Turns:
    """Seconds of each step of `fit`, of the bare step that followed, and of the adapter's passes alone."""

    fit: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    passes: list[float] = field(default_factory=list)


def measure(
    backbone: TextBackbone,
    device: Device,
    batch_size: int,
    tokens: int,
    rounds: int,
    clock: Callable[[], float],
) -> Turns:
    """One epoch of `fit` over random rows of equal length, a bare step after each of its steps."""
    train = random_rows((rounds + WARM_UP) * batch_size, tokens)
    # Judged once, after the last step.
    one = train.subset([0])
    settings = TrainSettings(epochs=1, batch_size=batch_size)
    start = new_weights(backbone)
    adapter = start.clone().to(device.torch_device)
    for parameter in adapter.parameters():
        parameter.requires_grad_(True)
    order = epoch_order(train.encoding.lengths, batch_size, SEED, 0)
    turns = Turns()
    began = clock()

    def after_step(step: int, steps: int) -> None:
        nonlocal began
        device.synchronise()
        fitted = clock() - began
        batch = backbone.collate(train.encoding, order[step - 1], device.torch_device)
        bare = seconds(lambda: bare_step(backbone, batch, device), device, clock)
        passes = seconds(lambda: adapter_passes(backbone, batch, adapter, device), device, clock)
        if step > WARM_UP:
            turns.fit.append(fitted)
            turns.bare.append(bare)
            turns.passes.append(passes)
        began = clock()

    context = TrainingContext(
        backbone, train, one, settings, device, SEED, callbacks=TrainingCallbacks(step=after_step)
    )
    fit(context, start, AdapterSettings().dropout)
    return turns


def bare_step(backbone: TextBackbone, batch: Batch, device: Device) -> None:
    """Forward and backward pass of the frozen model alone, with gradients down to its embeddings."""
    with device.autocast():
        words = backbone.model.get_submodule("embeddings.word_embeddings")  # MiniLM's
        embedded = words(batch.input_ids).requires_grad_(True)
        output = backbone.model(inputs_embeds=embedded, attention_mask=batch.attention_mask)
    torch.autograd.backward(output.last_hidden_state.sum())


def adapter_passes(
    backbone: TextBackbone, batch: Batch, weights: TaskWeights, device: Device
) -> None:
    """The same with the adapter, and neither head nor optimiser: what the bottlenecks cost."""
    for parameter in weights.parameters():
        parameter.grad = None
    with device.autocast():
        output = backbone(batch, transforms(weights.adapter, AdapterSettings().dropout))
    torch.autograd.backward(output.last_hidden_state.sum())


def show(turns: Turns, batch_size: int, tokens: int) -> None:
    ratios = [bare / fitted for bare, fitted in zip(turns.bare, turns.fit, strict=True)]
    low, middle, high = quantiles(ratios, n=4)
    best = min(turns.bare) / min(turns.fit)
    verdict = "meets" if middle >= TARGET else "misses"
    print(f"B={batch_size}, T={tokens}, {len(ratios)} turns")
    print(f"  bare backbone {batch_size / min(turns.bare):7.1f} samples/s at best")
    print(f"  training      {batch_size / min(turns.fit):7.1f} samples/s at best")
    print(
        f"  training is {middle:.3f} x the bare passes (quartiles {low:.3f} to {high:.3f}, best of each "
        f"{best:.3f}): {verdict} the target of at least {TARGET}"
    )
    base = median(turns.bare)
    bottlenecks = median(turns.passes) / base - 1
    rest = (median(turns.fit) - median(turns.passes)) / base
    print(
        f"  beyond the bare passes: bottlenecks {bottlenecks:+.1%}; batches, head, clipping, Adam {rest:+.1%}"
    )


def new_weights(backbone: TextBackbone) -> TaskWeights:
    generator = torch.Generator().manual_seed(SEED)
    adapter = Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator)
    return TaskWeights(adapter, Head.initialise(CLASSES, backbone.hidden_size, generator))


def random_rows(rows: int, tokens: int) -> Rows:
    """Random token ids, every row of the same length, with random labels."""
    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(1000, 30000, (rows, tokens), generator=generator)
    ids[:, 0], ids[:, -1] = 101, 102  # [CLS] and [SEP]
    labels = torch.randint(CLASSES, (rows,), generator=generator)
    return Rows(Encoding.from_lists(ids.tolist(), None, pad_id=0), labels)


def seconds(call: Callable[[], None], device: Device, clock: Callable[[], float]) -> float:
    began = clock()
    call()
    device.synchronise()
    return clock() - began


if __name__ == "__main__":
    main()
