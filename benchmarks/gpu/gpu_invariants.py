"""Invariants of composition and routing on a device, in float32, each against a slow and obvious twin."""

from __future__ import annotations

from collections.abc import Callable

import torch
from gpu_random import make_bank, random_rows, routes
from gpu_report import TOLERANCES, Report, distance, largest
from torch import Tensor

from cl_core.adapters.adapter import transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.compose.paths import AVERAGE_PATHS, MERGE_PATHS
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.route.centroid import CentroidRouter
from cl_core.route.settings import RouterSettings


@torch.no_grad()
def check_compositions(report: Report, backbone: TextBackbone, device: Device) -> None:
    """One-hot weights, and every path against a loop over samples and adapters."""
    bank = make_bank(backbone, 6).to(device.torch_device)
    rows = random_rows(8, 32)
    batch = backbone.collate(rows.encoding, range(8), device.torch_device)

    def states(through: dict[str, Callable[[Tensor], Tensor]]) -> Tensor:
        last: Tensor = backbone(batch, through).last_hidden_state
        return last

    owner = torch.arange(8) % len(bank)
    one_hot = torch.nn.functional.one_hot(owner, len(bank)).float().to(device.torch_device)
    # Each sample through its own adapter alone.
    wanted = torch.stack(
        [states(transforms(bank.adapter(int(adapter))))[i] for i, adapter in enumerate(owner)]
    )
    apart = distance(wanted[1:], states(transforms(bank.adapter(0)))[1:])
    report.notes.append(f"for scale, distance of the states under different adapters: {apart:.2e}")
    for how in ("select", "merge", "average"):
        off = distance(states(compose(bank, one_hot, how)), wanted)
        report.check(f"one-hot {how} is one adapter", off, TOLERANCES["composition"])

    weights = routes(8, len(bank), 3).to(device.torch_device)
    for how, paths, loop in (
        ("merge", MERGE_PATHS, slow_merge),
        ("average", AVERAGE_PATHS, slow_average),
    ):
        wanted = states(loop(bank, weights))
        for path in (None, *(path for path in paths if path != "shared")):
            off = distance(states(compose(bank, weights, how, path)), wanted)
            name = f"{how}, path {path or 'chosen'}, is the loop"
            report.check(name, off, TOLERANCES["composition"])
        same = weights[:1].expand(8, -1)
        off = distance(states(compose(bank, same, how, "shared")), states(loop(bank, same)))
        report.check(f"{how}, path shared, is the loop", off, TOLERANCES["composition"])


def slow_merge(bank: Bank, weights: Tensor) -> dict[str, Callable[[Tensor], Tensor]]:
    """Each sample by itself through the weighted mean of the adapters' weights."""

    def at(site: int) -> Callable[[Tensor], Tensor]:
        def transform(h: Tensor) -> Tensor:
            out = []
            for sample, share in zip(h, weights, strict=True):
                down, a, up, b = (
                    sum(p * weight for p, weight in zip(share, tensor[site], strict=True))
                    for tensor in bank.parameters()
                )
                out.append(sample + torch.relu(sample @ down.T + a) @ up + b)
            return torch.stack(out)

        return transform

    return {name: at(site) for site, name in enumerate(bank.site_names)}


def slow_average(bank: Bank, weights: Tensor) -> dict[str, Callable[[Tensor], Tensor]]:
    """Each sample through every adapter, and the weighted mean of what they change."""

    def at(site: int) -> Callable[[Tensor], Tensor]:
        def transform(h: Tensor) -> Tensor:
            out = []
            for sample, share in zip(h, weights, strict=True):
                parts = zip(*(tensor[site] for tensor in bank.parameters()), strict=True)
                changes = [torch.relu(sample @ d.T + a) @ up + b for d, a, up, b in parts]
                out.append(sample + sum(p * c for p, c in zip(share, changes, strict=True)))
            return torch.stack(out)

        return transform

    return {name: at(site) for site, name in enumerate(bank.site_names)}


def check_routing(report: Report, width: int, device: Device) -> None:
    """Routes of 256 samples over 20 tasks from the same features of `width`, computed here and on the CPU."""
    generator = torch.Generator().manual_seed(1)
    router = CentroidRouter(RouterSettings(k=2))
    for _ in range(20):
        features = torch.randn(16, width, generator=generator)
        router.add_task(features.to(device.torch_device))
    features = torch.randn(256, width, generator=generator)
    wanted = router.route(features).weights
    weights = router.route(features.to(device.torch_device)).weights.cpu()
    report.check("routing of the same features", largest(weights - wanted), TOLERANCES["routing"])
