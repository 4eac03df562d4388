"""A file is the old one or the new one, and the same content has the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from cl_core.store import write_bytes, write_json, write_text
from cl_core.store.contents import table_bytes, tensor_bytes


def test_writing_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    write_text(path, "a long first version")
    write_bytes(path, b"short")
    assert path.read_bytes() == b"short"
    assert [entry.name for entry in tmp_path.iterdir()] == ["scores.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    (path / "inside").write_text("kept")
    with pytest.raises(OSError, match="taken"):
        write_bytes(path, b"data")  # a file cannot replace a folder
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]
    assert (path / "inside").read_text() == "kept"


def test_json_is_readable_and_keeps_letters_of_all_languages(tmp_path: Path) -> None:
    write_json(tmp_path / "meta.json", {"b": (1, 2), "a": "Yorùbá"})
    text = (tmp_path / "meta.json").read_text(encoding="utf-8")
    assert "Yorùbá" in text
    assert list(json.loads(text)) == ["a", "b"]


def test_tensors_have_the_same_bytes_in_any_order_and_as_views(device: torch.device) -> None:
    bank = torch.arange(24.0).reshape(2, 3, 4).to(device)
    whole = {"down": bank[0], "up": bank[1].clone().requires_grad_()}
    assert tensor_bytes(whole) == tensor_bytes({"up": bank[1], "down": bank[0].cpu()})


def test_tensors_that_share_memory_are_both_written(tmp_path: Path) -> None:
    from safetensors.torch import load

    tensor = torch.arange(6.0).reshape(2, 3)
    read = load(tensor_bytes({"a": tensor, "b": tensor, "t": tensor.T}))
    assert torch.equal(read["a"], read["b"])
    assert torch.equal(read["t"], tensor.T)


def test_tables_have_the_same_bytes_each_time() -> None:
    rows = {"id": [f"task/test/{row}" for row in range(1000)], "weights": [[0.25, 0.75]] * 1000}
    assert table_bytes(pa.table(rows)) == table_bytes(pa.table(rows))
