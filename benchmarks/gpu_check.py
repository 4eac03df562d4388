"""What must hold on a GPU, compared with the CPU, and how fast it is there.

    python benchmarks/gpu_check.py --output DIR           # on a machine with a GPU
    python benchmarks/gpu_check.py --device cpu --quick   # tries the script; measures no GPU

It needs torch, transformers, pydantic and numpy; neither datasets nor a network. The backbone is `minilm`
where its package is installed, else random weights of the same shape; --backbone takes a name or a folder.

1. Invariants in float32: with one-hot weights select, merge and average are one adapter; every path of
   merge and of average equals a slow loop; routing is the CPU's; the backbone's bytes do not change.
2. A small stream (three domains of reviews, one adapter each, started from the previous one, DAM's router,
   k=2, per-sample merge, merged heads), learnt on the CPU and on the device in float32. Dropout is off,
   as a GPU draws other random numbers, and on the device each task starts from what the CPU had then, so
   that rounding grows over one task only. Compared: weights, losses, routing, accuracies.
3. The same stream in bf16 autocast, against float32 on the device.
4. Samples per second of training and of routed inference (K=20, k=2, 64 tokens), in float32 and bf16, and
   peak memory.

Tolerances are in `TOLERANCES` and are printed with what was found. Results go to the screen as Markdown and
with --output to gpu_check.md and gpu_check.json. The exit status is 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.compose.paths import AVERAGE_PATHS, MERGE_PATHS
from cl_core.adapters.heads import Head, merged_logits
from cl_core.adapters.projection import Projection
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.catalogue import KNOWN
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import Encoding
from cl_core.backbones.features import extract_features
from cl_core.backbones.load import load_backbone
from cl_core.backbones.pooling import pool
from cl_core.backbones.seeing import SeeingBackbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device, choose_device
from cl_core.errors import UserError
from cl_core.evaluate.states import pooled_states
from cl_core.route.centroid import CentroidRouter
from cl_core.route.settings import RouterSettings
from cl_core.tasks.domains import domain
from cl_core.train.classification import fit
from cl_core.train.data import Rows
from cl_core.train.lesson import Lesson
from cl_core.train.loop import Watch
from cl_core.train.settings import TrainSettings

DOMAINS = ("restaurants", "products", "films")
TOLERANCES = {
    "composition": 1e-5,  # relative distance of last hidden states (Frobenius), float32
    "routing": 1e-3,  # largest difference of a weight; tau = 0.01 multiplies errors of cosines by 100
    "loss": 2e-3,  # largest difference of an epoch's training loss (nats), float32
    # Distance of trained weights over the distance that training moved them, float32. Training makes
    # rounding grow: noise of 1e-7 on the word embeddings alone came to 3e-3 after 75 steps on a CPU.
    "weights": 3e-2,
    "accuracy": 0.03,  # largest difference of a cell of the score matrix, float32
    "bfloat16 states": 5e-2,  # relative distance of pooled states under the same weights
    "bfloat16 accuracy": 0.08,  # largest difference of the last row of the score matrix
}
# Rows per task and epochs of the small stream; turns that are timed, and batch sizes.
FULL: dict[str, Any] = {"rows": (400, 100, 200), "epochs": 3, "steps": 30, "batches": (32, 256)}
QUICK: dict[str, Any] = {"rows": (24, 8, 32), "epochs": 1, "steps": 2, "batches": (8,)}
TOKENS, K, KEPT = 64, 20, 2


@dataclass
class Report:
    """All that was found: checks, what each of them found, and speeds."""

    device: str
    facts: dict[str, str]
    checks: list[dict[str, Any]] = field(default_factory=list)
    speeds: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self, name: str, found: float, tolerance: float) -> None:
        """Keeps one comparison; NaN fails."""
        row = {"check": name, "found": found, "tolerance": tolerance, "holds": found <= tolerance}
        self.checks.append(row)
        print(f"{'holds' if row['holds'] else 'FAILS'}: {name}: {found:.2e}", file=sys.stderr)

    @property
    def failed(self) -> list[str]:
        """Names of the checks that do not hold."""
        return [row["check"] for row in self.checks if not row["holds"]]

    def markdown(self) -> str:
        """For docs/results.md."""
        lines = [f"# GPU check: {self.device}", ""]
        lines += [f"- {name}: {value}" for name, value in self.facts.items()]
        lines += [f"- {note}" for note in self.notes]
        lines += ["", "| check | found | tolerance | |", "| --- | ---: | ---: | --- |"]
        for row in self.checks:
            word = "holds" if row["holds"] else "**fails**"
            lines.append(f"| {row['check']} | {row['found']:.2e} | {row['tolerance']:g} | {word} |")
        lines += [
            "",
            "| work | precision | batch | samples/s | peak memory (MiB) |",
            "| --- | --- | ---: | ---: | ---: |",
        ]
        for row in self.speeds:
            lines.append(
                f"| {row['work']} | {row['precision']} | {row['batch']} | {row['samples_per_second']:.0f} | "
                f"{row['peak_memory_bytes'] / 2**20:.0f} |"
            )
        return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:n, or cpu to try the script")
    parser.add_argument("--backbone", help="minilm, a folder, or 'random' [default: what is here]")
    parser.add_argument("--quick", action="store_true", help="little data and few turns")
    parser.add_argument("--output", type=Path, help="folder for gpu_check.md and gpu_check.json")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL
    cpu, device = choose_device("cpu", "float32"), choose_device(chosen.device, "float32")
    with tempfile.TemporaryDirectory() as folder:
        name = chosen.backbone or ("minilm" if KNOWN["minilm"].available else "random")
        made = write_random_backbone(Path(folder)) if name == "random" else Path(name)
        settings = BackboneSettings(name=str(made), max_length=TOKENS)
        on_cpu = load_backbone(settings, cpu.torch_device)
        on_device = load_backbone(settings, device.torch_device)
    report = Report(device.reason, describe(device, name))
    if device.torch_device.type != "cuda":
        report.notes.append("**No GPU was measured**: this is the CPU compared with itself.")

    before = on_device.weight_hash()
    check_compositions(report, on_device, device)
    check_routing(report, on_device, device)
    stream = Stream([partial(domain_rows, name, size) for name in DOMAINS], classes=2)
    compare_streams(report, (on_cpu, cpu), (on_device, device), stream, size)
    compare_bfloat16(report, on_device, device, stream, size)
    report.check("backbone's bytes unchanged", float(on_device.weight_hash() != before), 0.0)
    measure_speed(report, on_device, device, size)

    print(report.markdown())
    print(json.dumps(asdict(report), indent=1))
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        (chosen.output / "gpu_check.md").write_text(report.markdown())
        (chosen.output / "gpu_check.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    if report.failed:
        sys.exit(f"failed: {', '.join(report.failed)}")


def describe(device: Device, backbone: str) -> dict[str, str]:
    """Versions and machine."""
    facts = {
        "backbone": "random weights of MiniLM's shape" if backbone == "random" else backbone,
        "torch": str(torch.__version__),
        "transformers": version("transformers"),
        "python": platform.python_version(),
        "TF32 in float32 products": str(torch.get_float32_matmul_precision() != "highest"),
    }
    if device.torch_device.type == "cuda":
        found = torch.cuda.get_device_properties(device.torch_device)
        facts |= {
            "GPU": found.name,
            "GPU memory": f"{found.total_memory / 2**30:.0f} GiB",
            "compute capability": f"{found.major}.{found.minor}",
            "CUDA": str(torch.version.cuda),
        }
    return facts


# 1. Invariants


@torch.no_grad()
def check_compositions(report: Report, backbone: TextBackbone, device: Device) -> None:
    """One-hot weights, and every path against a loop over samples and adapters."""
    bank = make_bank(backbone, 6).to(device.torch_device)
    rows = random_rows(8, 32)
    batch = backbone.collate(rows.encoding, range(8), device.torch_device)

    def states(through: dict[str, Callable[[Tensor], Tensor]]) -> Tensor:
        return backbone(batch, through).last_hidden_state

    owner = torch.arange(8) % len(bank)
    one_hot = torch.nn.functional.one_hot(owner, len(bank)).float().to(device.torch_device)
    # Each sample through its own adapter alone.
    wanted = torch.stack(
        [states(transforms(bank.adapter(int(each))))[i] for i, each in enumerate(owner)]
    )
    apart = distance(wanted[1:], states(transforms(bank.adapter(0)))[1:])
    report.notes.append(f"for scale, distance of the states under different adapters: {apart:.2e}")
    for how in ("select", "merge", "average"):
        found = distance(states(compose(bank, one_hot, how)), wanted)
        report.check(f"one-hot {how} is one adapter", found, TOLERANCES["composition"])

    weights = routes(8, len(bank), 3).to(device.torch_device)
    for how, paths, loop in (
        ("merge", MERGE_PATHS, slow_merge),
        ("average", AVERAGE_PATHS, slow_average),
    ):
        wanted = states(loop(bank, weights))
        for path in (None, *(path for path in paths if path != "shared")):
            found = distance(states(compose(bank, weights, how, path)), wanted)
            name = f"{how}, path {path or 'chosen'}, is the loop"
            report.check(name, found, TOLERANCES["composition"])
        same = weights[:1].expand(8, -1)
        found = distance(states(compose(bank, same, how, "shared")), states(loop(bank, same)))
        report.check(f"{how}, path shared, is the loop", found, TOLERANCES["composition"])


def slow_merge(bank: Bank, weights: Tensor) -> dict[str, Callable[[Tensor], Tensor]]:
    """Each sample by itself through the weighted mean of the adapters' weights."""

    def at(site: int) -> Callable[[Tensor], Tensor]:
        def transform(h: Tensor) -> Tensor:
            out = []
            for sample, share in zip(h, weights, strict=True):
                down, a, up, b = (
                    sum(p * each for p, each in zip(share, tensor[site], strict=True))
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


def check_routing(report: Report, backbone: TextBackbone, device: Device) -> None:
    """Routes from the same features, computed here and on the CPU."""
    generator = torch.Generator().manual_seed(1)
    router = CentroidRouter(RouterSettings(k=KEPT))
    for _ in range(K):
        features = torch.randn(16, backbone.hidden_size, generator=generator)
        router.add_task(features.to(device.torch_device))
    features = torch.randn(256, backbone.hidden_size, generator=generator)
    wanted = router.route(features).weights
    found = router.route(features.to(device.torch_device)).weights.cpu()
    report.check("routing of the same features", largest(found - wanted), TOLERANCES["routing"])


# 2. and 3. A small stream


@dataclass(frozen=True)
class Stream:
    """Tasks with one label space, each a function (backbone, split) -> rows.

    Attributes:
        tasks: in order.
        classes: how many labels there are.
        name: said before each check.
    """

    tasks: Sequence[Callable[[Backbone, str], Rows]]
    classes: int
    name: str = ""


@dataclass
class Learnt:
    """What came of the small stream."""

    tasks: list[TaskWeights]
    moved: list[float]
    losses: list[float]
    weights: Tensor
    matrix: Tensor
    states: Tensor


def compare_streams(
    report: Report,
    on_cpu: tuple[Backbone, Device],
    on_device: tuple[Backbone, Device],
    stream: Stream,
    size: dict[str, Any],
) -> None:
    """The CPU and the device, both in float32."""
    name = stream.name
    cpu = learn(*on_cpu, stream, size)
    other = learn(*on_device, stream, size, cpu.tasks)
    pairs = list(zip(cpu.losses, other.losses, strict=True))
    loss = max(abs(a - b) for a, b in pairs)
    report.check(f"{name}training losses, float32, CPU and device", loss, TOLERANCES["loss"])
    for task, (mine, theirs, moved) in enumerate(
        zip(cpu.tasks, other.tasks, cpu.moved, strict=True)
    ):
        apart = norm([a - b for a, b in zip(mine.parameters(), theirs.parameters(), strict=True)])
        what = f"{name}weights of task {task + 1}, float32, distance over distance trained"
        report.check(what, apart / moved, TOLERANCES["weights"])
    routing = largest(cpu.weights - other.weights)
    report.check(f"{name}routing of the stream", routing, TOLERANCES["routing"])
    scores = largest(cpu.matrix - other.matrix)
    report.check(f"{name}score matrix, float32, CPU and device", scores, TOLERANCES["accuracy"])
    after = f"{name}accuracies after the last task"
    report.notes.append(f"{after}, CPU, float32: {row_text(cpu)}")
    report.notes.append(f"{after}, device, float32: {row_text(other)}")


def compare_bfloat16(
    report: Report, backbone: Backbone, device: Device, stream: Stream, size: dict[str, Any]
) -> None:
    """Learns again in bf16 autocast; the states are compared under float32's weights."""
    try:
        half = choose_device(str(device.torch_device), "bfloat16")
    except UserError as error:
        report.notes.append(f"bf16 was not measured: {error}")
        return
    full = learn(backbone, device, stream, size)
    last = stream.tasks[-1](backbone, "test")
    states = merged_states(backbone, half, full.tasks, last, full.weights)
    report.check(
        f"{stream.name}pooled states, bf16 and float32",
        distance(states, full.states),
        TOLERANCES["bfloat16 states"],
    )
    learnt = learn(backbone, half, stream, size)
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
    size: dict[str, Any],
    starts: Sequence[TaskWeights] | None = None,
) -> Learnt:
    """DAM on a small stream: train, route, merge, score after each task.

    A task starts from the weights of the one before it; from those in `starts`, where they are given.
    """
    tasks = stream.tasks
    settings = TrainSettings(epochs=size["epochs"], patience=None)
    router = CentroidRouter(RouterSettings(k=KEPT))
    now = new_weights(backbone, stream.classes)
    learnt = Learnt([], [], [], torch.empty(0), torch.zeros(len(tasks), len(tasks)), torch.empty(0))
    for stage, task in enumerate(tasks):
        train, validation = task(backbone, "train"), task(backbone, "validation")
        router.add_task(extract_features(backbone, train.encoding, autocast=device.autocast))
        fitted = fit(Lesson(backbone, train, validation, settings, device, stage), now, 0.0)
        steps = zip(fitted.weights.parameters(), now.parameters(), strict=True)
        learnt.moved.append(norm([after - before for after, before in steps]))
        learnt.losses += [record.train_loss for record in fitted.history]
        learnt.tasks.append(fitted.weights)
        now = fitted.weights if starts is None else starts[stage]
        for seen in range(stage + 1):
            rows = tasks[seen](backbone, "test")
            states, weights = route_and_merge(backbone, device, router, learnt.tasks, rows)
            heads = [each.head for each in learnt.tasks]
            answers = merged_logits(states, heads, weights).argmax(1)
            learnt.matrix[stage, seen] = (answers == rows.labels).float().mean()
        learnt.weights, learnt.states = weights, states
    return learnt


def new_weights(backbone: Backbone, classes: int) -> TaskWeights:
    """An untrained adapter and head, with a projection where the backbone sees."""
    generator = torch.Generator().manual_seed(0)
    adapter = Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator)
    head = Head.initialise(classes, backbone.hidden_size, generator)
    if isinstance(backbone, SeeingBackbone):
        own = Projection.initialise(backbone.embedding_size, backbone.visual_size, generator)
        adapter = replace(adapter, projection=own)
    return TaskWeights(adapter, head)


def route_and_merge(
    backbone: Backbone,
    device: Device,
    router: CentroidRouter,
    tasks: Sequence[TaskWeights],
    rows: Rows,
) -> tuple[Tensor, Tensor]:
    """(N, d) pooled states and (N, K) weights, both on the CPU."""
    features = extract_features(backbone, rows.encoding, autocast=device.autocast)
    weights = router.route(features).weights
    return merged_states(backbone, device, tasks, rows, weights), weights


def merged_states(
    backbone: Backbone,
    device: Device,
    tasks: Sequence[TaskWeights],
    rows: Rows,
    weights: Tensor,
) -> Tensor:
    """(N, d) pooled states of each row under its own merge."""
    bank = Bank.stack([task.adapter for task in tasks]).to(device.torch_device)
    there = weights.to(device.torch_device)
    every = range(len(rows))
    return pooled_states(backbone, rows.encoding, every, bank, there, "merge", "mean", 32, device)


def domain_rows(name: str, size: dict[str, Any], backbone: TextBackbone, split: str) -> Rows:
    """Sentences of a domain."""
    train, validation, test = size["rows"]
    data = domain(name, train=train, validation=validation, test=test)
    texts, labels = zip(*data.rows[split], strict=True)
    return Rows(backbone.tokenize(texts), torch.tensor(labels))


# 4. Speed


def measure_speed(
    report: Report, backbone: TextBackbone, device: Device, size: dict[str, Any]
) -> None:
    """Training and routed inference, per precision and batch size."""
    for precision in ("float32", "bfloat16"):
        try:
            own = choose_device(str(device.torch_device), precision)
        except UserError:
            continue
        for batch in size["batches"]:
            for work, measure in (
                ("training, one adapter", training_speed),
                ("inference, one plain adapter", plain_speed),
                (f"inference, routed, merge, K={K}, k={KEPT}", routed_speed),
            ):
                reset_peak(own)
                rate = measure(backbone, own, batch, size["steps"])
                row = {"work": work, "precision": precision, "batch": batch}
                row |= {"samples_per_second": rate, "peak_memory_bytes": peak_memory(own)}
                report.speeds.append(row)
    kind = "held by torch on the GPU" if device.torch_device.type == "cuda" else "of the process"
    report.notes.append(f"peak memory is that {kind}; texts have {TOKENS} tokens")


def training_speed(backbone: TextBackbone, device: Device, batch: int, steps: int) -> float:
    """Steps of `fit`, dropout and clipping on, timed from the third to the last."""
    return fitting_speed(backbone, device, random_rows((steps + 2) * batch, TOKENS), batch, steps)


def fitting_speed(backbone: Backbone, device: Device, train: Rows, batch: int, steps: int) -> float:
    """Samples per second of `fit` over (steps + 2) batches of rows of two classes."""
    marks: dict[int, float] = {}

    def after_step(step: int, steps_in_all: int) -> None:
        if step in (2, steps_in_all):  # elsewhere the GPU is not waited for
            device.synchronise()
            marks[step] = time.perf_counter()

    settings = TrainSettings(epochs=1, batch_size=batch)
    one = train.subset([0])  # judged after the last step that is timed
    lesson = Lesson(backbone, train, one, settings, device, 0, watch=Watch(step=after_step))
    fit(lesson, new_weights(backbone, 2), AdapterSettings().dropout)
    return steps * batch / (marks[steps + 2] - marks[2])


def plain_speed(backbone: TextBackbone, device: Device, batch: int, steps: int) -> float:
    """Forward passes through one adapter."""
    adapter = make_bank(backbone, 1).adapter(0).to(device.torch_device)
    return inference_speed(backbone, device, batch, steps, lambda: transforms(adapter))


def routed_speed(backbone: TextBackbone, device: Device, batch: int, steps: int) -> float:
    """Router and merge from cached features, then the same forward passes."""
    generator = torch.Generator().manual_seed(0)
    bank = make_bank(backbone, K).to(device.torch_device)
    router = CentroidRouter(RouterSettings(k=KEPT))
    for centroid in torch.randn(K, 1, backbone.hidden_size, generator=generator):
        router.add_task(centroid)
    features = torch.randn(batch, backbone.hidden_size, generator=generator)
    features = features.to(device.torch_device)
    return inference_speed(
        backbone, device, batch, steps, lambda: compose(bank, router.route(features).weights)
    )


@torch.no_grad()
def inference_speed(
    backbone: TextBackbone,
    device: Device,
    batch_size: int,
    steps: int,
    through: Callable[[], dict[str, Callable[[Tensor], Tensor]]],
) -> float:
    batch = backbone.collate(
        random_rows(batch_size, TOKENS).encoding, range(batch_size), device.torch_device
    )
    began = 0.0
    for step in range(steps + 2):
        if step == 2:
            device.synchronise()
            began = time.perf_counter()
        with device.autocast():
            output = backbone(batch, through())
        pool(output.last_hidden_state, batch.attention_mask, "mean")
    device.synchronise()
    return steps * batch_size / (time.perf_counter() - began)


def reset_peak(device: Device) -> None:
    if device.torch_device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device.torch_device)


def peak_memory(device: Device) -> int:
    if device.torch_device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device.torch_device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# Small things


def make_bank(backbone: TextBackbone, adapters: int) -> Bank:
    """Adapters with weights of the size of trained ones, on the CPU."""
    generator = torch.Generator().manual_seed(0)
    settings = AdapterSettings(init="i2i")
    return Bank.stack(
        [
            Adapter.initialise(settings, backbone.sites, backbone.hidden_size, generator)
            for _ in range(adapters)
        ]
    )


def routes(samples: int, adapters: int, kept: int) -> Tensor:
    """(B, K) weights, `kept` of them other than zero in each row."""
    generator = torch.Generator().manual_seed(2)
    weights = torch.rand(samples, adapters, generator=generator) + 0.1
    weights[weights.argsort(dim=1).argsort(dim=1) >= kept] = 0.0
    return weights / weights.sum(dim=1, keepdim=True)


def random_rows(rows: int, tokens: int) -> Rows:
    """Random token ids that every backbone has, all rows of the same length, two classes."""
    draw = random.Random(0)  # noqa: S311 - not for secrets
    ids = [[draw.randrange(5, 1000) for _ in range(tokens)] for _ in range(rows)]
    return Rows(Encoding.from_lists(ids, None, pad_id=0), torch.arange(rows) % 2)


def distance(found: Tensor, wanted: Tensor) -> float:
    """Of two tensors, relative to the second."""
    return float((found - wanted).norm() / wanted.norm())


def norm(tensors: Sequence[Tensor]) -> float:
    return float(sum(tensor.double().square().sum() for tensor in tensors)) ** 0.5


def largest(difference: Tensor) -> float:
    return float(difference.abs().max())


def row_text(learnt: Learnt) -> str:
    return ", ".join(f"{100 * float(value):.1f} %" for value in learnt.matrix[-1])


def write_random_backbone(folder: Path) -> Path:
    """A BERT of MiniLM's shape with random weights, and a tokenizer of the small stream's words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    texts = [text for name in DOMAINS for text, _ in domain(name, train=200).rows["train"]]
    splitter = pre_tokenizers.BertPreTokenizer()
    words = {word for text in texts for word, _ in splitter.pre_tokenize_str(text.lower())}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: number for number, word in enumerate([*special, *sorted(words)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a token
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = splitter
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    roles = ("pad", "unk", "cls", "sep", "mask")
    names = {f"{role}_token": token for role, token in zip(roles, special, strict=True)}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=max(len(vocabulary), 1000),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    BertModel(config).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
