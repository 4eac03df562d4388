"""`sweep`, `compare`, `merge` and `export`, as somebody types them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from cl_core.adapters.adapterhub import read_adapterhub
from cl_core.runs.workspace import Workspace
from tests.cli.conftest import Command, machine_readable
from tests.remade_runs import remade


def test_a_sweep_is_compared_and_can_be_looked_at_again(
    lab: Command, small: list[str], tmp_path: Path
) -> None:
    words = [word for word in small if word != "--backbone"]
    position = small.index("--backbone")
    backbone = small[position + 1]
    words.remove(backbone)
    answered = [
        "sweep",
        "domains-dil",
        "--recipe",
        "dam",
        "--recipe",
        "adapters",
        "--seeds",
        "0-1",
        "--against",
        "dam",
        "--set",
        f"backbone={backbone}",
        *words,
    ]
    answer = lab(*answered)
    assert answer.status == 0
    assert "n=2" in answer.out
    assert "difference from dam" in answer.out

    again = [*answered, "--json"]
    assert json.loads(lab(*again).out)["failures"] == []
    comparison = json.loads(lab("compare", "*-dam-*", "--json").out)
    assert [line["recipe"] for line in comparison["lines"]] == ["dam"]
    assert comparison["lines"][0]["metrics"]["average_accuracy"]["n"] == 2

    written = lab("compare", "--format", "markdown", "--output", "table.md")
    assert "written to table.md" in written.out
    assert "| recipe | protocol |" in (tmp_path / "table.md").read_text()
    written = lab("compare", "--json", "--output", "table.json")
    assert json.loads(written.out) == {"file": "table.json"}
    assert machine_readable((tmp_path / "table.json").read_text())["lines"]


def test_adapters_are_taken_out_of_a_run_merged_or_one_by_one(
    lab: Command, small: list[str], tmp_path: Path
) -> None:
    assert lab("run", "--stream", "domains-dil", "--name", "first", *small).status == 0
    answer = lab(
        "merge", "first", "--how", "ties", "--weights", "1,2,3", "--output", "one", "--json"
    )
    merged = json.loads(answer.out)
    assert merged["weights"] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert json.loads((tmp_path / "one" / "adapter.json").read_text())["scores"] == merged["scores"]
    assert "mean" in lab("merge", "first").out
    assert "give numbers" in lab("merge", "first", "--weights", "a,b").err

    task = next(iter(merged["scores"]))
    assert "numbers written" in lab("export", "first", task, "--output", "hub").out
    again = json.loads(lab("export", "first", task, "--output", "again", "--json").out)
    assert again["folder"] == "again"
    assert read_adapterhub(tmp_path / "hub").site_names == tuple(merged["sites"])
    home = str(Path(small[small.index("--backbone") + 1]).parent)
    for file in (tmp_path / "one/adapter.json", tmp_path / "hub/adapter_config.json"):
        assert home not in file.read_text()
    assert "no adapter of task 'x'" in lab("export", "first", "x", "--output", "hub").err


def test_mistakes_are_explained(lab: Command) -> None:
    answer = lab("compare", "nothing-*")
    assert answer.status == 2
    assert "no run fits 'nothing-*'" in answer.err
    assert "there is no run 'nothing'" in lab("compare", "nothing").err
    assert (
        "give numbers and ranges" in lab("sweep", "domains", "--recipe", "dam", "--seeds", "x").err
    )


@pytest.mark.parametrize(
    "words",
    [
        ["report", "odd"],
        ["compare"],
        ["compare", "--against", "dam", "--metric", "forward_transfer"],
        ["runs"],
        ["streams"],
        ["recipes"],
        ["recipes", "dam"],
        ["backbones"],
        ["settings"],
        ["clean"],
        ["pack", "odd.zip", "--run", "odd"],
    ],
)
def test_json_is_json_whatever_the_numbers_are(lab: Command, words: list[str]) -> None:
    workspace = Workspace()
    remade(workspace, "dam", "odd")  # whose forward transfer is not defined
    remade(workspace, "dam", "none", lambda value: math.nan)
    remade(workspace, "adapters", "other", lambda value: math.inf)
    answer = lab(*words, "--json")  # which reads it strictly
    assert answer.status == 0, answer.err
    assert answer.out
