"""What must hold on a GPU, compared with the CPU, and how fast it is there.

    python benchmarks/gpu/gpu_check.py --output DIR           # on a machine with a GPU
    python benchmarks/gpu/gpu_check.py --device cpu --quick   # tries the script; measures no GPU

It needs torch, transformers, pydantic and numpy; neither datasets nor a network. The backbone is `minilm`
where its package is installed, else random weights of the same shape; --backbone takes a name or a folder.

1. Invariants in float32 (`gpu_invariants.py`): with one-hot weights select, merge and average are one
   adapter; every path of merge and of average equals a slow loop; routing is the CPU's; the backbone's
   bytes do not change.
2. A small stream (three domains of reviews, one adapter each, started from the previous one, DAM's router,
   k=2, per-sample merge, merged heads), learnt on the CPU and on the device in float32 (`gpu_streams.py`).
   Dropout is off, as a GPU draws other random numbers, and on the device each task starts from what the CPU
   had then, so that rounding grows over one task only. Compared: weights, losses, routing, accuracies.
3. The same stream in bf16 autocast, against float32 on the device.
4. Samples per second of training and of routed inference (K=20, k=2, 64 tokens), in float32 and bf16, and
   peak memory (`gpu_speed.py`).

Tolerances are `TOLERANCES` of `gpu_report.py` and are printed with what was found. Results go to the screen
as Markdown and JSON, and with --output to gpu_check.md and gpu_check.json. The exit status is 1 when a check
fails.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import torch
from gpu_backbones import MINILM, write_random_bert
from gpu_invariants import check_compositions, check_routing
from gpu_report import Report
from gpu_speed import TOKENS, measure_speed
from gpu_streams import FULL, QUICK, Size, Stream, compare_bfloat16, compare_streams

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.catalogue import KNOWN
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import choose_device
from cl_core.synthetic.domains import domain
from cl_core.train.data import Rows

DOMAINS = ("restaurants", "products", "films")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:n, or cpu to try the script")
    parser.add_argument("--backbone", help="minilm, a folder, or 'random' [default: what is here]")
    parser.add_argument("--quick", action="store_true", help="little data and few turns")
    parser.add_argument("--output", type=Path, help="folder for gpu_check.md and gpu_check.json")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL
    cpu, device = choose_device("cpu", "float32"), choose_device(chosen.device, "float32")
    name = chosen.backbone or ("minilm" if KNOWN["minilm"].available else "random")
    with tempfile.TemporaryDirectory() as folder:
        if name == "random":
            texts = [text for name in DOMAINS for text, _ in domain(name, train=200).rows["train"]]
            write_random_bert(MINILM, texts, Path(folder))
        settings = BackboneSettings(name=folder if name == "random" else name, max_length=TOKENS)
        on_cpu = load_backbone(settings, cpu.torch_device)
        on_device = load_backbone(settings, device.torch_device)
    assert isinstance(on_device, TextBackbone)
    report = Report.of(device, "random weights of MiniLM's shape" if name == "random" else name)

    before = on_device.weight_hash()
    check_compositions(report, on_device, device)
    check_routing(report, on_device.hidden_size, device)
    tasks = [partial(domain_rows, name, size) for name in DOMAINS]
    stream = Stream(tasks, 2, size.epochs, wrong=size.wrong)
    compare_streams(report, (on_cpu, cpu), (on_device, device), stream)
    compare_bfloat16(report, on_device, device, stream)
    report.check("backbone's bytes unchanged", float(on_device.weight_hash() != before), 0.0)
    measure_speed(report, on_device, device, chosen.quick)

    print(report.markdown())
    print(report.json())
    report.finish(chosen.output, "gpu_check")


def domain_rows(name: str, size: Size, backbone: TextBackbone, split: str) -> Rows:
    """Sentences of a domain."""
    texts, labels = zip(*domain(name, **size.rows).rows[split], strict=True)
    return Rows(backbone.tokenize(texts), torch.tensor(labels))


if __name__ == "__main__":
    main()
