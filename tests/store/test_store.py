"""An artifact is whole or absent; a damaged one is named, moved aside and forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from cl_core.errors import UserError
from cl_core.store import Artifact, ReadOnlyError, Store, key
from tests.patience import PATIENCE

INPUTS = {"task": "books", "seed": 0, "settings": {"tau": 0.01, "tasks": ("a", "b")}}
KEY = key("adapter", INPUTS)


def write_one(store: Store) -> Artifact:
    return store.write(
        "adapter",
        KEY,
        INPUTS,
        tensors={"down": torch.arange(12.0).reshape(3, 4), "steps": torch.tensor([7])},
        tables={"scores": pa.table({"accuracy": [0.5, 0.75]})},
        data={"epochs": 3},
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.read("adapter", KEY) is None
    assert not store.has("adapter", KEY)
    write_one(store)
    artifact = Store(tmp_path).read("adapter", KEY)
    assert artifact is not None
    assert torch.equal(artifact.tensors["down"], torch.arange(12.0).reshape(3, 4))
    assert artifact.arrays["steps"].tolist() == [7]
    assert artifact.tables["scores"].to_pydict() == {"accuracy": [0.5, 0.75]}
    assert artifact.data == {"epochs": 3}
    assert artifact.inputs == {
        "task": "books",
        "seed": 0,
        "settings": {"tau": 0.01, "tasks": ["a", "b"]},
    }
    assert store.has("adapter", KEY)
    assert list(store.keys("adapter")) == [KEY]
    assert sorted(contents(artifact.folder)) == [
        "data.json",
        "meta.json",
        "scores.parquet",
        "tensors.safetensors",
    ]


def test_the_same_artifact_has_the_same_bytes(tmp_path: Path) -> None:
    one, other = write_one(Store(tmp_path / "one")), write_one(Store(tmp_path / "other"))
    assert contents(one.folder) == contents(other.folder)


def test_absent_parts_are_empty(tmp_path: Path) -> None:
    store = Store(tmp_path)
    artifact = store.write("adapter", KEY, INPUTS)
    assert (artifact.tensors, artifact.tables, artifact.data) == ({}, {}, None)


def test_the_second_writer_of_a_key_changes_nothing(tmp_path: Path) -> None:
    first = write_one(Store(tmp_path))
    before = {name: (first.folder / name).stat().st_ino for name in contents(first.folder)}
    write_one(Store(tmp_path))
    assert {name: (first.folder / name).stat().st_ino for name in contents(first.folder)} == before
    assert list((tmp_path / ".partial").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["tensors.safetensors", "scores.parquet", "data.json", "meta.json"]
)
@pytest.mark.parametrize("harm", ["truncated", "flipped", "removed", "emptied"])
def test_a_damaged_artifact_is_named_and_moved_aside_and_can_be_written_again(
    tmp_path: Path, name: str, harm: str
) -> None:
    messages: list[str] = []
    store = Store(tmp_path, on_damage=messages.append)
    path = write_one(store).folder / name
    sound = path.read_bytes()
    if harm == "removed":
        path.unlink()
    elif harm == "flipped":
        path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    else:
        path.write_bytes(sound[: len(sound) // 2] if harm == "truncated" else b"")
    assert store.read("adapter", KEY) is None
    (message,) = messages
    assert f"artifact adapter/{KEY} is damaged: {name}" in message
    (aside,) = (tmp_path / ".damaged").iterdir()
    assert aside.name in message
    assert not store.has("adapter", KEY)
    write_one(store)
    assert store.read("adapter", KEY) is not None
    assert path.read_bytes() == sound


def test_writing_over_a_damaged_artifact_replaces_it(tmp_path: Path) -> None:
    messages: list[str] = []
    store = Store(tmp_path, on_damage=messages.append)
    (write_one(store).folder / "data.json").write_bytes(b"{}")
    write_one(store)
    assert "data.json has 2 bytes instead of" in messages[0]
    assert store.read("adapter", KEY) is not None


def test_a_removed_artifact_is_gone_and_can_be_written_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remove("adapter", KEY)  # there is nothing to remove, and that is no fault
    write_one(store)
    store.remove("adapter", KEY)
    assert store.read("adapter", KEY) is None
    assert list(store.keys("adapter")) == list((tmp_path / ".partial").iterdir()) == []
    write_one(store)
    assert store.read("adapter", KEY) is not None


def test_an_artifact_under_another_key_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path, on_damage=lambda message: None)
    folder = write_one(store).folder
    folder.rename(folder.with_name("0" * 64))
    assert store.read("adapter", "0" * 64) is None


def test_damage_is_a_warning_where_nobody_asked_to_be_called(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (write_one(store).folder / "data.json").unlink()
    with pytest.warns(UserWarning, match=r"data\.json is missing"):
        store.read("adapter", KEY)


def test_a_key_that_does_not_belong_to_the_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not the key of this adapter's inputs"):
        Store(tmp_path).write("adapter", "0" * 64, INPUTS)


@pytest.mark.parametrize(("kind", "name"), [("../adapter", KEY), ("adapter", "../../x"), ("", KEY)])
def test_names_cannot_leave_the_store(tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        Store(tmp_path).read(kind, name)


def test_a_store_that_is_only_read_makes_no_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.read("adapter", "0" * 64) is None
    assert list(store.keys("adapter")) == []
    assert not (tmp_path / "store").exists()


def test_leftovers_of_a_day_ago_are_removed_and_younger_ones_kept(tmp_path: Path) -> None:
    Store(tmp_path)
    old, young = tmp_path / ".partial" / "old", tmp_path / ".partial" / "young"
    old.mkdir(parents=True)
    young.mkdir()
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    Store(tmp_path)
    assert [entry.name for entry in (tmp_path / ".partial").iterdir()] == ["young"]


def test_tables_and_json_are_read_without_torch(tmp_path: Path) -> None:
    write_one(Store(tmp_path))
    script = f"""
import sys
from pathlib import Path
import cl_core.evaluate, cl_core.initialise, cl_core.route, cl_core.route.settings
from cl_core.store import Store
artifact = Store(Path({str(tmp_path)!r})).read("adapter", {KEY!r})
assert artifact.data == {{"epochs": 3}}
assert artifact.tables["scores"].num_rows == 2
assert len(artifact.arrays) == 2
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=PATIENCE)


def test_a_read_only_store_is_read_and_never_changed(tmp_path: Path) -> None:
    write_one(Store(tmp_path))
    partial = tmp_path / ".partial" / "leftover"
    partial.mkdir(parents=True)
    os.utime(partial, (0, 0))
    said: list[str] = []
    store = Store(tmp_path, said.append, read_only=True)
    assert store.read("adapter", KEY) is not None
    with pytest.raises(ReadOnlyError, match="read-only"):
        write_one(store)
    with pytest.raises(ReadOnlyError, match="read-only"):
        store.remove("adapter", KEY)
    data = store.folder("adapter", KEY) / "data.json"
    data.write_text("{}")
    assert store.read("adapter", KEY) is None
    assert "damaged" in said[0]
    assert data.read_text() == "{}"
    assert partial.is_dir()
    assert not (tmp_path / ".damaged").exists()


def test_data_that_are_nested_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match=r"nested too deeply.*; remove its folder"):
        Artifact("kind", KEY, {}, tmp_path, ("data.json",)).data  # noqa: B018 - it is read
