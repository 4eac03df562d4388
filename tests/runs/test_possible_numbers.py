"""What a run without hashes cannot hold is named with its file, and what any run may hold is not."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.data.runs import DEMONSTRATION
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.remade_runs import remade

Row = dict[str, Any]
Edit = Callable[[list[Row]], list[Row]]


def first(**fields: Any) -> Edit:
    """Changes the first row."""
    return lambda rows: [{**rows[0], **fields}, *rows[1:]]


def last(**fields: Any) -> Edit:
    return lambda rows: [*rows[:-1], {**rows[-1], **fields}]


def twice(rows: list[Row]) -> list[Row]:
    return [*rows, rows[0]]


def without_last(rows: list[Row]) -> list[Row]:
    return rows[:-1]


def without_a_task(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["stage"] < 5 or row.get("true_task") != 2]


def without_a_cell(rows: list[Row]) -> list[Row]:
    return [row for row in rows if (row["stage"], row["task"]) != (5, "restaurants")]


def without_the_end(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["stage"] < 5]


def other_answer(rows: list[Row]) -> list[Row]:
    return [{**rows[0], "correct": not rows[0]["correct"]}, *rows[1:]]


EDITS: list[tuple[str, Edit, str]] = [
    ("scores", first(metric="accuracy", value=math.nan), "the accuracy nan"),
    ("scores", first(metric="macro_f1", value=math.inf), "the macro_f1 inf"),
    ("scores", first(task="nowhere"), "the task 'nowhere', which the run does not have"),
    ("scores", first(protocol="dil"), "under the protocol 'dil'; the run is of 'cil'"),
    ("scores", first(protocol="cil/top1"), "under several protocols"),
    ("scores", first(stage=99), "the stage 99, which lies between 0 and 5"),
    ("scores", first(samples=0), "the samples 0"),
    ("scores", first(samples=10**15), "the samples 1e+15"),
    ("scores", twice, "two rows of stage "),
    ("routing", first(true_task=5), "the true_task 5, which lies between 0 and 4"),
    ("routing", last(stage=6), "the stage 6, which lies between 1 and 5"),
    (
        "routing",
        first(prediction=4, correct=False),
        "the prediction 4, which lies between -1 and 3",
    ),
    ("routing", first(label=-7), "the label -7"),
    ("routing", last(top_k=[99]), "the adapter 99 in top_k, where there are 5"),
    ("routing", last(top_k=[-1]), "the adapter -1 in top_k"),
    ("routing", last(top_k=[]), "no top_k for sample '"),
    ("routing", last(top_k=[1, 0, 1]), "an adapter twice in top_k of sample '"),
    ("routing", last(weights=[1.0, 0.0]), "2 to 5 weights after stage 5"),
    ("routing", last(weights=[math.nan] * 5), "a weights that is not a number"),
    ("routing", last(scores=[math.nan] * 5), "a scores that is not a number"),
    ("routing", last(scores=[1.0]), "other numbers of scores than of weights"),
    ("routing", first(entropy=math.nan), "a entropy that is not a number"),
    ("routing", first(entropy=0.5), "the entropy 0.5 of 1 weights"),
    ("routing", first(margin=math.nan), "a margin that is not a number"),
    ("routing", other_answer, "calls the answer to sample 'restaurants/test/4' wrong"),
    ("routing", twice, "two rows of stage 1, true_task 0, sample_id restaurants/test/4"),
    ("lost", first(own=math.nan), "a own that is not a number"),
    ("lost", first(true_task=5), "the true_task 5"),
    ("lost", twice, "two rows of stage "),
]
UNEVEN: list[tuple[str, Edit, str]] = [
    ("scores", first(samples=3), "a score of 3 samples of task '"),
    ("scores", without_a_cell, "no accuracy on task 'restaurants' after stage 5"),
    ("scores", without_the_end, "no score after stage 5, though the run came to its end"),
    ("routing", without_last, "routes of 59 samples of task '"),
    ("routing", without_a_task, "routes of 0 samples of task '"),
]
"""What is seen where all of a run is read, and not where a single table is."""


def edited(root: Path, table: str, edit: Edit) -> RunFolder:
    run = remade(Workspace(root), "dam", "bad")
    file = run.path / f"{table}.parquet"
    rows = pq.read_table(file)
    pq.write_table(pa.Table.from_pylist(edit(rows.to_pylist()), rows.schema), file)
    return run


@pytest.mark.parametrize(("table", "edit", "said"), EDITS, ids=[said for *_, said in EDITS])
def test_rows_that_cannot_be_are_named(tmp_path: Path, table: Any, edit: Edit, said: str) -> None:
    run = edited(tmp_path, table, edit)
    with pytest.raises(DamagedFile) as refused:
        run.table(table)
    assert refused.value.fault.startswith(f"{table}.parquet ")
    assert said in refused.value.fault
    assert refused.value.said in run.faults()


@pytest.mark.parametrize(("table", "edit", "said"), UNEVEN, ids=[said for *_, said in UNEVEN])
def test_rows_too_many_or_too_few_are_named(
    tmp_path: Path, table: Any, edit: Edit, said: str
) -> None:
    run = edited(tmp_path, table, edit)
    assert run.table(table).num_rows
    (fault,) = run.faults()
    assert fault.startswith(f"{table}.parquet holds ")
    assert said in fault


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        ("epoch", "epoch", -1, "the epoch -1"),
        ("epoch", "epochs", 10**300, "the epochs 1e+300"),
        ("epoch", "epochs", math.nan, "the epochs of an event is 'nan'"),
        ("epoch", "train_loss", -(10**400), "the train_loss"),
        ("epoch", "validation_loss", -0.5, "the validation_loss -0.5"),
        ("epoch", "validation_accuracy", "much", "the validation_accuracy of an event is 'much'"),
        ("made", "seconds", 1e308, "the seconds 1e+308"),
        ("made", "rows", -5, "the rows -5"),
        ("parameters", "memory_rows", -5, "the memory_rows -5"),
        ("parameters", "stored_parameters", -5, "the stored_parameters -5"),
        ("evaluated", "accuracy", math.nan, "the accuracy nan"),
        ("evaluated", "recomputed", -5, "the recomputed -5"),
        ("finished", "peak_memory_bytes", -5, "the peak_memory_bytes -5"),
        ("finished", "time", "2026-13-45", "the time '2026-13-45', which is no moment"),
        ("started", "time", "", "the time '', which is no moment"),
    ],
)
def test_events_that_cannot_be_are_named(
    tmp_path: Path, kind: str, field: str, value: Any, said: str
) -> None:
    run = remade(Workspace(tmp_path), "dam", "bad")
    file = run.path / "events.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    next(event for event in events if event["type"] == kind)[field] = value
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert run.status == "damaged"
    assert run.fault.startswith("events.jsonl ")
    assert said in run.fault


def test_what_another_version_writes_and_what_diverged_is_no_fault(tmp_path: Path) -> None:
    run = remade(Workspace(tmp_path), "dam", "good")
    file = run.path / "events.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    next(event for event in events if event["type"] == "epoch")["train_loss"] = math.nan
    events.insert(1, {"time": events[0]["time"], "type": "dreamt", "depth": "deep"})
    events.insert(1, {**events[0], "weather": "fine"})
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert run.faults() == []
    assert run.status == "finished"


def test_a_run_that_is_not_finished_is_whole(tmp_path: Path) -> None:
    """Its last stage has scores and no routes yet, or neither."""
    run = edited(tmp_path, "routing", lambda rows: [row for row in rows if row["stage"] < 4])
    events = (run.path / "events.jsonl").read_text().splitlines()
    (run.path / "events.jsonl").write_text("\n".join(events[:-1]) + "\n")
    assert run.faults() == []
    scores = run.table("scores")
    stages = scores["stage"].to_pylist()
    pq.write_table(
        scores.filter(pa.array([stage < 5 for stage in stages])), run.path / "scores.parquet"
    )
    assert run.faults() == []
    assert run.status == "interrupted"


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (DEMONSTRATION / "runs").iterdir() if path.is_dir())
)
def test_bundled_runs_are_whole(name: str) -> None:
    assert RunFolder(DEMONSTRATION / "runs" / name).faults() == []
