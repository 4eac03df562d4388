"""A run's model on new samples agrees with what the run recorded."""

from __future__ import annotations

import pytest

import cl_core as cl
from cl_core.errors import UserError
from cl_core.lab.inference import Model

from .conftest import SMALL, Carry

LIMITS = {split: SMALL[f"limit_{split}"] for split in ("train", "validation", "test")}


@pytest.mark.parametrize(
    ("recipe", "protocol"),
    [("dam", "cil"), ("dam", "til"), ("dam", "dil"), ("adapters", "cil"), ("sequential", "cil")],
)
def test_new_samples_are_answered_as_the_run_answered_them(
    carry: Carry, recipe: str, protocol: str
) -> None:
    run = carry("domains-dil", recipe, protocol=protocol, name="run")
    stream = cl.load_stream("domains-dil", protocol=protocol, limits=LIMITS)
    names = stream.label_space.names
    records = [each for each in run.folder.table("routing").to_pylist() if each["stage"] == 3]
    for task in stream.tasks:
        routed = run.route(*task.test["text"], task=task.name)
        recorded = [each for each in records if each["sample_id"] in set(task.test["id"])]
        assert [sample.prediction for sample in routed] == [
            names[r["prediction"]] for r in recorded
        ]
        for sample, record in zip(routed, recorded, strict=True):
            by_task = {share.task: share.weight for share in sample.shares}
            weights = [by_task[name] for name in by_task]
            assert sorted(weights) == pytest.approx(sorted(record["weights"]), abs=1e-5)
            assert sample.entropy == pytest.approx(record["entropy"], abs=1e-4)


def test_an_earlier_stage_knows_only_its_tasks(carry: Carry) -> None:
    run = carry(name="run")
    (sample,) = Model(run.workspace, run.folder, stage=2).route(["the soup was cold"])
    assert {share.task for share in sample.shares} == {"restaurants", "films"}
    with pytest.raises(UserError, match="has models of stages 1, 2, 3; stage 4"):
        Model(run.workspace, run.folder, stage=4)


def test_what_a_model_must_be_told_it_asks_for(carry: Carry) -> None:
    oracle = carry("domains-dil", "adapters", name="oracle")
    with pytest.raises(UserError, match="say it with --task, one of restaurants, films, products"):
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
