"""What a step of L2R's router training costs, as a ratio to a plain forward and backward pass.

    python benchmarks/speed/router_training.py --threads 1

Measured: `RouterObjective.loss` and its backward pass, as `fit_routers` takes it: collating, forward pass with a
router per block and K composed adapters, heads, loss, backward pass to the routers. Against it, on the very same rows:
the bare backbone with one adapter, forward and backward to that adapter. The target is a ratio of at most 2.

The two take turns, each round in the other order, so that what else the machine does falls on both. Printed are the
median and the quartiles of the ratio within each round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import quantiles

import torch

from cl_core.adapters.adapter import Adapter, select_sites, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.adapters.settings import AdapterSettings
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.encoding import Encoding
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device, choose_device
from cl_core.route.network import RouterNetwork
from cl_core.route.settings import RouterNetworkSettings
from cl_core.train.context import TrainingContext
from cl_core.train.data import MixedRows
from cl_core.train.routers import RouterObjective, RoutersAndHeads
from cl_core.train.settings import TrainSettings

TARGET, CLASSES, WARM_UP = 2.0, 4, 2
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--adapters", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--pooling", choices=["cls", "mean"], nargs="+", default=["cls", "mean"])
    parser.add_argument("--only", choices=["houlsby", "pfeiffer"])
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    device = choose_device(chosen.device, chosen.precision)
    backbone = load_backbone(BackboneSettings(), device.torch_device)
    assert isinstance(backbone, TextBackbone)
    print(f"torch {torch.__version__}, {device.reason}; {chosen.clock} clock")
    print(f"K={chosen.adapters}, B={chosen.batch_size}, T={chosen.tokens}, {chosen.rounds} rounds")
    layouts = {
        "houlsby": AdapterSettings(),
        "pfeiffer": AdapterSettings(sites="pfeiffer", reduction=16),
    }
    for name, settings in layouts.items():
        if chosen.only not in (None, name):
            continue
        for how in ("average", "merge"):
            for pooling in chosen.pooling:
                ratios, best = measure(backbone, device, settings, how, pooling, chosen)
                low, middle, high = quantiles(ratios, n=4)
                verdict = "meets" if middle <= TARGET else "misses"
                print(
                    f"  {name:9s} r={settings.width(backbone.hidden_size):3d} {how:8s} {pooling:5s}"
                    f"{middle:.3f} x (quartiles {low:.3f} to {high:.3f}); at best {best[0] * 1e3:.0f} ms, "
                    f"plain {best[1] * 1e3:.0f} ms: {verdict} the target of {TARGET:g}"
                )


def measure(
    backbone: TextBackbone,
    device: Device,
    settings: AdapterSettings,
    how: str,
    pooling: str,
    chosen: argparse.Namespace,
) -> tuple[list[float], tuple[float, float]]:
    """The ratio of each round, and the shortest times (routers, plain) in seconds."""
    where = device.torch_device
    generator = torch.Generator().manual_seed(0)
    adapters = [
        Adapter.initialise(settings, backbone.sites, backbone.hidden_size, generator).to(where)
        for _ in range(chosen.adapters)
    ]
    rows = random_rows(chosen)
    order = list(range(chosen.batch_size))
    objective = make_objective(backbone, device, settings, adapters, rows, how, pooling)
    plain = adapters[0].clone()
    moving = [parameter.requires_grad_(True) for parameter in plain.parameters()]

    def route() -> None:
        for parameter in objective.weights.parameters():
            parameter.grad = None
        torch.autograd.backward(objective.loss(order))

    def pass_plainly() -> None:
        for parameter in moving:
            parameter.grad = None
        batch = backbone.collate(rows.encoding, order, where)
        with device.autocast():
            output = backbone(batch, transforms(plain))
        torch.autograd.backward(output.last_hidden_state.float().sum())

    calls = {"route": route, "plain": pass_plainly}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    clock = CLOCKS[chosen.clock]
    for turn in range(chosen.rounds + WARM_UP):
        for name in list(calls) if turn % 2 else list(calls)[::-1]:
            spent = seconds(calls[name], device, clock)
            if turn >= WARM_UP:
                taken[name].append(spent)
    ratios = [mine / base for mine, base in zip(taken["route"], taken["plain"], strict=True)]
    return ratios, (min(taken["route"]), min(taken["plain"]))


def make_objective(
    backbone: TextBackbone,
    device: Device,
    settings: AdapterSettings,
    adapters: list[Adapter],
    rows: MixedRows,
    how: str,
    pooling: str,
) -> RouterObjective:
    """The routers' objective over random rows, CIL with the heads composed."""
    generator = torch.Generator().manual_seed(1)
    size, count = backbone.hidden_size, len(adapters)
    sites = select_sites(backbone.sites, settings)
    network_settings = RouterNetworkSettings(router_pooling=pooling)
    blocks = sorted({site.block for site in sites})
    network = RouterNetwork.initialise(blocks, count, size, generator, network_settings)
    heads = tuple(Head.initialise(CLASSES, size, generator) for _ in adapters)
    weights = RoutersAndHeads(network, heads).to(device.torch_device)
    for parameter in weights.parameters():
        parameter.requires_grad_(True)
    places = [range(CLASSES * task, CLASSES * (task + 1)) for task in range(count)]
    label_space = LabelSpace("cil", tuple(map(tuple, places)), CLASSES * count, "compose")
    bank = Bank.stack(adapters)
    context = TrainingContext(backbone, rows, rows, TrainSettings(), device, 0)
    return RouterObjective(context, weights, bank, label_space, how)


def random_rows(chosen: argparse.Namespace) -> MixedRows:
    """Random token ids, every row of the same length, of all tasks in turn."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 30000, (chosen.batch_size, chosen.tokens), generator=generator)
    ids[:, 0], ids[:, -1] = 101, 102  # [CLS] and [SEP]
    tasks = torch.arange(chosen.batch_size) % chosen.adapters
    return MixedRows(Encoding.from_lists(ids.tolist(), None, pad_id=0), tasks * CLASSES, tasks)


def seconds(call: Callable[[], None], device: Device, clock: Callable[[], float]) -> float:
    device.synchronise()
    began = clock()
    call()
    device.synchronise()
    return clock() - began


if __name__ == "__main__":
    main()
