"""One model: routing, states, logits and answers of the same parts, whoever asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.adapters.settings import AdapterSettings
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.device import choose_device
from cl_core.errors import UserError
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.forward_passes import ForwardPasses
from cl_core.model.model import Model
from cl_core.model.model_composition import OnePass, PassPerAdapter, SingleAdapter
from cl_core.model.model_router import NoRouter, ScoreRouter
from cl_core.model.what_if import WhatIf
from cl_core.recipes.settings import make_settings
from cl_core.route.centroid import CentroidRouter

TEXTS = ["the soup was cold", "a film about a lighthouse", "my parcel came late", "not the worst"]
TASKS = ("restaurants", "films", "products")


@pytest.fixture(scope="module")
def passes(tiny: Path) -> ForwardPasses:
    settings = make_settings({}, {"layer": -2, "temperature": 0.5})
    where = choose_device("cpu", "float32")
    backbone = load_backbone(BackboneSettings(name=str(tiny), max_length=24), where.torch_device)
    return ForwardPasses(backbone, settings, where)


@pytest.fixture
def samples(passes: ForwardPasses) -> EncodedSamples:
    return EncodedSamples(passes, passes.backbone.encode({"text": TEXTS}), TEXTS)


@pytest.fixture
def model(passes: ForwardPasses, samples: EncodedSamples) -> Model:
    """Three random adapters with heads over two labels; DAM's router has met each text as a task's only one."""
    draw, backbone = torch.Generator().manual_seed(0), passes.backbone
    size = backbone.hidden_size
    bank = Bank.stack(
        [Adapter.initialise(AdapterSettings(), backbone.sites, size, draw) for _ in TASKS]
    )
    bank = bank.with_parameters(
        [torch.randn(tensor.shape, generator=draw) for tensor in bank.parameters()]
    )
    settings = passes.settings.router
    router = CentroidRouter(settings)
    for index in range(len(TASKS)):
        router.add_task(samples.features[index : index + 1])
    return Model(
        passes=passes,
        bank=bank,
        heads=tuple(Head.initialise(2, backbone.read_size, draw) for _ in TASKS),
        router=ScoreRouter(CentroidRouter, router, settings, reads_features=True, ranks=True),
        composition=OnePass("merge"),
        label_space=LabelSpace("dil", ((0, 1),) * 3, 2),
        tasks=TASKS,
    )


def test_an_answer_is_the_logits_of_the_states_of_the_route(
    model: Model, samples: EncodedSamples
) -> None:
    answer = model.answer(samples)
    routing = model.route(samples)
    assert torch.equal(answer.routing.weights, routing.weights)
    assert routing.weights.argmax(dim=1)[:3].tolist() == [0, 1, 2]
    states = model.states(samples, routing.weights)
    assert states.shape == (4, model.passes.backbone.read_size)
    assert torch.equal(answer.logits, model.logits(states, routing.weights))


@pytest.mark.parametrize("how", ["select", "merge", "average", "ensemble"])
def test_a_forced_adapter_answers_alone_however_adapters_are_composed(
    model: Model, samples: EncodedSamples, how: str
) -> None:
    composition = PassPerAdapter() if how == "ensemble" else OnePass(how)
    for index, task in enumerate(TASKS):
        forced = replace(model, composition=composition).answer(samples, what_if=WhatIf(force=task))
        weights = torch.zeros(4, 3)
        weights[:, index] = 1.0
        assert torch.equal(forced.routing.weights, weights)
        states = model.passes.adapter(samples.encoding, model.bank.adapter(index))
        torch.testing.assert_close(forced.logits, model.heads[index].logits(states))
        assert torch.equal(model.alone(samples, index), forced.logits.argmax(dim=1))


def test_a_what_if_is_another_model_and_leaves_this_one_as_it_is(
    model: Model, samples: EncodedSamples
) -> None:
    before = model.route(samples).weights
    changed = model.changed(WhatIf(k=1, compose="select"))
    assert (changed.route(samples).weights.amax(dim=1) == 1.0).all()
    assert torch.equal(model.route(samples).weights, before)
    assert model.changed(WhatIf()) is model
    dropped = model.changed(WhatIf(drop=("films",))).route(samples)
    assert (dropped.weights[:, 1] == 0).all()
    assert torch.equal(dropped.scores, model.route(samples).scores)


def test_one_adapter_for_all_tasks_gets_every_sample_and_refuses_every_what_if(
    model: Model, samples: EncodedSamples
) -> None:
    one = replace(
        model,
        bank=model.bank.first(1),
        heads=model.heads[:1],
        router=NoRouter(),
        composition=SingleAdapter(),
        tasks=("products",),
    )
    answer = one.answer(samples)
    assert torch.equal(answer.routing.weights, torch.ones(4, 1))
    assert torch.equal(one.alone(samples, 0), answer.logits.argmax(dim=1))
    with pytest.raises(UserError, match="nothing to choose"):
        one.answer(samples, what_if=WhatIf(uniform=True))


def test_what_is_no_known_answer_yet_is_none_of_a_single_adapter_either(
    model: Model, samples: EncodedSamples
) -> None:
    """`vocabulary=seen`: heads have all answers of the stream, also those that no task has brought so far."""
    for label in (0, 1):
        candidates = torch.arange(2) == label
        seen = replace(model, label_space=replace(model.label_space, candidates=candidates))
        assert (seen.answer(samples).logits.argmax(dim=1) == label).all()
        for adapter in range(len(TASKS)):
            assert (seen.alone(samples, adapter) == label).all()
