"""A run whose tables are damaged says which."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.data.runs import DEMONSTRATION
from cl_core.errors import UserError
from cl_core.runs.workspace import Workspace


@pytest.mark.parametrize("name", ["scores", "routing"])
def test_a_table_cut_short_is_named(tmp_path: Path, name: str) -> None:
    shutil.copytree(DEMONSTRATION / "runs" / "dam", tmp_path / "runs" / "dam")
    file = tmp_path / "runs" / "dam" / f"{name}.parquet"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(UserError, match=rf"run 'dam': {name}\.parquet cannot be read: "):
        Workspace(tmp_path).find("dam").table(name)
