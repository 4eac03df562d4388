"""`benchmarks/checks/compare_checkouts.py` names every file of two workspaces that differs in more than its times."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from app.data.runs import DEMONSTRATION
from benchmarks.checks.compare_checkouts import differences, files


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with a run and an artifact each, which are the same."""
    for name in ("before", "after"):
        shutil.copytree(DEMONSTRATION / "runs" / "dam", tmp_path / name / "runs" / "dam")
        artifact = next((DEMONSTRATION / "store" / "adapter").iterdir())
        shutil.copytree(artifact, tmp_path / name / "store" / "adapter" / artifact.name)
    return tmp_path / "before", tmp_path / "after"


def compared(places: tuple[Path, Path]) -> list[str]:
    return list(differences(*map(files, places)))


def test_the_same_files_do_not_differ_nor_do_their_times(places: tuple[Path, Path]) -> None:
    events = places[1] / "runs" / "dam" / "events.jsonl"
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    changed = [
        {**line, **{name: 0 for name in ("time", "seconds") if name in line}} for line in lines
    ]
    events.write_text("".join(json.dumps(line) + "\n" for line in changed))
    (places[1] / "runs" / "dam" / "environment.json").write_text("{}")
    assert compared(places) == []


def test_each_kind_of_difference_is_named_with_its_place(places: tuple[Path, Path]) -> None:
    run, store = places[1] / "runs" / "dam", places[1] / "store" / "adapter"
    table = pq.read_table(run / "scores.parquet")
    values = table["value"].to_numpy() + 1e-9
    pq.write_table(table.set_column(4, "value", [values]), run / "scores.parquet")
    names = json.loads((run / "artifacts.json").read_text())
    first = next(iter(names))
    (run / "artifacts.json").write_text(json.dumps({**names, first: "another"}))
    tensors = next(store.glob("*/tensors.safetensors"))
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"\x01")
    (store / "new").mkdir()
    (store / "new" / "meta.json").write_text("{}")
    differences = dict(line.split(": ", 1) for line in compared(places))
    assert differences["runs/dam/scores.parquet"] == "columns value"
    assert differences["runs/dam/artifacts.json"].startswith(first)
    assert differences["store/adapter/new/meta.json"] == "only after"
    assert differences[str(tensors.relative_to(places[1]))].startswith("numbers, by ")
    assert len(differences) == 4
