"""A run's model on new samples agrees with what the run recorded."""

from __future__ import annotations

import numpy as np
import pytest

import cl_core as cl
from cl_core.errors import UserError
from cl_core.model.predict import Predictor
from tests.small_runs import SMALL, Carry

LIMITS = {split: SMALL[f"limit_{split}"] for split in ("train", "validation", "test")}


def compositions(*names: str) -> list[cl.Recipe]:
    """DAM with another composition in its last slot."""
    return [
        cl.Recipe(name=how, initialise="previous", train="isolated", route="centroid", compose=how)
        for how in names
    ]


@pytest.mark.parametrize(
    ("recipe", "protocol"),
    [
        *[("dam", protocol) for protocol in ("cil", "til", "dil")],
        *[("l2r-wavg", protocol) for protocol in ("cil", "til", "dil")],
        *[(recipe, "dil") for recipe in ("l2r-merge", "i2i-ll", "adapter-fusion", "lwf", "joint")],
        *[(recipe, "cil") for recipe in ("adapters", "adapter-fusion", "epi", "s-prompts")],
        *[(recipe, "cil") for recipe in ("sequential", "replay", "average-merge")],
        *[(recipe, "cil") for recipe in compositions("ensemble", "fisher", "ties", "average")],
        *[(recipe, "dil") for recipe in compositions("ensemble", "fisher", "slerp")],
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_new_samples_are_answered_as_the_run_answered_them(
    carry: Carry, recipe: str | cl.Recipe, protocol: str
) -> None:
    quick = {"epochs": 1, "router_epochs": 2, "fisher_rows": 4, "memory": 0.3}
    run = carry("domains-dil", recipe, protocol=protocol, name="run", **quick)
    stream = cl.load_stream("domains-dil", protocol=protocol, limits=LIMITS)
    names = stream.label_space.names
    records = [row for row in run.folder.table("routing").to_pylist() if row["stage"] == 3]
    for task in stream.tasks:
        routed = run.route(*task.test["text"], task=task.name)
        recorded = [row for row in records if row["sample_id"] in set(task.test["id"])]
        assert [sample.prediction for sample in routed] == [
            names[r["prediction"]] for r in recorded
        ]
        for sample, record in zip(routed, recorded, strict=True):
            weights = [share.weight for share in sample.shares]
            assert sorted(weights) == pytest.approx(sorted(record["weights"]), abs=1e-5)
            assert sample.entropy == pytest.approx(record["entropy"], abs=1e-4)
            assert (sample.per_block is None) == (record["per_block"] is None)
            if sample.per_block is not None:
                np.testing.assert_allclose(
                    list(sample.per_block.values()), record["per_block"], atol=1e-5
                )


@pytest.mark.parametrize("recipe", ["sequential", "replay"])
def test_one_adapter_for_all_tasks_has_no_answer_beside_the_runs(carry: Carry, recipe: str) -> None:
    run = carry("domains", recipe, name="run", epochs=1, memory=0.3)
    routed = [
        sample
        for task in cl.load_stream("domains", limits=LIMITS).tasks
        for sample in run.route(*task.test["text"], task=task.name)
    ]
    (shares,) = {len(sample.shares) for sample in routed}
    assert shares == 1
    said = {(sample.prediction, sample.shares[0].alone) for sample in routed}
    assert all(alone is None or alone == prediction for prediction, alone in said), said
    assert all("from one adapter for all tasks" in str(sample) for sample in routed)
    assert not any("alone" in str(sample) for sample in routed)


def test_an_earlier_stage_knows_only_its_tasks(carry: Carry) -> None:
    run = carry(name="run")
    (sample,) = Predictor(run.workspace, run.folder, stage=2).route(["the soup was cold"])
    assert {share.task for share in sample.shares} == {"restaurants", "films"}
    with pytest.raises(UserError, match="has models of stages 1, 2, 3; stage 4"):
        Predictor(run.workspace, run.folder, stage=4)


def test_what_a_model_must_be_told_it_asks_for(carry: Carry) -> None:
    oracle = carry("domains-dil", "adapters", name="oracle")
    with pytest.raises(UserError, match="told the true task, one of restaurants, films, products"):
        oracle.route("the soup was cold")
    with pytest.raises(UserError, match="no task 'film'"):
        oracle.route("the soup was cold", task="film")
    with pytest.raises(UserError, match="no text"):
        oracle.route(" ", task="films")


def test_a_lost_artifact_is_named_with_the_way_to_make_it_again(carry: Carry) -> None:
    run = carry(name="run")
    key = run.folder.artifacts()["adapter/films"]
    run.workspace.store.remove("adapter", key)
    with pytest.raises(UserError, match=rf"misses its adapter {key[:12]}.*adapter-lab resume run"):
        run.route("the soup was cold")
    run.resume()
    assert run.route("the soup was cold")
