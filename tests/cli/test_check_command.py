"""`adapter-lab check`: what was read of each task, what is wrong with it, and nothing trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from app.workers.check_worker import CheckRequest, answer
from cl_core.errors import Faults
from cl_core.tasks.stream_loader import load_stream
from tests.cli.conftest import Command

STREAM = """name: reviews
protocol: dil
tasks:
  - {name: books, path: books}
  - {name: films, path: films.csv}
"""


def rows(*labels: str) -> str:
    return "text,label\n" + "".join(
        f"{label} text {n},{label}\n" for n in range(20) for label in labels
    )


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """Two domains, of which one lacks a class; beside the first lies what nobody reads."""
    (tmp_path / "books").mkdir()
    (tmp_path / "books/train.csv").write_text(rows("bad", "fair", "good"))
    (tmp_path / "books/test.csv").write_text(
        rows("bad", "fair", "good").replace(" text ", " test ")
    )
    (tmp_path / "books/unlabelled.csv").write_text("text\nnothing\n")
    (tmp_path / "films.csv").write_text(rows("bad", "good"))
    file = tmp_path / "stream.yaml"
    file.write_text(STREAM)
    return file


def test_it_says_what_was_read_of_each_task(lab: Command, stream: Path) -> None:
    said = lab("check", str(stream))
    assert said.status == 0
    assert "test: 60 rows of books/test.csv" in said.out
    assert "not used: " in said.out
    assert "unlabelled.csv" in said.out
    assert "bad text 0" in said.out
    assert "no training samples of class 'fair', which other tasks have" in said.out
    assert not (stream.parent / "workspace").exists()


def test_machines_get_the_same_as_json(lab: Command, stream: Path) -> None:
    said = json.loads(lab("check", str(stream), "--json").out)
    books, films = said["tasks"]
    assert books["files"]["test"] == "books/test.csv"
    assert books["classes"] == ["bad", "fair", "good"]
    assert books["counts"]["test"] == [20, 20, 20]
    assert books["rows"]["train"] + books["rows"]["validation"] == 60
    assert any("unlabelled.csv" in line for line in books["unused"])
    assert {row["label"] for row in films["samples"]} == {"bad", "good"}
    assert said["faults"] == []


def test_it_says_on_what_transparent_pictures_are_laid(lab: Command, tmp_path: Path) -> None:
    for kind in ("cat", "dog"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(12):
            mode = "RGBA" if kind == "cat" else "RGB"
            shade = (number, number, 0, 90) if kind == "cat" else (number, 0, number)
            Image.new(mode, (4, 4), shade).save(tmp_path / "pets" / kind / f"{number}.png")
    file = tmp_path / "stream.yaml"
    file.write_text(
        "name: s\nprotocol: til\ntasks:\n"
        '  - {name: pets, kind: image, path: pets, ground: "#203040"}\n'
    )
    said = lab("check", str(file))
    assert "12 pictures with transparent parts, laid on #203040 (ground)" in said.out
    (task,) = json.loads(lab("check", str(file), "--json").out)["tasks"]
    assert (task["transparent"], task["ground"]) == (12, "#203040")


def test_all_faults_are_said_at_once_and_the_status_is_that_of_a_mistake(
    lab: Command, stream: Path
) -> None:
    (stream.parent / "films.csv").write_text(rows("bad", "Good") + ",bad\n")
    said = lab("check", str(stream))
    assert said.status == 2
    assert "'text' is empty in row 41" in said.out
    assert "'good' and 'Good' (capital and small letters)" in said.out
    machine = lab("check", str(stream), "--json")
    assert machine.status == 2
    faults = json.loads(machine.out)["faults"]
    assert len(faults) == 2
    assert [fault["rows"] for fault in faults if "empty" in fault["problem"]] == [[41]]
    with pytest.raises(Faults) as caught:
        load_stream(stream)
    assert len(caught.value.faults) == len(faults)


def test_a_stream_file_that_cannot_be_read_is_a_fault_for_machines_too(
    lab: Command, stream: Path
) -> None:
    stream.write_text(STREAM.replace("dil", "dli"))
    said = lab("check", str(stream), "--json")
    assert said.status == 2
    assert "Did you mean 'dil'" in json.loads(said.out)["faults"][0]["problem"]


def test_the_browser_s_cards_say_the_same(lab: Command, stream: Path) -> None:
    said = json.loads(lab("check", str(stream), "--json").out)
    card = answer(CheckRequest(source=str(stream)))
    assert card["warnings"] == said["warnings"]
    assert card["faults"] == said["faults"]
    for shown, task in zip(card["tasks"], said["tasks"], strict=True):
        for part in ("name", "files", "unused", "rows", "classes", "counts"):
            assert shown[part] == task[part]
        assert [row["text"] for row in shown["samples"]] == [row["text"] for row in task["samples"]]


def test_a_held_out_task_without_training_rows_is_no_fault(lab: Command, stream: Path) -> None:
    (stream.parent / "songs").mkdir()
    (stream.parent / "songs/test.csv").write_text(rows("good"))
    stream.write_text(STREAM + "held_out:\n  - {name: songs, path: songs}\n")
    assert lab("check", str(stream)).status == 0
    assert answer(CheckRequest(source=str(stream)))["faults"] == []


def test_the_command_that_it_ends_with_runs_what_was_checked(lab: Command, stream: Path) -> None:
    spaced = stream.with_name("my stream.yaml")
    spaced.write_text(STREAM.replace("films.csv}", "films.csv, limit: {train: 9}}"))
    said = lab("check", str(spaced), "--protocol", "til")
    assert said.out.rstrip().endswith(f"adapter-lab run --stream '{spaced}' --protocol til")
    assert "of which a run gets at most 9 train rows (limit)" in said.out
