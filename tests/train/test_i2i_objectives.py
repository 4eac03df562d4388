"""I2I's phases: what moves in each, what it learns, and what a share of the rows is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.fusion import Fusion, FusionWeights, fuse, identity_penalty
from cl_core.adapters.heads import Head
from cl_core.adapters.settings import AdapterSettings
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.initialise.improvised import draw_share
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.fusion_objective import FusionObjective, fit_fusion
from cl_core.train.i2i_objectives import (
    Distillation,
    HeadAndProjection,
    distil,
    fit_head,
    masked_mse,
)
from cl_core.train.settings import TrainSettings
from tests.backbones.checkpoints import write_checkpoint

SETTINGS = TrainSettings(epochs=4, batch_size=4, learning_rate=1e-2)
SEED = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint("bert", tmp_path_factory.mktemp("improvise") / "bert")


@pytest.fixture
def backbone(folder: Path, device: torch.device) -> TextBackbone:
    return load_backbone(BackboneSettings(name=str(folder), max_length=24), device)


@pytest.fixture
def training_device(device: torch.device) -> Device:
    return Device(device, bfloat16=False, reason="the test's device")


def rows(backbone: TextBackbone, count: int) -> Rows:
    texts = ["good fine nice day" if i % 2 else "bad awful poor night" for i in range(count)]
    return Rows(backbone.tokenize(texts), torch.tensor([i % 2 for i in range(count)]))


def adapter(backbone: TextBackbone, seed: int, scale: float = 0.3) -> Adapter:
    fresh = Adapter.initialise(
        AdapterSettings(reduction=4), backbone.sites, backbone.hidden_size, torch.Generator()
    )
    generator = torch.Generator().manual_seed(seed)
    for tensor in fresh.parameters():
        tensor.normal_(0.0, scale, generator=generator)
    return fresh.to(backbone.device)


def head(backbone: TextBackbone, seed: int) -> Head:
    return Head.initialise(2, backbone.hidden_size, torch.Generator().manual_seed(seed))


def context(
    backbone: TextBackbone, data: Rows, training_device: Device, settings: TrainSettings = SETTINGS
) -> TrainingContext[Rows]:
    return TrainingContext(backbone, data, data, settings, training_device, SEED)


def fusion(backbone: TextBackbone, bank: Bank) -> FusionWeights:
    generator = torch.Generator().manual_seed(SEED)
    layers = Fusion.initialise(bank.site_names, backbone.hidden_size, generator)
    return FusionWeights(layers, head(backbone, 1))


def test_phase_1_at_k_2_moves_the_head_alone_and_learns(
    backbone: TextBackbone, training_device: Device
) -> None:
    first = adapter(backbone, 1)
    before = [tensor.clone() for tensor in first.parameters()]
    data = rows(backbone, 16)
    fitted = fit_head(
        context(backbone, data, training_device), HeadAndProjection(head(backbone, 1)), first
    )
    assert all(torch.equal(a, b) for a, b in zip(before, first.parameters(), strict=True))
    losses = [record.validation_loss for record in fitted.history]
    assert losses[-1] < losses[0]
    assert set(fitted.weights.tensors()) == {"head.weight", "head.bias"}


def test_phase_1_at_k_3_moves_fusion_and_head_and_no_adapter(
    backbone: TextBackbone, training_device: Device
) -> None:
    bank = Bank.stack([adapter(backbone, 1), adapter(backbone, 2)])
    before = [tensor.clone() for tensor in bank.parameters()]
    start, data = fusion(backbone, bank), rows(backbone, 16)
    weight_hash = backbone.weight_hash()
    fitted = fit_fusion(context(backbone, data, training_device), start, bank, 0.01)
    assert all(torch.equal(a, b) for a, b in zip(before, bank.parameters(), strict=True))
    assert backbone.weight_hash() == weight_hash
    moved = fitted.weights.tensors()
    for name, tensor in start.tensors().items():
        # The key's bias is the same for every adapter: the softmax does not feel it.
        assert torch.equal(moved[name], tensor) == (name == "fusion.key_bias"), name
    assert fitted.history[-1].validation_loss < fitted.history[0].validation_loss


def test_the_fusions_loss_is_cross_entropy_and_the_distance_of_its_values_from_the_identity(
    backbone: TextBackbone, training_device: Device
) -> None:
    bank = Bank.stack([adapter(backbone, 1), adapter(backbone, 2)])
    data, weights = rows(backbone, 6), fusion(backbone, bank).to(backbone.device)
    with torch.no_grad():
        weights.fusion.value.add_(0.1)
    plain, regularised = (
        FusionObjective(context(backbone, data, training_device), weights, bank, factor).loss(
            range(6)
        )
        for factor in (0.0, 0.01)
    )
    expected = plain + 0.01 * identity_penalty(weights.fusion)
    torch.testing.assert_close(regularised, expected)


def test_a_distilled_adapter_gives_the_hidden_states_of_its_teacher(
    backbone: TextBackbone, training_device: Device
) -> None:
    bank = Bank.stack([adapter(backbone, 1, 0.1), adapter(backbone, 2, 0.1)])
    teacher = fusion(backbone, bank).to(backbone.device)
    data = rows(backbone, 16)
    start = adapter(backbone, 5, 0.02)
    settings = SETTINGS.model_copy(update={"epochs": 30, "patience": None})
    fitted = distil(
        context(backbone, data, training_device, settings),
        start,
        lambda: fuse(bank, teacher.fusion),
        teacher.head,
        0.0,
    )
    losses = [record.validation_loss for record in fitted.history]
    assert min(losses) < 0.2 * losses[0]
    assert set(fitted.weights.tensors()) == set(start.tensors())


def test_what_is_its_own_teacher_has_nothing_to_learn(
    backbone: TextBackbone, training_device: Device
) -> None:
    teacher = adapter(backbone, 1)
    data = rows(backbone, 6)
    objective = Distillation(
        context(backbone, data, training_device),
        teacher,
        lambda: transforms(teacher),
        head(backbone, 1).to(backbone.device),
        0.0,
    )
    assert float(objective.loss(range(6))) == 0.0


def test_padding_has_no_part_in_the_distillation_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    states, wanted = (torch.randn(2, 5, 3, generator=generator) for _ in range(2))
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    expected = torch.cat([(states - wanted)[0, :3], (states - wanted)[1]]).square().mean()
    torch.testing.assert_close(masked_mse(states, wanted, mask), expected)


def test_a_share_is_floored_drawn_without_replacement_and_has_every_class() -> None:
    labels = [0] * 95 + [1] * 4 + [2]
    drawn = draw_share(labels, 0.05, torch.Generator().manual_seed(0))
    assert drawn == sorted(set(drawn))
    assert {labels[row] for row in drawn} == {0, 1, 2}
    assert 5 <= len(drawn) <= 7
    assert draw_share(labels, 1.0, torch.Generator()) == list(range(100))
    assert len(draw_share([0] * 119, 0.05, torch.Generator())) == 5
    again = draw_share(labels, 0.05, torch.Generator().manual_seed(0))
    assert again == drawn
