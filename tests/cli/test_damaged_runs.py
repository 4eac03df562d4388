"""A run with a damaged file stops nothing that looks at all runs, and is an error of one sentence where it is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.data.runs import DEMONSTRATION
from cl_core.runs.workspace import Workspace
from tests.cli.conftest import Command
from tests.remade_runs import remade

Damage = Callable[[bytes], bytes]


def cut(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def nothing(whole: bytes) -> bytes:
    return b""


def latin(whole: bytes) -> bytes:
    """One letter of Latin-1, between the first two braces or in the first words."""
    return whole[:-3] + b"\xe9" + whole[-3:] if whole.endswith(b"}\n") else b"caf\xe9" + whole


def deep(whole: bytes) -> bytes:
    return b"[" * 50_000


def other(whole: bytes) -> bytes:
    return b"a: b\n"


def inside(whole: bytes) -> bytes:
    third = len(whole) // 3
    return whole[:third] + bytes(200) + whole[third + 200 :]


def foreign(whole: bytes) -> bytes:
    """A table, of something else."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), sink)
    return bytes(sink.getvalue())


DAMAGED: list[tuple[str, Damage]] = [
    *(("run.yaml", damage) for damage in (cut, nothing, latin, deep, other)),
    ("events.jsonl", latin),
    *(("scores.parquet", damage) for damage in (cut, nothing, other, inside, foreign)),
    *(("routing.parquet", damage) for damage in (cut, inside, foreign)),
    ("lost.parquet", nothing),
    *(("artifacts.json", damage) for damage in (cut, nothing, latin, deep)),
    ("environment.json", other),
]


@pytest.mark.parametrize(
    ("file", "damage"), DAMAGED, ids=[f"{file}-{damage.__name__}" for file, damage in DAMAGED]
)
def test_a_damaged_run_is_left_out_with_its_reason(
    lab: Command, tmp_path: Path, file: str, damage: Damage
) -> None:
    workspace = Workspace()
    remade(workspace, "dam", "sound")
    bad = remade(workspace, "dam", "bad").path / file
    bad.write_bytes(damage(bad.read_bytes()))

    compared = lab("compare")
    assert compared.status == 0, compared.err
    (said,) = [line for line in compared.out.splitlines() if "left out" in line]
    assert f"left out: bad (damaged: {file} cannot be read: " in said
    assert "; put a copy" in said or "writes it anew" in said
    comparison = json.loads(lab("compare", "--json").out)
    assert [line["recipe"] for line in comparison["lines"]] == ["dam"]
    assert lab("compare", "*").status == 0
    for words in (("compare", "bad"), ("compare", "sound", "bad")):
        named = lab(*words)
        assert named.status == 2
        assert named.err.startswith(f"adapter-lab: run 'bad': {file} cannot be read: ")
        assert named.err.count("\n") == 1

    listed = json.loads(lab("runs", "--json").out)
    states = {run["run"]: run["status"] for run in listed}
    if damage is not inside:  # a list reads no rows
        assert states == {"sound": "finished", "bad": "damaged"}
        assert f"bad damaged: {file} cannot be read: " in lab("runs").out
    for words in (("report", "bad"), ("clean",), ("pack", "all.zip")):
        done = lab(*words)
        assert done.status == 0 or done.err.startswith(f"adapter-lab: run 'bad': {file} ")


@pytest.mark.parametrize("to", ["itself", "nowhere"])
@pytest.mark.parametrize("file", list(dict.fromkeys(file for file, _ in DAMAGED)))
def test_a_link_that_leads_nowhere_is_damage_too(
    lab: Command, tmp_path: Path, file: str, to: str
) -> None:
    workspace = Workspace()
    remade(workspace, "dam", "sound")
    bad = remade(workspace, "dam", "bad").path / file
    bad.unlink(missing_ok=True)
    bad.symlink_to(file if to == "itself" else tmp_path / "nowhere")
    why = (
        "its links lead in a circle"
        if to == "itself"
        else "it is not there, or is a link to what is not"
    )

    states = {run["run"]: run["status"] for run in json.loads(lab("runs", "--json").out)}
    assert states == {"sound": "finished", "bad": "damaged"}
    assert f"bad damaged: {file} cannot be read: {why}; " in lab("runs").out
    compared = lab("compare")
    assert (compared.status, compared.out.count(f"left out: bad (damaged: {file} ")) == (0, 1)
    verified = lab("verify", "bad")
    assert (verified.status, verified.out.count(f"{file} cannot be read: {why}")) == (1, 1)
    resumed = [("resume", "bad")] if file in ("run.yaml", "events.jsonl") else []
    for words in [("report", "bad"), ("compare", "bad"), ("clean",), *resumed]:
        done = lab(*words)
        assert done.status == 0 or done.err.startswith("adapter-lab: ")
        assert len(done.err.splitlines()) <= 1
    assert Workspace().find("bad").name == "bad"


def test_scores_of_another_run_are_damage_too(lab: Command) -> None:
    workspace = Workspace()
    remade(workspace, "dam", "sound")
    bad = remade(workspace, "dam", "bad").path / "scores.parquet"
    shutil.copyfile(DEMONSTRATION / "runs" / "clips-dam" / "scores.parquet", bad)
    assert (
        "left out: bad (damaged: scores.parquet holds scores of the task 'what-moved'"
        in lab("compare").out
    )
    bad.unlink()
    assert "left out: bad (damaged: scores.parquet is missing" in lab("compare").out


def test_a_line_that_a_kill_cut_within_a_letter_damages_nothing(lab: Command) -> None:
    events = remade(Workspace(), "dam", "sound").path / "events.jsonl"
    whole = events.read_bytes()
    events.write_bytes(b'{"type":"warning","message":"caf\xc3\n' + whole)
    assert Workspace().find("sound").status == "finished"
    assert lab("compare", "sound").status == 0


def test_nothing_that_a_damaged_run_needs_is_cleaned_up(lab: Command, tmp_path: Path) -> None:
    workspace = Workspace()
    run = remade(workspace, "dam", "bad")
    key = "ab" * 32
    kept = workspace.store.folder("adapter", key)
    kept.mkdir(parents=True)
    (run.path / "artifacts.json").write_bytes(b"")
    (run.path / "events.jsonl").write_bytes(b'{"a": "\xe9"}\n')
    refused = lab("clean")
    assert (refused.status, kept.is_dir()) == (2, True)
    assert "run 'bad': events.jsonl cannot be read" in refused.err


def test_what_the_message_says_mends_it(lab: Command, small: list[str]) -> None:
    assert lab("run", "--stream", "domains-dil", "--name", "mine", *small).status == 0
    run = Workspace().find("mine")
    accuracy = json.loads(lab("report", "mine", "--json").out)["average_accuracy"]
    for name in ("scores.parquet", "routing.parquet", "artifacts.json", "environment.json"):
        (run.path / name).write_bytes(b"")
    assert run.status == "damaged"
    assert lab("resume", "mine").status == 0
    (run.path / "events.jsonl").write_bytes(b'{"a": "\xe9"}\n')
    assert "events.jsonl cannot be read" in lab("resume", "mine").err
    (run.path / "events.jsonl").unlink()
    assert lab("resume", "mine").status == 0
    assert Workspace().find("mine").status == "finished"
    assert json.loads(lab("report", "mine", "--json").out)["average_accuracy"] == accuracy
