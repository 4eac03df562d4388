"""L2R's router training: what moves, what it learns, and that nothing large is formed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.adapters.settings import AdapterSettings
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.errors import RunStopped
from cl_core.route.network import RouterNetwork
from cl_core.route.settings import RouterNetworkSettings
from cl_core.train.context import TrainingContext
from cl_core.train.data import MixedRows
from cl_core.train.loop import TrainingCallbacks, TrainingResult
from cl_core.train.routers import RouterObjective, RoutersAndHeads, fit_routers, split_memory
from cl_core.train.settings import TrainSettings
from tests.backbones.checkpoints import write_checkpoint
from tests.train.test_loop import Kept

CPU = Device(torch.device("cpu"), bfloat16=False, reason="a test")
OWN = RouterNetworkSettings(router_epochs=12, router_batch_size=4, router_patience=None)
PLACES = ((0, 1), (2, 3))
TRAIN = TrainSettings(checkpoint_every=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint("bert", tmp_path_factory.mktemp("routers") / "bert")


@pytest.fixture(scope="module")
def backbone(folder: Path) -> TextBackbone:
    return load_backbone(BackboneSettings(name=str(folder), max_length=24), CPU.torch_device)


def memory(backbone: TextBackbone, rows_of_task: int = 12) -> MixedRows:
    """Two tasks told apart by their words; labels by another word."""
    texts, labels, tasks = [], [], []
    for task, words in enumerate((("soup", "waiter"), ("train", "sea"))):
        for i in range(rows_of_task):
            texts.append(f"{words[i % 2]} {words[0]} {'cold' if i % 3 else 'late'}")
            labels.append(PLACES[task][i % 2])
            tasks.append(task)
    return MixedRows(backbone.tokenize(texts), torch.tensor(labels), torch.tensor(tasks))


def make_bank(backbone: TextBackbone, adapters: int = 2, sites: str = "houlsby") -> Bank:
    stacked = []
    for seed in range(adapters):
        fresh = Adapter.initialise(
            AdapterSettings(reduction=4, sites=sites),  # type: ignore[arg-type]
            backbone.sites,
            backbone.hidden_size,
            torch.Generator(),
        )
        generator = torch.Generator().manual_seed(seed)
        for tensor in fresh.parameters():
            tensor.normal_(0.0, 0.3, generator=generator)
        stacked.append(fresh)
    return Bank.stack(stacked)


def start(backbone: TextBackbone, classes: int = 2, tune_heads: bool = False) -> RoutersAndHeads:
    generator = torch.Generator().manual_seed(5)
    network = RouterNetwork.initialise((0, 1, 2), 2, backbone.hidden_size, generator, OWN)
    heads = tuple(
        Head(
            torch.randn(classes, backbone.hidden_size, generator=generator),
            torch.zeros(classes),
        )
        for _ in range(2)
    )
    return RoutersAndHeads(network, heads, tune_heads)


def train(
    backbone: TextBackbone,
    bank: Bank,
    begin: RoutersAndHeads,
    protocol: str = "cil",
    rule: str = "compose",
    how: str = "average",
    kept: Kept | None = None,
    callbacks: TrainingCallbacks | None = None,
) -> TrainingResult[RoutersAndHeads]:
    rows = memory(backbone)
    context = TrainingContext(backbone, rows, rows, TRAIN, CPU, 3, kept, callbacks)
    label_space = LabelSpace(protocol, PLACES, 4, rule)  # type: ignore[arg-type]
    return fit_routers(context, begin, bank, label_space, how, OWN)


def bytes_of(tensors: Sequence[Tensor]) -> list[bytes]:
    return [tensor.detach().numpy().tobytes() for tensor in tensors]


def test_the_epoch_kept_is_the_one_with_the_lowest_loss_on_the_rows_that_judge(
    backbone: TextBackbone,
) -> None:
    bank, rows = make_bank(backbone), memory(backbone)
    fitted = train(backbone, bank, start(backbone))
    losses = [record.validation_loss for record in fitted.history]
    assert len(set(losses)) > 1
    label_space = LabelSpace("cil", PLACES, 4, "compose")
    context = TrainingContext(backbone, rows, rows, TRAIN, CPU, 3)
    kept = RouterObjective(context, fitted.weights, bank, label_space, "average")
    assert kept.validate()[0] == pytest.approx(min(losses), abs=1e-6)


@pytest.mark.parametrize("how", ["average", "merge"])
@pytest.mark.parametrize(
    ("protocol", "rule", "classes"),
    [
        ("cil", "compose", 2),
        ("cil", "direct", 2),
        ("cil", "top1", 2),
        ("til", "direct", 2),
        ("dil", "direct", 4),
    ],
)
def test_the_loss_falls_and_only_the_routers_move(
    backbone: TextBackbone, how: str, protocol: str, rule: str, classes: int
) -> None:
    bank, begin = make_bank(backbone), start(backbone, classes)
    before = bytes_of([*bank.parameters(), *backbone.parameters()])
    heads = bytes_of([t for head in begin.heads for t in head.parameters()])
    fitted = train(backbone, bank, begin, protocol, rule, how)
    assert fitted.history[-1].train_loss < fitted.history[0].train_loss
    assert bytes_of([*bank.parameters(), *backbone.parameters()]) == before
    after = [t for head in fitted.weights.heads for t in head.parameters()]
    assert bytes_of(after) == heads
    assert not torch.equal(fitted.weights.network.weight, begin.network.weight)


def test_heads_move_where_they_are_tuned(backbone: TextBackbone) -> None:
    begin = start(backbone, tune_heads=True)
    fitted = train(backbone, make_bank(backbone), begin)
    assert not torch.equal(fitted.weights.heads[0].weight, begin.heads[0].weight)


def test_a_stop_leaves_no_trace_in_the_result(backbone: TextBackbone) -> None:
    bank = make_bank(backbone)
    whole = train(backbone, bank, start(backbone))
    kept, asked = Kept(), iter(range(100))
    with pytest.raises(RunStopped):
        train(
            backbone,
            bank,
            start(backbone),
            kept=kept,
            callbacks=TrainingCallbacks(stop=lambda: next(asked) > 20),
        )
    resumed = train(backbone, bank, start(backbone), kept=kept)
    assert bytes_of(resumed.weights.parameters()) == bytes_of(whole.weights.parameters())


def test_select_has_no_gradient_for_the_routers_and_is_refused(backbone: TextBackbone) -> None:
    with pytest.raises(ValueError, match="no gradient"):
        train(backbone, make_bank(backbone), start(backbone), how="select")


def test_the_gradient_is_the_slope_of_the_loss(backbone: TextBackbone, folder: Path) -> None:
    """Finite differences in float64, the gates' noise held, along a random direction of the routers."""
    bank, weights = make_bank(backbone), start(backbone)
    rows = memory(backbone, rows_of_task=2)
    settings = BackboneSettings(name=str(folder), max_length=24)
    double = load_backbone(settings, CPU.torch_device).double()
    bank64 = Bank(*(t.double() for t in bank.parameters()), site_names=bank.site_names)
    network = RouterNetwork(
        weights.network.weight.double().requires_grad_(True),
        weights.network.bias.double().requires_grad_(True),
        weights.network.blocks,
        pooling="mean",
    )
    label_space = LabelSpace("cil", PLACES, 4, "compose")
    for how in ("average", "merge"):
        context = TrainingContext(double, rows, rows, TRAIN, CPU, 3)
        trained = RoutersAndHeads(network, weights.heads)
        objective = RouterObjective(context, trained, bank64, label_space, how)

        def loss(objective: RouterObjective = objective) -> Tensor:
            torch.manual_seed(0)  # the same noise each time
            return objective.loss(range(4))

        gradients = torch.autograd.grad(loss(), network.parameters())
        generator = torch.Generator().manual_seed(1)
        direction = [torch.randn(t.shape, generator=generator).double() for t in gradients]
        step, ends = 1e-3, []
        with torch.no_grad():
            for sign in (1, -1):
                for tensor, towards in zip(network.parameters(), direction, strict=True):
                    tensor += sign * step * towards
                ends.append(float(loss()))
                for tensor, towards in zip(network.parameters(), direction, strict=True):
                    tensor -= sign * step * towards
        slope = (ends[0] - ends[1]) / (2 * step)
        wanted = sum(float((g * t).sum()) for g, t in zip(gradients, direction, strict=True))
        # Heads answer in float32, which bounds what differences can show.
        assert slope == pytest.approx(wanted, rel=2e-3, abs=2e-4)


def test_no_tensor_has_every_adapter_s_output_of_every_token(backbone: TextBackbone) -> None:
    """Training keeps nothing of the size of (B, T, K, d) for its backward pass, however many adapters there are."""
    adapters, rows = 8, memory(backbone, rows_of_task=8)
    bank = make_bank(backbone, adapters)
    generator = torch.Generator().manual_seed(5)
    network = RouterNetwork.initialise((0, 1, 2), adapters, backbone.hidden_size, generator, OWN)
    heads = tuple(
        Head(torch.randn(2, backbone.hidden_size, generator=generator), torch.zeros(2))
        for _ in range(adapters)
    )
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    places = [PLACES[task % 2] for task in range(adapters)]
    objective = RouterObjective(
        TrainingContext(backbone, rows, rows, TRAIN, CPU, 3),
        RoutersAndHeads(network, heads),
        bank,
        LabelSpace("cil", places, 4, "direct"),
        "average",
    )
    batch = range(len(rows))
    tokens = backbone.collate(rows.encoding, batch, CPU.torch_device).attention_mask.numel()
    largest = 0

    def seen(tensor: Tensor) -> Tensor:
        nonlocal largest
        largest = max(largest, tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(seen, lambda tensor: tensor):
        objective.loss(batch).backward()
    assert largest < tokens * adapters * backbone.hidden_size


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_each_task_gives_its_share_to_the_rows_that_judge(
    backbone: TextBackbone, share: float
) -> None:
    rows = memory(backbone)
    kept, held = split_memory(rows, share, torch.Generator().manual_seed(0))
    if share == 0:
        assert len(kept) == len(held) == 24  # the training samples judge
        return
    assert len(kept) + len(held) == 24
    wanted = min(round(12 * share), 11)
    assert torch.bincount(held.tasks).tolist() == [wanted, wanted]


def test_a_memory_of_one_row_a_task_is_not_parted(backbone: TextBackbone) -> None:
    rows = memory(backbone, rows_of_task=1)
    kept, held = split_memory(rows, 0.2, torch.Generator())
    assert len(kept) == len(held) == 2
