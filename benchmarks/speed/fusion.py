"""How much faster the factored AdapterFusion is than its textbook form, forward and backward.

    python benchmarks/speed/fusion.py --threads 1

The textbook projects a key and a value of every adapter, (B, T, K, d); `cl_core.adapters.fusion` re-associates them.
Both run on the very same states and weights, forward and backward to the fusion's parameters and the states, in
turns. Printed is the median ratio of the rounds with its quartiles. The target is 2.5 at K = 6.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import quantiles

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.bank import Bank
from cl_core.adapters.fusion import Fusion, fuse

TARGET, WARM_UP = 2.5, 2
SHAPES = [  # B, T, d, r, K
    (16, 64, 384, 48, 2),
    (16, 64, 384, 48, 6),
    (16, 64, 384, 24, 6),
    (16, 64, 384, 48, 12),
    (16, 128, 768, 48, 6),
]
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def textbook(h: Tensor, bank: Bank, fusion: Fusion) -> Tensor:
    """Site 0 as published: u_i, W_k u_i and W_v u_i of all K adapters."""
    hidden = F.relu(torch.einsum("btd,krd->btkr", h, bank.down[0]) + bank.down_bias[0])
    u = torch.einsum("btkr,krd->btkd", hidden, bank.up[0]) + bank.up_bias[0]
    query = F.linear(F.layer_norm(h, h.shape[-1:]), fusion.query[0], fusion.query_bias[0])
    keys, values = F.linear(u, fusion.key[0], fusion.key_bias[0]), F.linear(u, fusion.value[0])
    beta = torch.softmax((keys @ query.unsqueeze(-1)).squeeze(-1), dim=-1)
    return h + (beta.unsqueeze(-2) @ values).squeeze(-2)


def measure(shape: tuple[int, ...], device: torch.device, rounds: int, clock: str) -> list[float]:
    """Textbook time over factored time, of each round."""
    samples, tokens, size, width, adapters = shape
    generator = torch.Generator().manual_seed(0)

    def draw(*dims: int) -> Tensor:
        return (torch.randn(*dims, generator=generator) * 0.05).to(device)

    bank = Bank(
        draw(1, adapters, width, size),
        draw(1, adapters, width),
        draw(1, adapters, width, size),
        draw(1, adapters, size),
        ("block0.ffn",),
    )
    fusion = Fusion.initialise(bank.site_names, size, generator).to(device)
    h = draw(samples, tokens, size).requires_grad_(True)
    moving = [h, *(parameter.requires_grad_(True) for parameter in fusion.parameters())]

    def timed(form: Callable[[], Tensor]) -> float:
        began = CLOCKS[clock]()
        torch.autograd.grad(form().sum(), moving, allow_unused=True)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return CLOCKS[clock]() - began

    forms = [
        lambda: textbook(h, bank, fusion),
        lambda: fuse(bank, fusion)["block0.ffn"](h),
    ]
    torch.testing.assert_close(forms[0](), forms[1](), rtol=1e-3, atol=1e-4)
    ratios = []
    for turn in range(rounds + WARM_UP):
        slow, fast = (timed(form) for form in forms)
        if turn >= WARM_UP:
            ratios.append(slow / fast)
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"torch {torch.__version__}, {chosen.device}, {chosen.threads} threads, {chosen.clock}")
    for shape in SHAPES:
        ratios = measure(shape, torch.device(chosen.device), chosen.rounds, chosen.clock)
        low, middle, high = quantiles(ratios, n=4)
        verdict = ""
        if shape[-1] == 6:
            verdict = "meets the target" if middle >= TARGET else "misses the target"
        names = ", ".join(f"{n}={v}" for n, v in zip("BTdrK", shape, strict=True))
        print(f"  {names:34s} {middle:.2f} x (quartiles {low:.2f} to {high:.2f}) {verdict}")


if __name__ == "__main__":
    main()
