"""Every named recipe under every protocol, and what each method promises, seen from the outside of whole runs."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest
import torch

import cl_core as cl
from cl_core.errors import Faults
from cl_core.evaluate.records import weights_of
from cl_core.recipes.named import RECIPES
from cl_core.reports.report import Report
from cl_core.runs.events import ArtifactEvent, ParametersEvent
from tests.small_runs import Carry

QUICK = {"epochs": 1, "router_epochs": 1, "memory": 0.3, "fisher_rows": 4}
AT_THE_END = ("joint",)


def artifact_events(run: cl.Run, kind: str) -> list[ArtifactEvent]:
    return [
        event
        for event in run.folder.events
        if isinstance(event, ArtifactEvent) and event.kind == kind
    ]


def tensors(run: cl.Run, kind: str, name: str) -> dict[str, torch.Tensor]:
    artifact = run.workspace.store.read(kind, run.folder.artifacts()[name])
    assert artifact is not None
    return artifact.tensors


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("protocol", ["til", "cil", "dil"])
def test_every_recipe_runs_under_every_protocol(carry: Carry, recipe: str, protocol: str) -> None:
    run = carry("domains-dil", recipe, protocol=protocol, name="run", **QUICK)
    lower = np.tril(np.ones((3, 3), dtype=bool))
    if recipe in AT_THE_END:
        lower[:2] = False
    assert not np.isnan(run.matrix[lower]).any()
    assert np.isnan(run.matrix[~lower]).all()
    assert "Average accuracy" in run.report()
    counts = [event for event in run.folder.events if isinstance(event, ParametersEvent)][-1]
    assert 0 < counts.trainable_parameters <= counts.stored_parameters
    assert counts.active_parameters > counts.backbone_parameters
    assert (counts.memory_rows > 0) == (recipe in ("l2r-wavg", "l2r-merge", "replay"))


@pytest.mark.parametrize(
    "compose", ["task-arithmetic", "ties", "dare", "fisher", "slerp", "product", "ensemble"]
)
@pytest.mark.parametrize("protocol", ["cil", "dil"])
def test_every_composition_can_follow_the_centroid_router(
    carry: Carry, compose: str, protocol: str
) -> None:
    recipe = cl.Recipe(
        name=compose, initialise="previous", train="isolated", route="centroid", compose=compose
    )
    run = carry("domains-dil", recipe, protocol=protocol, name="run", **QUICK)
    assert 0 <= run.metrics["average_accuracy"] <= 1


@pytest.mark.parametrize("initialise", ["random", "previous", "closest", "improvised"])
def test_improvised_starts_learnt_routes_and_any_other_mix_of_the_papers(
    carry: Carry, initialise: str
) -> None:
    recipe = cl.Recipe(initialise=initialise, train="isolated", route="learned", compose="average")
    run = carry("domains-dil", recipe, name="mix", **QUICK)
    assert run.folder.status == "finished"


def test_l2r_after_dam_on_adapters_of_equal_initialisation_trains_no_adapter_again(
    carry: Carry,
) -> None:
    carry("domains-dil", "dam", name="dam", **QUICK)
    mix = RECIPES["l2r-wavg"].model_copy(update={"initialise": "previous"})
    run = carry("domains-dil", mix, name="l2r", **QUICK)
    assert all(event.reused for event in artifact_events(run, "adapter"))
    assert not any(event.reused for event in artifact_events(run, "network"))


def test_the_routing_record_of_l2r_has_the_weights_of_every_block(carry: Carry) -> None:
    run = carry("domains-dil", "l2r-wavg", name="run", **QUICK)
    records = run.folder.table("routing")
    records = records.filter(pc.equal(records["stage"], 3))
    weights = weights_of(records)
    per_block = np.array(records["per_block"].to_pylist())
    assert per_block.shape[1:] == (3, 3)  # three adapted blocks, three adapters
    np.testing.assert_allclose(per_block.mean(axis=1), weights, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)


def test_routers_at_the_end_alone_are_those_of_the_last_stage(carry: Carry) -> None:
    every = carry("domains-dil", "l2r-wavg", name="every", router_stages="all", **QUICK)
    last = carry("domains-dil", "l2r-wavg", name="last", router_stages="last", **QUICK)
    assert [event.reused for event in artifact_events(last, "network")] == [True]
    np.testing.assert_array_equal(last.matrix[2], every.matrix[2])
    assert np.isnan(last.matrix[:2]).all()


def test_i2i_s_second_adapter_starts_as_the_first_byte_for_byte(carry: Carry) -> None:
    """Invariant 9."""
    run = carry("domains-dil", "i2i-ff", name="run", **QUICK)
    first, second, _ = (task.name for task in run.folder.config.tasks)
    start = next(event for event in artifact_events(run, "distilled") if event.task == second)
    artifact = run.workspace.store.read("distilled", start.key)
    first_adapter = tensors(run, "adapter", f"adapter/{first}")
    assert artifact is not None
    for name, tensor in artifact.tensors.items():
        if name.startswith("adapter."):
            assert torch.equal(tensor, first_adapter[name])


def test_i2i_scores_each_phase_and_its_metrics_follow_from_them(carry: Carry) -> None:
    run = carry("domains-dil", "i2i-ff", name="run", **QUICK)
    scores = run.folder.table("scores").to_pylist()
    second = run.folder.config.tasks[1].name

    def score(metric: str, task: str) -> float:
        return next(r["value"] for r in scores if r["metric"] == metric and r["task"] == task)

    tasks = [task.name for task in run.folder.config.tasks[1:]]
    decay = [
        100
        * (score("phase1_accuracy", t) - score("phase2_accuracy", t))
        / score("phase1_accuracy", t)
        for t in tasks
    ]
    report = Report(run.folder)
    assert report.improvised["distillation_decay"] == pytest.approx(np.mean(decay))
    gained = [
        100
        * (run.matrix[i + 1, i + 1] - score("vanilla_accuracy", t))
        / score("vanilla_accuracy", t)
        for i, t in enumerate(tasks)
    ]
    assert report.improvised["knowledge_transfer"] == pytest.approx(np.mean(gained))
    # At k = 2 the adapter and the head are those of phase 1.
    assert score("phase1_accuracy", second) == score("phase2_accuracy", second)


def test_i2i_s_vanilla_adapters_are_those_of_the_recipe_adapters(carry: Carry) -> None:
    carry("domains-dil", "adapters", name="adapters", **QUICK)
    run = carry("domains-dil", "i2i-ff", name="i2i", **QUICK)
    vanilla = artifact_events(run, "vanilla")
    assert len(vanilla) == 3
    assert all(event.reused for event in vanilla)


def test_under_the_oracle_route_no_recipe_with_adapters_of_its_own_forgets(carry: Carry) -> None:
    """Invariant 8."""
    for recipe in ("adapters", "i2i-ll", "adapter-fusion", "closest-task-init"):
        run = carry("domains-dil", recipe, name=recipe, **QUICK)
        assert run.metrics["forgetting"] == 0.0


def test_different_labels_under_one_label_space_are_refused(carry: Carry) -> None:
    with pytest.raises(Faults, match="label"):
        carry("domains", "l2r-wavg", protocol="dil", name="run", **QUICK)


@pytest.mark.parametrize("selection", ["random", "balanced", "herding", "k-centre", "uncertainty"])
def test_every_memory_selection_serves_l2r(carry: Carry, selection: str) -> None:
    run = carry("domains-dil", "l2r-wavg", name="run", memory_selection=selection, **QUICK)
    kept = artifact_events(run, "memory")
    assert len(kept) == 3
    assert all(event.rows == 7 for event in kept)  # 30 % of 24 rows


@pytest.mark.parametrize("recipe", ["dam", "l2r-wavg", "epi", "sequential"])
def test_a_held_out_task_is_routed_and_scored_but_never_learnt(carry: Carry, recipe: str) -> None:
    run = carry("domains-dil", recipe, name="run", hold_out=("films",), **QUICK)
    learnt = [task.name for task in run.folder.config.tasks]
    assert "films" not in learnt
    assert run.matrix.shape == (2, 2)
    score = Report(run.folder).held_out["films"]
    assert 0 <= score <= 1
    assert "films" in run.report()
    records = run.folder.table("routing")
    # `true_task` counts the tasks that are learnt first, then those held out.
    apart = records.filter(pc.equal(records["true_task"], 2)).to_pylist()
    # Scored at every stage that has a model; each of the 12 rows with weights over what was learnt.
    assert sorted({row["stage"] for row in apart}) == [1, 2]
    assert len(apart) == 24
    assert all(len(row["weights"]) <= len(learnt) for row in apart)
    last = [row for row in apart if row["stage"] == 2]
    assert score == pytest.approx(np.mean([row["correct"] for row in last]))
    assert not any(
        event.task == "films"
        for event in artifact_events(run, "adapter") + artifact_events(run, "shared")
    )


def test_what_must_be_told_the_task_cannot_answer_for_one_it_never_learnt(carry: Carry) -> None:
    for recipe, protocol in (("adapters", "dil"), ("dam", "til")):
        run = carry("domains-dil", recipe, protocol=protocol, hold_out=("films",), **QUICK)
        assert Report(run.folder).held_out == {}
