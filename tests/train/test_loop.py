"""The training loop: what moves, what is chosen, and that a stop leaves no trace in the result."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.heads import Head
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.errors import RunStopped
from cl_core.train.checkpoint import TrainingState
from cl_core.train.classification import Classification, fit
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows, balanced_class_weights
from cl_core.train.loop import TrainingCallbacks, TrainingResult, epoch_order
from cl_core.train.schedule import learning_rate
from cl_core.train.seeds import derive_seed
from cl_core.train.settings import PRESETS, TrainSettings
from tests.backbones.checkpoints import write_checkpoint

SETTINGS = TrainSettings(epochs=3, batch_size=4, learning_rate=1e-2, checkpoint_every=3)
DROPOUT = 0.1


class Kept:
    """Checkpoints in memory, packed and unpacked as the store would."""

    def __init__(self) -> None:
        self.newest: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        self.saved = 0

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        return self.newest

    def save(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
        copies = {name: tensor.clone() for name, tensor in tensors.items()}
        self.newest = copies, TrainingState.from_json(data).to_json()
        self.saved += 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint("bert", tmp_path_factory.mktemp("train") / "bert")


@pytest.fixture
def backbone(folder: Path, device: torch.device) -> TextBackbone:
    return load_backbone(BackboneSettings(name=str(folder), max_length=24), device)


@pytest.fixture
def training_device(device: torch.device) -> Device:
    return Device(device, bfloat16=False, reason="a test")


def make_rows(backbone: TextBackbone, count: int) -> Rows:
    words = ["cold", "soup", "late", "train", "sea", "film"]
    texts = [" ".join(words[(i * 7 + j) % 6] for j in range(3 + i % 5)) for i in range(count)]
    labels = torch.tensor([int("cold" in text) for text in texts])
    return Rows(backbone.tokenize(texts), labels)


def make_start(backbone: TextBackbone) -> TaskWeights:
    generator = torch.Generator().manual_seed(3)
    adapter = Adapter.initialise(
        AdapterSettings(reduction=4), backbone.sites, backbone.hidden_size, generator
    )
    return TaskWeights(adapter, Head.initialise(2, backbone.hidden_size, generator))


def train(backbone: TextBackbone, training_device: Device, **options: Any) -> TrainingResult:
    settings = options.pop("settings", SETTINGS)
    rows, validation = make_rows(backbone, 22), make_rows(backbone, 9)
    start = options.pop("start", None) or make_start(backbone)
    context = TrainingContext(backbone, rows, validation, settings, training_device, 0, **options)
    return fit(context, start, DROPOUT)


def same_bytes(one: TaskWeights, two: TaskWeights) -> bool:
    mine, theirs = one.tensors(), two.tensors()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_training_moves_the_adapter_and_the_head_and_nothing_else(
    backbone: TextBackbone, training_device: Device
) -> None:
    start = make_start(backbone)
    before, frozen = start.clone(), backbone.weight_hash()
    fitted = train(backbone, training_device, start=start)
    assert same_bytes(start, before), "the start was changed in place"
    assert backbone.weight_hash() == frozen
    moved = fitted.weights.tensors()
    assert all(not torch.equal(moved[name], tensor) for name, tensor in before.tensors().items())


def test_training_learns(backbone: TextBackbone, training_device: Device) -> None:
    settings = SETTINGS.model_copy(update={"epochs": 30, "patience": None})
    history = train(backbone, training_device, settings=settings).history
    assert history[-1].train_loss < 0.5 * history[0].train_loss


@pytest.mark.parametrize("stop_at", [1, 5, 6, 7, 11, 17])
def test_a_run_stopped_at_any_step_and_resumed_ends_with_the_same_bytes(
    backbone: TextBackbone, training_device: Device, stop_at: int
) -> None:
    if training_device.torch_device.type != "cpu":
        pytest.skip("promised on the CPU only")
    undisturbed = train(backbone, training_device)
    kept, steps = Kept(), []
    callbacks = TrainingCallbacks(
        step=lambda done, total: steps.append(done), stop=lambda: len(steps) == stop_at
    )
    with pytest.raises(RunStopped):
        train(backbone, training_device, checkpoints=kept, callbacks=callbacks)
    resumed = train(backbone, training_device, checkpoints=kept)
    assert same_bytes(resumed.weights, undisturbed.weights)
    assert resumed.history == undisturbed.history


@pytest.mark.parametrize("kill_at", [2, 4, 8, 14])
def test_a_run_killed_without_a_word_ends_with_the_same_bytes(
    backbone: TextBackbone, training_device: Device, kill_at: int
) -> None:
    if training_device.torch_device.type != "cpu":
        pytest.skip("promised on the CPU only")

    class Killed(BaseException):
        pass

    def step(done: int, total: int) -> None:
        if done == kill_at:
            raise Killed

    kept = Kept()
    with pytest.raises(Killed):
        train(backbone, training_device, checkpoints=kept, callbacks=TrainingCallbacks(step=step))
    resumed = train(backbone, training_device, checkpoints=kept)
    assert same_bytes(resumed.weights, train(backbone, training_device).weights)


def test_how_often_checkpoints_are_written_changes_no_byte(
    backbone: TextBackbone, training_device: Device
) -> None:
    if training_device.torch_device.type != "cpu":
        pytest.skip("promised on the CPU only")
    often, kept = SETTINGS.model_copy(update={"checkpoint_every": 1}), Kept()
    fitted = train(backbone, training_device, settings=often, checkpoints=kept)
    assert kept.saved > 3
    assert same_bytes(fitted.weights, train(backbone, training_device).weights)


def test_the_best_epoch_is_kept_not_the_last(
    backbone: TextBackbone, training_device: Device
) -> None:
    wild = SETTINGS.model_copy(update={"epochs": 8, "learning_rate": 0.3, "patience": None})
    snapshots: list[TaskWeights] = []
    fitted = train(backbone, training_device, settings=wild)
    best = max(
        fitted.history, key=lambda epoch: (epoch.validation_accuracy, -epoch.validation_loss)
    )
    assert best.epoch < 8, "the test needs a run whose last epoch is not its best"
    shorter = train(
        backbone,
        training_device,
        settings=wild,
        callbacks=TrainingCallbacks(epoch=lambda record: snapshots.append(record)),
    )
    assert same_bytes(shorter.weights, fitted.weights)
    moved, judged = fitted.weights.to(training_device.torch_device), make_rows(backbone, 9)
    context = TrainingContext(backbone, judged, judged, wild, training_device, 0)
    loss, accuracy = Classification(context, moved, 0.0).validate()
    assert accuracy == best.validation_accuracy
    assert loss == pytest.approx(best.validation_loss)


def test_patience_ends_training_early(backbone: TextBackbone, training_device: Device) -> None:
    settings = SETTINGS.model_copy(update={"epochs": 50, "patience": 2, "learning_rate": 1e-12})
    assert len(train(backbone, training_device, settings=settings).history) <= 10


def test_training_leaves_the_global_random_state_as_it_was(
    backbone: TextBackbone, training_device: Device
) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(backbone, training_device)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_epoch_takes_every_row_once_in_an_order_of_its_own(backbone: TextBackbone) -> None:
    rows = make_rows(backbone, 22)
    orders = [epoch_order(rows.encoding.lengths, 4, seed=0, epoch=epoch) for epoch in range(2)]
    for order in orders:
        assert sorted(row for batch in order for row in batch) == list(range(22))
    assert orders[0] != orders[1]
    assert orders[0] == epoch_order(rows.encoding.lengths, 4, seed=0, epoch=0)


def test_the_rate_warms_up_linearly_and_falls_linearly() -> None:
    rates = [learning_rate(step, steps=20, peak=1.0, warmup=0.1) for step in range(20)]
    assert rates[:3] == [0.5, 1.0, 1.0]
    falls = [one - two for one, two in itertools.pairwise(rates[2:])]
    assert falls == pytest.approx([1 / 18] * len(falls))
    assert rates[-1] == pytest.approx(1 / 18)


def test_balanced_class_weights_average_to_one_over_the_rows() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    weights = balanced_class_weights(labels, 3)
    assert float(weights[labels].mean()) == pytest.approx(2 / 3)  # two of three classes are there
    assert float(weights[1] / weights[0]) == pytest.approx(3.0)
    assert float(weights[2]) == 0.0


def test_dams_published_settings_are_a_preset() -> None:
    published = TrainSettings(**PRESETS["dam-published"])
    assert (published.beta1, published.beta2, published.learning_rate) == (0.9, 0.95, 5e-5)
    assert (published.epochs, published.warmup, published.clip) == (20, 0.1, 0.1)
    assert published.weight_decay == 0.0


def test_seeds_depend_on_every_part() -> None:
    assert len({derive_seed(0, "a", 1), derive_seed(0, "a", 2), derive_seed(1, "a", 1)}) == 3
    assert derive_seed(0, "a", 1) == derive_seed(0, "a", 1)


def test_training_without_validation_rows_is_refused(
    backbone: TextBackbone, training_device: Device
) -> None:
    none = Rows(backbone.tokenize([]), torch.zeros(0, dtype=torch.int64))
    with pytest.raises(ValueError, match="0 validation samples"):
        TrainingContext(backbone, make_rows(backbone, 4), none, SETTINGS, training_device, 0)
