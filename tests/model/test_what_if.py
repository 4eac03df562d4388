"""What-ifs: each is what a model with that change would have answered."""

from __future__ import annotations

import pytest
import torch

from cl_core.errors import UserError
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.predict import Predictor
from cl_core.model.routed_sample import RoutedSample
from cl_core.model.what_if import WhatIf
from cl_core.route.algebra import top_k_softmax
from tests.small_runs import Carry

TEXTS = ["the soup was cold", "a film about a lighthouse", "my parcel came late"]


def ask(
    model: Predictor, encoded: EncodedSamples, task: str | None = None, **changes: object
) -> list[RoutedSample]:
    return model.route(encoded, task=task, what_if=WhatIf(**changes))


def weights(sample: RoutedSample) -> dict[str, float]:
    return {share.task: share.weight for share in sample.shares}


@pytest.fixture
def dam(carry: Carry) -> Predictor:
    run = carry("domains-dil", "dam", name="dam", temperature=0.5)
    return Predictor(run.workspace, run.folder)


def test_nothing_changed_is_the_runs_own_answer(dam: Predictor) -> None:
    assert ask(dam, dam.encode(TEXTS)) == dam.route(TEXTS)


def test_looking_once_serves_every_question(dam: Predictor) -> None:
    encoded = dam.encode(TEXTS)
    before = encoded.features
    for k in (1, 2, 3):
        assert ask(dam, encoded, k=k) == dam.route(TEXTS, k=k)
    assert encoded.features is before


def test_a_forced_adapter_answers_as_it_does_alone(dam: Predictor) -> None:
    encoded = dam.encode(TEXTS)
    for task in dam.tasks:
        for sample in ask(dam, encoded, force=task):
            share = next(task_share for task_share in sample.shares if task_share.task == task)
            assert share.weight == 1.0
            assert sample.prediction == share.alone


def test_a_dropped_adapter_makes_room_for_the_next_best(dam: Predictor) -> None:
    encoded = dam.encode(TEXTS)
    for as_run in dam.route(encoded):
        first = as_run.shares[0].task
        (row,) = [
            dropped
            for dropped in ask(dam, encoded, drop=(first,))
            if dropped.sample == as_run.sample
        ]
        others = [share for share in row.shares if share.task != first]
        scores = torch.tensor([[share.score for share in others]])
        wanted = top_k_softmax(scores, 2, 0.5)[0].tolist()
        assert weights(row)[first] == 0.0
        assert [share.weight for share in others] == pytest.approx(wanted, abs=1e-6)


def test_uniform_is_the_mean_of_those_that_are_left(dam: Predictor) -> None:
    (sample, *_) = ask(dam, dam.encode(TEXTS), uniform=True, drop=("films",))
    assert weights(sample) == pytest.approx(
        {name: 0.0 if name == "films" else 1 / (len(sample.shares) - 1) for name in weights(sample)}
    )


def test_a_router_of_one_adapter_takes_its_second_choice(carry: Carry) -> None:
    run = carry("domains-dil", "epi", name="epi")
    model = Predictor(run.workspace, run.folder)
    (as_run,) = model.route([TEXTS[0]])
    (other,) = model.route([TEXTS[0]], what_if=WhatIf(drop=(as_run.shares[0].task,)))
    scores = {share.task: share.score for share in as_run.shares[1:]}
    assert other.shares[0].weight == 1.0
    assert other.shares[0].task == max(scores, key=lambda task: scores[task])


def test_select_is_the_best_adapter_of_all(dam: Predictor) -> None:
    encoded = dam.encode(TEXTS)
    for sample in ask(dam, encoded, compose="select"):
        assert sample.prediction == sample.shares[0].alone


def test_l2r_without_an_adapter_shares_its_weight_among_the_others(carry: Carry) -> None:
    run = carry("domains-dil", "l2r-wavg", name="l2r", memory=0.5, router_epochs=1)
    model = Predictor(run.workspace, run.folder)
    encoded = model.encode(TEXTS)
    (as_run, *_), (other, *_) = model.route(encoded), ask(model, encoded, drop=("films",))
    films = model.tasks.index("films")
    first = next(
        iter(as_run.per_block or {})
    )  # what enters the first block does not depend on adapters
    left = [w for at, w in enumerate((as_run.per_block or {})[first]) if at != films]
    shared = [w for at, w in enumerate((other.per_block or {})[first]) if at != films]
    assert shared == pytest.approx([w / sum(left) for w in left], abs=1e-6)
    assert all(block_weights[films] == 0.0 for block_weights in (other.per_block or {}).values())
    (forced, *_) = ask(model, encoded, force="films")
    assert forced.prediction == next(s.alone for s in forced.shares if s.task == "films")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"force": "filmz"}, "no adapter of 'filmz'.*Did you mean 'films'"),
        ({"force": "films", "drop": ("films",)}, "both forced and dropped"),
        ({"drop": ("restaurants", "films", "products")}, "all adapters are dropped|no adapter of"),
    ],
)
def test_changes_that_leave_nothing_are_refused(
    dam: Predictor, changes: dict[str, object], message: str
) -> None:
    if "drop" in changes and "force" not in changes:
        changes = {"drop": tuple(dam.tasks)}
    with pytest.raises(UserError, match=message):
        ask(dam, dam.encode(TEXTS), **changes)


def test_changes_that_a_recipe_has_no_place_for_are_refused(carry: Carry) -> None:
    shared = carry("domains-dil", "sequential", name="shared")
    with pytest.raises(UserError, match="there is nothing to choose"):
        Predictor(shared.workspace, shared.folder).route(TEXTS, what_if=WhatIf(uniform=True))
    l2r = carry("domains-dil", "l2r-wavg", name="l2r", memory=0.5, router_epochs=1)
    with pytest.raises(UserError, match="there is no k"):
        Predictor(l2r.workspace, l2r.folder).route(TEXTS, k=1)
