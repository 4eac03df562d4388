"""Which runs are one line of a comparison, and which are paired: the same recipe on the same data."""

from __future__ import annotations

from pathlib import Path

import pytest

from cl_core.analysis.comparison import compare
from cl_core.analysis.comparison_formats import FORMATS
from cl_core.errors import UserError
from cl_core.recipes.named import RECIPES
from cl_core.runs.workspace import Workspace
from tests.remade_runs import other_data, remade
from tests.small_runs import Carry


def test_runs_of_one_recipe_with_other_settings_are_lines_that_say_so(carry: Carry) -> None:
    runs = [
        carry("domains-dil", "dam", name=f"k{k}-{seed}", k=k, epochs=1, seed=seed).folder
        for k in (1, 2)
        for seed in (0, 1)
    ]
    comparison = compare(runs)
    assert [line.label for line in comparison.lines] == ["dam (k=1)", "dam (k=2)"]
    with pytest.raises(UserError, match=r"'dam' is 2 lines.*give one of these"):
        compare([*runs, carry("domains-dil", "adapters", name="a", epochs=1).folder], against="dam")
    with pytest.raises(UserError, match="no line is called 'dan'"):
        compare(runs, against="dan")
    with pytest.raises(UserError, match=r"no metric 'forgeting'.*'forgetting'"):
        compare(runs, ["forgeting"])


def test_orders_can_be_pooled_and_are_paired_each_with_itself(carry: Carry, tmp_path: Path) -> None:
    names = ("restaurants", "hotels")
    for stem, listed in (("turned", names), ("turned-order2", names[::-1])):
        tasks = "".join(f"  - {{name: {name}, builtin: domains/{name}}}\n" for name in listed)
        text = f"name: {stem}\nprotocol: cil\ntasks:\n{tasks}"
        (tmp_path / f"{stem}.yaml").write_text(text)
    runs = [
        carry(str(path), recipe, name=f"{path.stem}-{recipe}", epochs=1).folder
        for path in (tmp_path / "turned.yaml", tmp_path / "turned-order2.yaml")
        for recipe in ("dam", "adapters")
    ]
    assert len(compare(runs).lines) == 4
    pooled = compare(runs, against="adapters", over_orders=True)
    assert [(line.stream, line.summary("average_accuracy").n) for line in pooled.lines] == [  # type: ignore[union-attr]
        ("turned", 2),
        ("turned", 2),
    ]
    assert {difference.difference.n for difference in pooled.differences} == {2}


def test_a_recipe_is_told_from_another_by_its_slots_too(carry: Carry) -> None:
    mixed = RECIPES["dam"].model_copy(update={"compose": "average"})
    runs = [
        carry("domains-dil", recipe, name=name, epochs=1).folder
        for name, recipe in (("merged", "dam"), ("averaged", mixed))
    ]
    assert len(compare(runs).lines) == 2


def test_runs_are_pooled_by_what_their_tasks_are_and_not_by_a_streams_name(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = remade(workspace, "dam", "first", seed=0)
    renamed = remade(workspace, "dam", "renamed", seed=1, stream_name="a name of my own")
    stranger = remade(workspace, "dam", "stranger", seed=2, **other_data(first.config))
    comparison = compare([first, renamed, stranger])
    assert [sorted(line.runs.values()) for line in comparison.lines] == [
        ["first", "renamed"],
        ["stranger"],
    ]
    name = first.config.stream_name
    assert comparison.lines[0].stream.startswith(f"{name} (also a name of my own)")
    assert len(set(comparison.streams)) == 2, "other tasks of the same name are called otherwise"
    other = remade(workspace, "adapters", "other", seed=2, **other_data(first.config))
    paired = compare([first, stranger, other], against="dam").differences
    assert {
        (difference.line.runs["", 2], difference.reference.runs["", 2]) for difference in paired
    } == {("other", "stranger")}, "nothing is paired across other data"


def test_streams_of_one_name_say_in_which_data_they_differ(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = remade(workspace, "dam", "first")
    settings = first.config.settings
    fewer = settings.data.model_copy(update={"limit_train": 7})
    second = remade(
        workspace,
        "dam",
        "second",
        settings=settings.model_copy(update={"data": fewer}),
        **other_data(first.config),
    )
    name, limit = first.config.stream_name, settings.data.limit_train
    assert compare([first, second]).streams == [
        f"{name} (limit_train={limit})",
        f"{name} (limit_train=7)",
    ]
    assert {line.label for line in compare([first, second]).lines} == {"dam"}


def test_orders_are_the_same_tasks_whatever_their_streams_are_called(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = remade(workspace, "dam", "first", stream_name="mine")
    turned = {"tasks": first.config.tasks[::-1]}
    second = remade(workspace, "dam", "second", stream_name="backwards", **turned)
    rivals = [
        remade(workspace, "l2r-wavg", "third", stream_name="backwards", **turned),
        remade(workspace, "l2r-wavg", "fourth", stream_name="mine"),
    ]
    assert len(compare([first, second]).lines) == 2
    comparison = compare([first, second, *rivals], against="dam", over_orders=True)
    assert [len(line.runs) for line in comparison.lines] == [2, 2]
    dam, l2r = comparison.lines
    order = {name: order_and_seed for order_and_seed, name in dam.runs.items()}
    assert l2r.runs[order["first"]] == "fourth"
    assert l2r.runs[order["second"]] == "third"


def test_every_chosen_run_counts_and_a_repeated_seed_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    runs = [
        remade(workspace, recipe, f"{recipe}-{seed}", seed=seed)
        for recipe in ("dam", "l2r-wavg", "adapters")
        for seed in range(4)
    ]
    again = remade(workspace, "dam", "dam-again", seed=0)
    comparison = compare([*runs, again])
    assert (comparison.runs, len(comparison.lines)) == (12, 3)
    assert comparison.repeats == ("dam-again",)
    assert "not counted twice: dam-again" in FORMATS["text"](comparison)
