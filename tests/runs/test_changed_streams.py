"""A run whose stream file says something else by now goes on with nothing, and answers nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import cl_core as cl
from cl_core.analysis.oracle_answers import explain_losses
from cl_core.analysis.static_merge import merge_run
from cl_core.engine.launch import reopen
from cl_core.errors import UserError
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.small_runs import SMALL

ROWS = "train=8,validation=4,test=4"
NAMES = ("films", "products", "tickets")


def spec(**changed: Any) -> dict[str, Any]:
    tasks = [{"name": name, "builtin": f"domains/{name}:{ROWS}"} for name in NAMES]
    return {"name": "mine", "protocol": "cil", "tasks": tasks, **changed}


def swapped(held: dict[str, Any]) -> dict[str, Any]:
    first, second, third = held["tasks"]
    return {**held, "tasks": [second, first, third]}


def held_out(held: dict[str, Any]) -> dict[str, Any]:
    *tasks, last = held["tasks"]
    return {**held, "tasks": tasks, "held_out": [last]}


def shared(held: dict[str, Any]) -> dict[str, Any]:
    return {**held, "shared_labels": True}


@pytest.fixture
def run(tiny: Path, tmp_path: Path) -> RunFolder:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(spec()))
    options = {**SMALL, "epochs": 1, "backbone": str(tiny), "device": "cpu"}
    cl.run(str(file), "dam", name="one", workspace=tmp_path / "workspace", **options)
    return Workspace(tmp_path / "workspace").find("one")


@pytest.mark.parametrize(
    ("change", "named"),
    [(swapped, "the order of its tasks"), (held_out, "which of them"), (shared, "labels")],
)
def test_a_stream_of_the_same_data_that_is_another_is_refused(
    run: RunFolder, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], named: str
) -> None:
    workspace, before = Workspace(tmp_path / "workspace"), run.path / "scores.parquet"
    content = before.read_bytes()
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(change(spec())))
    for act in (
        lambda: reopen(run),
        lambda: merge_run(workspace, run),
        lambda: explain_losses(workspace, run),
    ):
        with pytest.raises(UserError, match=f"cannot go on: .*{named}.* changed since it began"):
            act()
    assert before.read_bytes() == content


def test_a_file_that_says_the_same_in_other_words_goes_on(run: RunFolder, tmp_path: Path) -> None:
    renamed = {**spec(), "name": "called otherwise"}
    (tmp_path / "mine.yaml").write_text(f"# once more\n{yaml.safe_dump(renamed)}")
    assert [task.name for task in reopen(run).tasks] == [*NAMES]
