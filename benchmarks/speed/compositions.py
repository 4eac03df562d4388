"""How long the compositions take, as ratios to one plain adapter, measured side by side.

    python benchmarks/speed/compositions.py sites     # every path at one site, over shapes
    python benchmarks/speed/compositions.py model     # whole forward passes of MiniLM, and training

`sites` is where the thresholds of `cl_core/adapters/compose/paths.py` come from: the path that is
chosen is marked with *. `model` holds two promises: routed inference with merge (K=20, k=2, B=32,
64 tokens, weights given) at most 1.25 times one plain adapter, and training at least 0.85 times the
samples per second of the bare backbone's forward and backward pass.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.compose.paths import (
    AVERAGE_PATHS,
    MERGE_PATHS,
    choose_average_path,
    choose_merge_path,
)
from cl_core.adapters.settings import AdapterSettings

SHAPES = [  # B, T, d, r, K
    (32, 1, 384, 48, 2),
    (32, 1, 384, 48, 6),
    (32, 1, 384, 48, 20),
    (32, 4, 384, 48, 2),
    (32, 4, 384, 48, 6),
    (32, 16, 384, 48, 3),
    (32, 16, 384, 48, 6),
    (32, 64, 384, 48, 3),
    (32, 64, 384, 48, 6),
    (32, 64, 384, 48, 20),
    (32, 64, 384, 48, 100),
    (8, 64, 384, 48, 20),
    (128, 64, 384, 48, 20),
    (32, 128, 768, 48, 20),
    (32, 197, 768, 96, 12),
]


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Lower quartile of seconds; the calls take turns, so that a disturbance meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 2):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn >= 2:
                times[name].append(time.perf_counter() - start)
    return {name: sorted(taken)[len(taken) // 4] for name, taken in times.items()}


def routes(samples: int, adapters: int, kept: int, distinct: int | None = None) -> Tensor:
    """(B, K) weights with `kept` of them other than zero, in `distinct` different rows."""
    weights = torch.rand(samples, adapters)
    weights[weights.argsort(dim=1).argsort(dim=1) >= kept] = 0.0
    weights = weights / weights.sum(dim=1, keepdim=True)
    return weights if distinct is None else weights[torch.arange(samples) % distinct]


def one_site_bank(adapters: int, width: int, hidden_size: int) -> Bank:
    """Weights of the size of trained ones, at one site."""
    shape = (1, adapters, width)
    return Bank(
        down=torch.randn(*shape, hidden_size) * 0.02,
        down_bias=torch.randn(shape) * 0.02,
        up=torch.randn(*shape, hidden_size) * 0.02,
        up_bias=torch.randn(1, adapters, hidden_size) * 0.02,
        site_names=("site",),
    )


@torch.inference_mode()
def sites(rounds: int, device: torch.device) -> None:
    """One row per shape and kind of weights: each path's time over one plain adapter's."""
    for samples, tokens, hidden_size, width, adapters in SHAPES:
        bank = one_site_bank(adapters, width, hidden_size).to(device)
        h = torch.randn(samples, tokens, hidden_size, device=device)
        few = max(2, samples // 4)
        kinds = {
            "k=2": (routes(samples, adapters, min(2, adapters)), samples),
            "k=K/2": (routes(samples, adapters, max(1, adapters // 2)), samples),
            "k=K": (routes(samples, adapters, adapters), samples),
            f"k=K, {few} routes": (routes(samples, adapters, adapters, few), few),
        }
        for kind, (weights, distinct) in kinds.items():
            weights = weights.to(device)
            kept = int((weights != 0).sum(dim=1).max())
            facts = (samples, tokens, adapters, kept, distinct)
            chosen = {
                "merge": choose_merge_path(*facts),
                "average": choose_average_path(*facts),
            }
            plain = transforms(bank.adapter(0))["site"]
            calls: dict[str, Callable[[], object]] = {"plain": partial(plain, h)}
            for how, paths in (("merge", MERGE_PATHS), ("average", AVERAGE_PATHS)):
                for path in paths:
                    if path != "shared":
                        call = compose(bank, weights, how, path)["site"]
                        calls[f"{how} {path}"] = partial(call, h)
            if tokens * adapters > 1000:
                del calls["merge preactivation"]
            taken = interleaved(calls, rounds)
            base = taken.pop("plain")
            shape = f"B={samples} T={tokens} d={hidden_size} r={width} K={adapters} {kind}"
            print(f"{shape}: one plain adapter {base * 1e3:.3f} ms")
            for how in ("merge", "average"):
                ratios = [
                    f"{path.split()[1]}{'*' * (path.split()[1] == chosen[how])} {t / base:.2f}"
                    for path, t in taken.items()
                    if path.startswith(how)
                ]
                print(f"    {how:8s} {'  '.join(ratios)}")


def model(rounds: int, device: torch.device) -> None:
    """MiniLM with 12 sites, r=48, K=20, k=2, B=32, 64 tokens."""
    from cl_core.backbones.backbone_loader import load_backbone
    from cl_core.backbones.settings import BackboneSettings
    from cl_core.backbones.text import TextBackbone

    backbone = load_backbone(BackboneSettings(max_length=64), device)
    assert isinstance(backbone, TextBackbone)
    generator = torch.Generator().manual_seed(0)
    settings = AdapterSettings(bottleneck=48)
    adapters = [
        Adapter.initialise(settings, backbone.sites, backbone.hidden_size, generator).to(device)
        for _ in range(20)
    ]
    bank, weights = Bank.stack(adapters), routes(32, 20, 2).to(device)
    encoding = backbone.tokenize(["word " * 100] * 32, None)
    batch = backbone.collate(encoding, list(range(32)), device)
    print(f"B, T = {tuple(batch.input_ids.shape)}, {len(bank.site_names)} sites, K=20, k=2, r=48")

    @torch.inference_mode()
    def infer(how: str | None) -> None:
        if how is None:
            backbone(batch, transforms(adapters[0]))
        else:
            backbone(batch, compose(bank, weights, how))

    calls: dict[str, Callable[[], object]] = {"one plain adapter": lambda: infer(None)}
    for how in ("select", "merge", "average"):
        calls[how] = partial(infer, how)
    taken = interleaved(calls, rounds)
    plain = taken["one plain adapter"]
    for name, seconds in taken.items():
        print(f"    {name:18s} {seconds * 1e3:8.1f} ms   {seconds / plain:.3f} x one plain adapter")
    print(f"  promised: merge <= 1.25; measured {taken['merge'] / plain:.3f}")

    # Bare: gradients through every block down to the embeddings, none for the frozen weights. It is
    # the least that a backward pass can be; with weight gradients the bare backbone is slower.
    bottom = backbone.sites[0].name
    leaf = torch.zeros((), device=device, requires_grad=True)
    trained = adapters[0].clone()
    parameters = [tensor.requires_grad_(True) for tensor in trained.parameters()]

    def train(through: dict[str, Callable[[Tensor], Tensor]]) -> None:
        for tensor in (leaf, *parameters):
            tensor.grad = None
        backbone(batch, through).last_hidden_state.mean().backward()

    taken = interleaved(
        {
            "bare": lambda: train({bottom: lambda h: h + leaf}),
            "adapter": lambda: train(dict(transforms(trained, 0.1))),
        },
        rounds,
    )
    for name, seconds in taken.items():
        print(f"    {name:18s} {seconds * 1e3:8.1f} ms   {32 / seconds:.0f} samples/s")
    ratio = taken["bare"] / taken["adapter"]
    print(f"  promised: training >= 0.85 x bare forward and backward; measured {ratio:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["sites", "model"], nargs="?", default="model")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    device = torch.device(chosen.device)
    print(f"torch {torch.__version__}, {device}, {chosen.threads} threads")
    {"sites": sites, "model": model}[chosen.what](chosen.rounds, device)


if __name__ == "__main__":
    main()
