"""How much routing and merging cost at inference, as a ratio to one plain adapter.

    python benchmarks/speed/routed_inference.py

MiniLM, a bank of K=20 adapters (r=48, all 12 sites), k=2, B=32 samples of 64 tokens, router features
cached. Measured: route from the features (20 centroids), merge per sample, forward pass, pooling;
against the same batch through one plain adapter, pooling included. The target is 1.25 x or less.

Three kinds of batches: `random`, where every sample has two adapters of its own, drawn at random, with
its own weights (the worst case); `clustered`, 32 samples of four tasks, each with weights of its own;
`one route`, where all samples have the same weights (a static merge).

The calls take turns in one process, in an order that is reversed each time, so that a disturbance meets
all alike. A ratio is taken within each turn; printed are their median and quartiles, and the ratio of
the shortest times. Where other programs want the same cores, `--clock cpu --threads 1` counts the
processor time of this process alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import quantiles

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.settings import AdapterSettings
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.encoding import Encoding
from cl_core.backbones.pooling import pool
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.sites import Site
from cl_core.device import choose_device
from cl_core.route.centroid import CentroidRouter
from cl_core.route.settings import RouterSettings

K, TOP_K, SAMPLES, TOKENS, CLUSTERS = 20, 2, 32, 64, 4
TARGET = 1.25
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25, help="turns that are counted")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    device = choose_device(chosen.device, chosen.precision)

    backbone = load_backbone(BackboneSettings(max_length=TOKENS), device.torch_device)
    bank = make_bank(backbone.sites, backbone.hidden_size).to(device.torch_device)
    batch = backbone.collate(random_rows(SAMPLES, TOKENS), range(SAMPLES), device.torch_device)
    router = CentroidRouter(RouterSettings(k=TOP_K))
    centroids = torch.randn(K, backbone.hidden_size)
    for centroid in centroids:
        router.add_task(centroid.unsqueeze(0))

    @torch.no_grad()
    def plain() -> Tensor:
        with device.autocast():
            output = backbone(batch, transforms(bank.adapter(0)))
            return pool(output.last_hidden_state, batch.attention_mask, "mean")

    @torch.no_grad()
    def routed(features: Tensor) -> Tensor:
        weights = router.route(features).weights
        with device.autocast():
            output = backbone(batch, compose(bank, weights, "merge"))
            return pool(output.last_hidden_state, batch.attention_mask, "mean")

    calls: dict[str, Callable[[], object]] = {"plain": plain}
    print(f"torch {torch.__version__}, {device.reason}; {chosen.clock} clock")
    print(f"MiniLM, K={K}, k={TOP_K}, B={SAMPLES}, T={TOKENS}, {len(bank.site_names)} sites")
    for name, on_cpu in make_features(centroids).items():
        features = on_cpu.to(device.torch_device)
        weights = router.route(features).weights
        print(f"  {name}: {len(torch.unique(weights, dim=0))} distinct routes in the batch")
        calls[name] = partial(routed, features)

    turns = take_turns(calls, chosen.rounds, device.synchronise, CLOCKS[chosen.clock])
    print(f"one plain adapter: {min(turns['plain']) * 1e3:.1f} ms at best")
    for name, taken in turns.items():
        if name != "plain":
            ratios = [mine / base for mine, base in zip(taken, turns["plain"], strict=True)]
            low, median, high = quantiles(ratios, n=4)
            best = min(taken) / min(turns["plain"])
            verdict = "meets" if median <= TARGET else "misses"
            print(
                f"routed, {name:10s} {median:.3f} x one plain adapter (quartiles {low:.3f} to {high:.3f}, "
                f"best of each {best:.3f}): {verdict} the target of at most {TARGET}"
            )


def make_bank(sites: tuple[Site, ...], hidden_size: int) -> Bank:
    """K adapters with weights of the size of trained ones."""
    settings = AdapterSettings(init="i2i")
    generator = torch.Generator().manual_seed(0)
    return Bank.stack(
        [Adapter.initialise(settings, sites, hidden_size, generator) for _ in range(K)]
    )


def random_rows(rows: int, tokens: int) -> Encoding:
    """Rows of random token ids, all of the same length."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 30000, (rows, tokens), generator=generator)
    ids[:, 0], ids[:, -1] = 101, 102  # [CLS] and [SEP]
    return Encoding.from_lists(ids.tolist(), None, pad_id=0)


def make_features(centroids: Tensor) -> dict[str, Tensor]:
    """Cached router features for each kind of batch: a sample's are a mix of centroids and noise."""
    first = torch.stack([torch.randperm(K)[:TOP_K] for _ in range(SAMPLES)])
    share = 0.5 + 0.01 * torch.randn(SAMPLES, 1)  # near a tie, so that both adapters really count
    mixed = share * centroids[first[:, 0]] + (1 - share) * centroids[first[:, 1]]
    task = torch.arange(SAMPLES) % CLUSTERS
    near = 0.5 * (centroids[task] + centroids[(task + 1) % CLUSTERS])
    near = near + 0.1 * torch.randn_like(near)
    return {"random": mixed, "clustered": near, "one route": mixed[:1].expand(SAMPLES, -1)}


def take_turns(
    calls: Mapping[str, Callable[[], object]],
    rounds: int,
    wait: Callable[[], None],
    clock: Callable[[], float],
) -> dict[str, list[float]]:
    """Seconds of each call in each turn; three turns before the first one are not counted."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 3):
        names = list(calls) if turn % 2 else list(calls)[::-1]
        for name in names:
            began = clock()
            calls[name]()
            wait()
            if turn >= 3:
                taken[name].append(clock() - began)
    return taken


if __name__ == "__main__":
    main()
