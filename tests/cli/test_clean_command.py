"""`adapter-lab clean`: sizes first, then it goes."""

from __future__ import annotations

import json
from pathlib import Path

from cl_core.runs.workspace import Workspace
from cl_core.store import key
from tests.cli.conftest import Command


def test_it_lists_first_and_removes_when_told(lab: Command, tmp_path: Path) -> None:
    store = Workspace(tmp_path / "workspace").store
    inputs = {"left": "behind"}
    store.write("adapter", key("adapter", inputs), inputs, data={"filler": "x" * 300_000})
    listed = lab("clean")
    assert "adapter  1          0.3" in listed.out
    assert "--yes removes: 0.3 MB" in listed.out
    assert store.has("adapter", key("adapter", inputs))
    removed = json.loads(lab("clean", "--yes", "--json").out)
    assert removed["removed"] is True
    assert [artifact["kind"] for artifact in removed["artifacts"]] == ["adapter"]
    assert not store.has("adapter", key("adapter", inputs))
    assert "nothing to clean up" in lab("clean", "--yes").out
