"""The network of routers inside the forward pass, against a pass taken apart by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.settings import AdapterSettings
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.inference import Inference
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import Encoding, TextBackbone
from cl_core.device import Device
from cl_core.route.network import RouterNetwork, parameter_count
from cl_core.route.routed_pass import RoutedBank, RoutedPass, bank_of_block, routed_states
from cl_core.route.settings import RouterNetworkSettings
from tests.backbones.checkpoints import write_checkpoint

CPU = Device(torch.device("cpu"), bfloat16=False, reason="a test")
TEXTS = ["cold soup", "a late train to the sea and a film", "the waiter saved the evening"]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> TextBackbone:
    folder: Path = write_checkpoint("bert", tmp_path_factory.mktemp("network") / "bert")
    return load_backbone(BackboneSettings(name=str(folder), max_length=24), CPU.torch_device)


def make_bank(backbone: TextBackbone, adapters: int = 3, **settings: object) -> Bank:
    stacked = []
    for seed in range(adapters):
        fresh = Adapter.initialise(
            AdapterSettings(reduction=4, **settings),  # type: ignore[arg-type]
            backbone.sites,
            backbone.hidden_size,
            torch.Generator(),
        )
        generator = torch.Generator().manual_seed(seed)
        for tensor in fresh.parameters():
            tensor.normal_(0.0, 0.3, generator=generator)
        stacked.append(fresh)
    return Bank.stack(stacked)


def make_network(
    backbone: TextBackbone, adapters: int = 3, blocks: tuple[int, ...] = (0, 1, 2), **fields: object
) -> RouterNetwork:
    generator = torch.Generator().manual_seed(7)
    settings = RouterNetworkSettings(**fields)  # type: ignore[arg-type]
    network = RouterNetwork.initialise(blocks, adapters, backbone.hidden_size, generator, settings)
    for tensor in network.parameters():
        tensor.normal_(0.0, 0.5, generator=generator)
    return network


def by_hand(
    backbone: TextBackbone, encoding: Encoding, bank: Bank, network: RouterNetwork, how: str
) -> tuple[Tensor, Tensor]:
    """Block by block: run up to each block, route on what enters it, compose what is known so far.

    Returns (B, T, d) last states and (B, R, K) weights.
    """
    batch = backbone.collate(encoding, range(len(encoding)), CPU.torch_device)
    mask = batch.attention_mask.float().unsqueeze(-1)
    chosen: dict[str, object] = {}
    alphas = []
    for index, block in enumerate(network.blocks):
        states = backbone(batch, chosen, hidden_states=True).hidden_states
        h = states[block]
        pooled = h[:, 0] if network.pooling == "cls" else (h * mask).sum(1) / mask.sum(1)
        router = index if len(network.weight) > 1 else 0
        z = pooled @ network.weight[router].T + network.bias[router]
        m = torch.softmax(z, 1) if network.gate == "softmax" else torch.sigmoid(z)
        alpha = m / (m.sum(dim=1, keepdim=True) + 1e-12)
        alphas.append(alpha)
        chosen |= compose(bank_of_block(bank, block), alpha, how)
    return backbone(batch, chosen).last_hidden_state, torch.stack(alphas, dim=1)


@pytest.mark.parametrize("how", ["average", "merge"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"router_pooling": "cls"},
        {"gate": "softmax"},
        {"shared_router": True},
    ],
)
def test_the_routed_pass_is_the_one_taken_apart_by_hand(
    backbone: TextBackbone, how: str, fields: dict[str, object]
) -> None:
    bank, network = make_bank(backbone), make_network(backbone, **fields)
    encoding = backbone.tokenize(TEXTS)
    with torch.no_grad():
        wanted, alphas = by_hand(backbone, encoding, bank, network, how)
        batch = backbone.collate(encoding, range(3), CPU.torch_device)
        routed = RoutedPass(
            RoutedBank.of(bank, network), network, lambda block: batch.attention_mask, how
        )
        states = routed.run(backbone, batch).last_hidden_state
    kept = batch.attention_mask.bool()
    torch.testing.assert_close(states[kept], wanted[kept], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(routed.alphas, alphas, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(routed.mean_weights, alphas.mean(dim=1), rtol=1e-5, atol=1e-6)


def test_adapters_in_the_upper_blocks_alone_have_routers_there_alone(
    backbone: TextBackbone,
) -> None:
    bank = make_bank(backbone, blocks=2, sites="pfeiffer")
    network = make_network(backbone, blocks=(1, 2))
    states, per_block, weights = routed_states(
        backbone,
        backbone.tokenize(TEXTS),
        range(3),
        bank,
        network,
        "average",
        Inference("mean", 2, CPU),
    )
    assert states.shape == (3, backbone.hidden_size)
    assert per_block.shape == (3, 2, 3)
    torch.testing.assert_close(weights, per_block.mean(dim=1))
    with pytest.raises(ValueError, match="are not all of"):
        RoutedBank.of(make_bank(backbone), network)
    with pytest.raises(ValueError, match="weigh 3 adapters, but the bank has 2"):
        RoutedBank.of(make_bank(backbone, adapters=2, blocks=2), network)


def test_a_sample_depends_neither_on_its_batch_nor_on_padding(backbone: TextBackbone) -> None:
    """Invariant 7."""
    bank, network = make_bank(backbone), make_network(backbone)
    encoding = backbone.tokenize(TEXTS)
    together, apart = (
        routed_states(
            backbone, encoding, range(3), bank, network, "average", Inference("mean", size, CPU)
        )
        for size in (3, 1)
    )
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("how", ["average", "merge"])
def test_a_router_that_opens_one_gate_gives_that_adapter(backbone: TextBackbone, how: str) -> None:
    bank, network = make_bank(backbone), make_network(backbone)
    network.weight.zero_()
    network.bias.copy_(torch.tensor([-80.0, 80.0, -80.0]).expand(3, 3))
    encoding = backbone.tokenize(TEXTS)
    states, per_block, _ = routed_states(
        backbone, encoding, range(3), bank, network, how, Inference("mean", 3, CPU)
    )
    torch.testing.assert_close(per_block, torch.tensor([0.0, 1.0, 0.0]).expand(3, 3, 3))
    batch = backbone.collate(encoding, range(3), CPU.torch_device)
    with torch.no_grad():
        last = backbone(batch, transforms(bank.adapter(1))).last_hidden_state
    mask = batch.attention_mask.float().unsqueeze(-1)
    alone = (last * mask).sum(dim=1) / mask.sum(dim=1)
    torch.testing.assert_close(states, alone, rtol=1e-5, atol=1e-5)


def test_parameters_are_counted_named_and_read_back(backbone: TextBackbone) -> None:
    for shared in (False, True):
        settings = RouterNetworkSettings(shared_router=shared)
        network = make_network(backbone, shared_router=shared)
        count = parameter_count(3, 3, backbone.hidden_size, shared)
        assert network.parameter_count == count
        back = RouterNetwork.from_tensors(network.tensors(), network.blocks, settings)
        assert torch.equal(back.weight, network.weight)
        assert torch.equal(back.bias, network.bias)
    assert parameter_count(6, 5, 384) == 11_550
    with pytest.raises(ValueError, match="2 routers for 3 blocks"):
        RouterNetwork(torch.zeros(2, 3, 4), torch.zeros(2, 3), (0, 1, 2))
