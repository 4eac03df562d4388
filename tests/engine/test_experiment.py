"""Whole runs: what the methods promise, seen from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import cl_core as cl
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.device import choose_device
from cl_core.reports.report import Report
from cl_core.runs.events import ArtifactEvent, EvaluationEvent
from cl_core.store import Store
from tests.small_runs import Carry


def artifact_events(run: cl.Run, kind: str) -> list[ArtifactEvent]:
    return [
        event
        for event in run.folder.events
        if isinstance(event, ArtifactEvent) and event.kind == kind
    ]


def file_bytes(run: cl.Run, kind: str, name: str) -> bytes:
    key = run.folder.artifacts()[name]
    return (run.workspace.store.folder(kind, key) / "tensors.safetensors").read_bytes()


def test_under_the_oracle_route_forgetting_is_exactly_zero(carry: Carry) -> None:
    for protocol in ("til", "dil"):
        run = carry("domains-dil", "adapters", protocol=protocol, name=f"oracle-{protocol}")
        assert run.metrics["forgetting"] == 0.0
        assert run.metrics["backward_transfer"] == 0.0


class Photographer:
    """A watcher that keeps each adapter's bytes, head included, as they were when it was made."""

    def __init__(self, workspace: Path) -> None:
        self.store = Store(workspace / "store")
        self.pictures: dict[str, bytes] = {}

    def notice(self, message: str) -> None: ...

    def progress(self, done: int, total: int) -> None: ...

    def event(self, event: object) -> None:
        if isinstance(event, ArtifactEvent) and event.kind == "adapter":
            folder = self.store.folder("adapter", event.key)
            self.pictures[event.key] = (folder / "tensors.safetensors").read_bytes()


def test_training_a_task_leaves_every_byte_of_earlier_adapters_and_heads_unchanged(
    carry: Carry, tmp_path: Path
) -> None:
    for recipe in ("dam", "adapters", "sequential"):
        root = tmp_path / recipe
        watcher = Photographer(root)
        run = carry("domains-dil", recipe, name=recipe, workspace=root, watcher=watcher)
        assert len(watcher.pictures) == 3
        for task in run.folder.config.tasks:
            key = run.folder.artifacts()[f"adapter/{task.name}"]
            assert file_bytes(run, "adapter", f"adapter/{task.name}") == watcher.pictures[key]


def test_a_run_leaves_every_byte_of_the_backbone_unchanged(carry: Carry, tiny: Path) -> None:
    device = choose_device("cpu").torch_device
    before = load_backbone(BackboneSettings(name=str(tiny), max_length=24), device)
    files = {path.name: path.read_bytes() for path in tiny.iterdir()}
    carry(name="run")
    assert {path.name: path.read_bytes() for path in tiny.iterdir()} == files
    after = load_backbone(BackboneSettings(name=str(tiny), max_length=24), device)
    assert after.weight_hash() == before.weight_hash()


def test_the_previous_tasks_best_checkpoint_is_where_the_next_one_starts(carry: Carry) -> None:
    # A learning rate of next to nothing leaves the start as it is, up to rounding.
    run = carry("domains-dil", "dam", learning_rate=1e-30, epochs=1, dropout=0.0, name="still")
    store = run.workspace.store
    tensors = [
        store.read("adapter", event.key).tensors for event in artifact_events(run, "adapter")
    ]
    for later in tensors[1:]:
        for name, tensor in tensors[0].items():
            torch.testing.assert_close(later[name], tensor, rtol=0, atol=1e-20)


def test_sequential_and_dam_train_the_very_same_adapters(carry: Carry) -> None:
    dam = carry("domains-dil", "dam", name="dam")
    sequential = carry("domains-dil", "sequential", name="sequential")
    assert [event.key for event in artifact_events(dam, "adapter")] == [
        event.key for event in artifact_events(sequential, "adapter")
    ]
    assert all(event.reused for event in artifact_events(sequential, "adapter"))


def test_k_of_all_and_infinite_temperature_is_the_static_uniform_merge(carry: Carry) -> None:
    dam = carry("domains-dil", "dam", name="dam", k=3, temperature=1e9)
    static = carry("domains-dil", "average-merge", name="static")
    np.testing.assert_array_equal(dam.matrix, static.matrix)


def test_one_adapter_kept_is_selection(carry: Carry) -> None:
    merged = carry("domains-dil", "dam", name="merged", k=1)
    cold = carry("domains-dil", "dam", name="cold", k=2, temperature=1e-9)
    np.testing.assert_array_equal(merged.matrix, cold.matrix)


def test_the_same_seed_gives_the_same_bytes_in_another_workspace(
    carry: Carry, tmp_path: Path
) -> None:
    one = carry(name="run", workspace=tmp_path / "one")
    two = carry(name="run", workspace=tmp_path / "two")
    for table in ("scores.parquet", "routing.parquet"):
        assert (one.folder.path / table).read_bytes() == (two.folder.path / table).read_bytes()
    assert one.folder.artifacts() == two.folder.artifacts()
    for name in one.folder.artifacts():
        kind = name.split("/")[0]
        assert file_bytes(one, kind, name) == file_bytes(two, kind, name)


def test_another_seed_gives_other_adapters(carry: Carry) -> None:
    one, two = carry(name="one"), carry(name="two", seed=1)
    assert not {event.key for event in artifact_events(one, "adapter")} & {
        event.key for event in artifact_events(two, "adapter")
    }


def test_what_is_there_is_not_computed_again(carry: Carry) -> None:
    carry("domains-dil", "dam", name="first")
    again = carry("domains-dil", "dam", name="second")
    assert all(event.reused for event in again.folder.events if isinstance(event, ArtifactEvent))


def test_a_longer_stream_trains_only_the_new_task(carry: Carry) -> None:
    carry("domains:n=2", "dam", name="two")
    longer = carry("domains:n=3", "dam", name="three")
    assert [event.reused for event in artifact_events(longer, "adapter")] == [True, True, False]


def test_rows_that_a_new_task_leaves_unchanged_are_looked_up(carry: Carry) -> None:
    oracle = carry("domains-dil", "adapters", name="oracle")
    evaluated = [event for event in oracle.folder.events if isinstance(event, EvaluationEvent)]
    for event in evaluated:
        fresh = event.task == oracle.folder.config.tasks[event.stage - 1].name
        assert event.recomputed == (event.rows if fresh else 0)


def test_looking_up_changes_no_number(carry: Carry, tmp_path: Path) -> None:
    """Every last-stage prediction with look-up equals a fresh model's on the same texts."""
    run = carry("domains-dil", "dam", name="run")
    records = run.folder.table("routing").to_pylist()
    last = [record for record in records if record["stage"] == 3]
    stream = cl.load_stream("domains-dil", limits={"train": 24, "validation": 8, "test": 12})
    for task in stream.tasks:
        texts = list(task.test["text"])
        routed = run.route(*texts)
        names = stream.label_space.names
        wanted = [
            names[record["prediction"]]
            for record in last
            if record["sample_id"].startswith(f"{task.name}/")
        ]
        assert [sample.prediction for sample in routed] == wanted


@pytest.mark.parametrize("rule", ["direct", "compose", "top1"])
def test_every_head_rule_answers_within_the_union_of_seen_labels(carry: Carry, rule: str) -> None:
    run = carry("domains:n=4", "dam", name=rule, head_rule=rule)
    config = run.folder.config
    for record in run.folder.table("routing").to_pylist():
        seen = {label for task in config.tasks[: record["stage"]] for label in task.labels}
        assert record["prediction"] in seen


def test_in_til_answers_come_from_the_tasks_own_labels(carry: Carry) -> None:
    run = carry("domains:n=4", "dam", protocol="til", name="til")
    config = run.folder.config
    for record in run.folder.table("routing").to_pylist():
        assert record["prediction"] in config.tasks[record["true_task"]].labels


def test_forward_transfer_needs_unseen_tasks_and_is_their_score_above_the_untrained_model(
    carry: Carry,
) -> None:
    assert np.isnan(carry(name="seen").metrics["forward_transfer"])
    run = carry(name="unseen", unseen=True)
    report = Report(run.folder)
    ahead = [report.matrix[j - 1, j] - report.untrained[j] for j in range(1, 3)]
    assert run.metrics["forward_transfer"] == pytest.approx(np.mean(ahead))


def test_any_mix_of_slots_is_a_recipe(carry: Carry) -> None:
    mix = cl.Recipe(initialise="closest", train="isolated", route="centroid", compose="average")
    assert carry("domains-dil", mix, name="mix").folder.status == "finished"


def test_a_run_folder_explains_itself(carry: Carry) -> None:
    run = carry(name="run")
    names = {path.name for path in run.folder.path.iterdir()}
    assert names >= {
        "run.yaml",
        "environment.json",
        "events.jsonl",
        "scores.parquet",
        "routing.parquet",
        "artifacts.json",
    }
    environment = json.loads((run.folder.path / "environment.json").read_text())
    assert environment["packages"]["torch"]
    assert "cpu" in environment["device"]
    assert "as asked" in environment["device"]


def test_a_truncated_artifact_is_named_and_computed_again_with_the_same_bytes(carry: Carry) -> None:
    run = carry(name="run")
    task = run.folder.config.tasks[1].name
    name = f"adapter/{task}"
    content = file_bytes(run, "adapter", name)
    key = run.folder.artifacts()[name]
    path = run.workspace.store.folder("adapter", key) / "tensors.safetensors"
    path.write_bytes(content[: len(content) // 2])
    scores = (run.folder.path / "scores.parquet").read_bytes()
    run.resume()
    warnings = [event.message for event in run.folder.events if event.type == "warning"]
    damaged = [warning for warning in warnings if "learnt nothing" not in warning]
    assert len(damaged) == 1
    assert f"adapter/{key}" in damaged[0]
    assert file_bytes(run, "adapter", name) == content
    assert (run.folder.path / "scores.parquet").read_bytes() == scores


@pytest.mark.parametrize(
    "changed", [{"max_length": 12}, {"layer": -1}, {"pooling": "cls"}, {"limit_train": 20}]
)
def test_a_router_that_has_seen_other_features_has_another_key(
    carry: Carry, changed: dict[str, object]
) -> None:
    one, two = carry(name="one"), carry(name="two", **changed)
    assert one.folder.artifacts()["router/3"] != two.folder.artifacts()["router/3"]


def test_k_and_temperature_change_neither_adapters_nor_router(carry: Carry) -> None:
    one, two = carry(name="one"), carry(name="two", k=1, temperature=0.5)
    for name, artifact_key in one.folder.artifacts().items():
        if name.startswith(("adapter/", "router/")):
            assert two.folder.artifacts()[name] == artifact_key


def test_parameters_are_counted_as_they_are(carry: Carry) -> None:
    cost = Report(carry("domains:n=4", "dam", name="dam").folder).cost
    width, hidden, sites = 2, 16, 6
    adapter = sites * (2 * width * hidden + width + hidden)
    head = 2 * hidden + 2
    assert cost["trainable_parameters"] == adapter + head
    assert cost["stored_parameters"] == 4 * (adapter + head) + 4 * hidden
    assert cost["active_parameters"] == cost["backbone_parameters"] + 2 * (adapter + head)
    shared = Report(carry("domains:n=4", "sequential", name="sequential").folder).cost
    assert shared["stored_parameters"] == adapter + 4 * head
