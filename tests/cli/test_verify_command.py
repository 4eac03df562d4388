"""What a run wrote carries hashes: what was edited since, or cannot be, is named and not believed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cl_core as cl
from app.data.runs import DEMONSTRATION
from cl_core.archive.pack import archive_contents
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.cli.conftest import Command
from tests.remade_runs import remade, take_model
from tests.small_runs import SMALL

Edit = Callable[[RunFolder], None]


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one small run, `mine`."""
    workspace = tmp_path_factory.mktemp("trained") / "workspace"
    options = {"workspace": workspace, "device": "cpu", "backbone": str(tiny), "name": "mine"}
    cl.run("domains-dil:n=2", "dam", **{**SMALL, "epochs": 1, **options})
    return workspace


@pytest.fixture
def mine(trained: Path, tmp_path: Path, lab: Command) -> RunFolder:
    """The run in a copy of the workspace, which is the one that commands look at."""
    shutil.copytree(trained, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace").find("mine")


def column(run: RunFolder, table: str, name: str, values: Callable[[list[object]], object]) -> None:
    """Edits a column of a table as whoever has pyarrow would."""
    file = run.path / f"{table}.parquet"
    rows = pq.read_table(file)
    index = rows.schema.get_field_index(name)
    edited = pa.array(values(rows[name].to_pylist()), rows.schema.field(name).type)
    pq.write_table(rows.set_column(index, rows.schema.field(name), edited), file)


def better_scores(run: RunFolder) -> None:
    column(run, "scores", "value", lambda values: [3.7 for _ in values])


def likely_scores(run: RunFolder) -> None:
    column(run, "scores", "value", lambda values: [0.99 for _ in values])


def other_routes(run: RunFolder) -> None:
    column(run, "routing", "weights", lambda rows: [row[::-1] for row in rows])  # type: ignore[index]


def another_seed(run: RunFolder) -> None:
    text = (run.path / "run.yaml").read_text()
    (run.path / "run.yaml").write_text(text.replace("seed: 0", "seed: 1", 1))


def other_keys(run: RunFolder) -> None:
    names = json.loads((run.path / "artifacts.json").read_text())
    names["router/1"], names["router/2"] = names["router/2"], names["router/1"]
    (run.path / "artifacts.json").write_text(json.dumps(names))


def another_machine(run: RunFolder) -> None:
    (run.path / "environment.json").write_text(json.dumps({"cores": 4096}))


def smaller_losses(run: RunFolder) -> None:
    text = (run.path / "events.jsonl").read_text()
    (run.path / "events.jsonl").write_text(text.replace('"train_loss":', '"train_loss":0.00'))


def no_routes(run: RunFolder) -> None:
    (run.path / "routing.parquet").unlink()


def no_hashes_that_can_be_read(run: RunFolder) -> None:
    (run.path / "hashes.json").write_text("[")


EDITS: list[tuple[Edit, str]] = [
    (better_scores, "scores.parquet"),
    (likely_scores, "scores.parquet"),
    (other_routes, "routing.parquet"),
    (another_seed, "run.yaml"),
    (other_keys, "artifacts.json"),
    (another_machine, "environment.json"),
    (smaller_losses, "events.jsonl"),
    (no_routes, "routing.parquet"),
    (no_hashes_that_can_be_read, "hashes.json"),
]


def test_what_a_run_wrote_is_whole(lab: Command, mine: RunFolder) -> None:
    assert mine.hashed == [
        *("artifacts.json", "environment.json", "events.jsonl"),
        *("routing.parquet", "run.yaml", "scores.parquet"),
    ]
    said = lab("verify")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("run mine is whole\n1 run, ")
    assert said.out.endswith("artifacts: all whole\n")
    answer = json.loads(lab("verify", "mine", "--json").out)
    assert answer["whole"] is True
    kinds = [part["name"].partition("/")[0] for part in answer["parts"]]
    assert kinds.count("mine") == 1
    assert kinds.count("adapter") == 2
    assert lab("verify", "yours").status == 2


@pytest.mark.parametrize(("edit", "file"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_an_edited_file_is_named_and_not_believed(
    lab: Command, mine: RunFolder, edit: Edit, file: str
) -> None:
    take_model(remade(Workspace(), "dam", "sound"))
    edit(mine)
    listed = {run["run"]: run for run in json.loads(lab("runs", "--json").out)}
    assert {name: run["status"] for name, run in listed.items()} == {
        "mine": "damaged",
        "sound": "finished",
    }
    assert listed["mine"]["message"].startswith(f"{file} ")
    assert f"left out: mine (damaged: {file} " in lab("compare").out
    named = lab("compare", "mine")
    assert (named.status, named.out) == (2, "")
    assert named.err.startswith(f"adapter-lab: run 'mine': {file} ")
    said = lab("verify")
    assert said.status == 1
    assert f"run mine is damaged: {file} " in said.out
    assert "run sound is whole" in said.out
    packed = lab("pack", "edited.zip", "--run", "mine")
    if packed.status == 0:
        refused = lab("unpack", "edited.zip", "--workspace", "other")
        assert refused.status == 2
        assert f"runs/mine/{file} " in refused.err


def test_resume_writes_again_what_can_be_computed_again(lab: Command, mine: RunFolder) -> None:
    files = ("scores.parquet", "routing.parquet", "artifacts.json")
    before = {name: (mine.path / name).read_bytes() for name in files}
    better_scores(mine)
    other_routes(mine)
    other_keys(mine)
    another_machine(mine)
    assert lab("verify").status == 1
    assert lab("resume", "mine").status == 0
    assert lab("verify").status == 0
    no_hashes_that_can_be_read(mine)
    assert lab("resume", "mine").status == 0
    assert lab("verify").status == 0
    assert {name: (mine.path / name).read_bytes() for name in files} == before
    smaller_losses(mine)
    assert "events.jsonl is not as the run wrote it" in lab("resume", "mine").err
    (mine.path / "events.jsonl").unlink()
    assert lab("resume", "mine").status == 0
    assert lab("verify").status == 0


def test_an_adapter_that_was_replaced_with_its_hashes_is_not_loaded(
    lab: Command, mine: RunFolder
) -> None:
    name, key = next((n, k) for n, k in mine.artifacts().items() if n.startswith("adapter/"))
    folder = Workspace().store.folder("adapter", key)
    tensors = folder / "tensors.safetensors"
    whole = tensors.read_bytes()
    edited = whole[:-1] + bytes([whole[-1] ^ 1])
    tensors.write_bytes(edited)
    meta = json.loads((folder / "meta.json").read_text())
    meta["files"]["tensors.safetensors"]["sha256"] = hashlib.sha256(edited).hexdigest()
    (folder / "meta.json").write_text(json.dumps(meta))
    said = lab("verify")
    assert said.status == 1
    assert f"run mine is damaged: {name} in the store is another than its scores" in said.out
    for words in (["route", "mine", "--text", "a"], ["explain", "mine"]):
        refused = lab(*words)
        assert refused.status == 2
        assert f"run 'mine': {name} in the store is another" in refused.err
    assert lab("resume", "mine").status == 0
    assert lab("verify").status == 0
    assert tensors.read_bytes() == whole


def test_a_damaged_artifact_is_named_with_who_computes_it_again(
    lab: Command, mine: RunFolder
) -> None:
    key = mine.artifacts()["router/2"]
    (Workspace().store.folder("router", key) / "tensors.safetensors").write_bytes(b"")
    (Workspace().root / "streams").mkdir()
    (Workspace().root / "streams" / "bad.yaml").write_bytes(b"caf\xe9")
    (Workspace().root / "preferences.json").write_text("[]")
    said = lab("verify")
    assert said.status == 1
    assert f"artifact router/{key} is damaged: tensors.safetensors has 0 bytes instead" in said.out
    assert "; 'adapter-lab resume mine' computes it again" in said.out
    assert "stream streams/bad.yaml is damaged: " in said.out
    assert "settings preferences.json is damaged: " in said.out


def test_runs_made_before_there_were_hashes_are_whole_and_said_to_have_none(lab: Command) -> None:
    said = lab("verify", "--workspace", str(DEMONSTRATION))
    assert said.status == 0
    assert said.out.count("is whole; it carries no hashes: it was made before runs had any") == 7


@pytest.mark.parametrize(
    ("table", "name", "values"),
    [
        ("scores", "value", lambda values: [3.7, *values[1:]]),
        ("scores", "value", lambda values: [*values[1:], -0.5]),
        ("scores", "samples", lambda values: [-1, *values[1:]]),
        ("routing", "weights", lambda rows: [[7.0, -6.0, 0.0, 0.0, 0.0], *rows[1:]]),
        ("routing", "margin", lambda values: [40.0, *values[1:]]),
        ("lost", "own", lambda values: [2.0, *values[1:]]),
    ],
)
def test_a_number_that_cannot_be_damages_a_run_without_hashes_too(
    lab: Command, table: str, name: str, values: Callable[[list[object]], object]
) -> None:
    run = remade(Workspace(), "dam", "bad")
    column(run, table, name, values)
    listed = lab("runs").out
    assert f"bad damaged: {table}.parquet holds the " in listed
    assert lab("report", "bad").status == (0 if table != "scores" else 2) or table == "routing"
    assert lab("verify", "bad").status == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("train_loss", "-3.5"), ("validation_accuracy", "37"), ("accuracy", "1.5"), ("seconds", "-1")],
)
def test_losses_and_times_that_cannot_be_are_named(lab: Command, field: str, value: str) -> None:
    run = remade(Workspace(), "dam", "bad")
    text = (run.path / "events.jsonl").read_text()
    before, _, rest = text.rpartition(f'"{field}":')
    end = min(rest.index(mark) for mark in ",}" if mark in rest)
    (run.path / "events.jsonl").write_text(f'{before}"{field}":{value}{rest[end:]}')
    assert f"bad damaged: events.jsonl holds the {field} {value}" in lab("runs").out


def test_weights_that_do_not_add_up_to_one_are_named(lab: Command) -> None:
    run = remade(Workspace(), "dam", "bad")
    column(run, "routing", "weights", lambda rows: [[0.5] * len(rows[0]), *rows[1:]])  # type: ignore[arg-type, index]
    assert "that add up to 0.5, not to 1; 'adapter-lab resume bad'" in lab("verify", "bad").out


KILLED = """
import os, sys
from pathlib import Path
from cl_core.runs.run_folder import RunFolder
left = int(sys.argv[2])
def watch(event, arguments):
    global left
    if event == "os.rename":
        left -= 1
        if left < 0:
            os._exit(9)
sys.addaudithook(watch)
run = RunFolder(Path(sys.argv[1]))
run.write("environment.json", b'{"new": 1}')
run.write("choices.json", b'{"new": 2}')
"""


def test_killed_between_a_file_and_its_hash_a_run_is_whole(mine: RunFolder, tmp_path: Path) -> None:
    """Two files of which one is there already are six renames: killed before each, either content is believed."""
    ends = []
    for renames in range(7):
        run = RunFolder(tmp_path / "workspace" / "runs" / f"killed-{renames}")
        shutil.copytree(mine.path, run.path)
        words = [sys.executable, "-c", KILLED, str(run.path), str(renames)]
        ends.append(subprocess.run(words, check=False).returncode)
        assert run.faults() == [], renames
        assert run.status == "finished"
        run.take_up()
        assert run.faults() == []
        hashes = json.loads((run.path / "hashes.json").read_text())
        assert "before" not in hashes
        assert ("choices.json" in hashes["files"]) is (run.path / "choices.json").exists()
    assert ends == [9] * 6 + [0]


def test_hashes_of_a_run_that_goes_on_are_not_packed(lab: Command, mine: RunFolder) -> None:
    def names() -> set[str]:
        return {file.name for file in archive_contents(Workspace(), ["mine"]).files}

    assert "hashes.json" in names()
    with RunLock(mine.lock_path):
        assert "hashes.json" not in names()
