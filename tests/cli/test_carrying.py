"""`adapter-lab pack` and `unpack`: a run on another machine."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.cli.conftest import Command


def test_a_run_is_packed_here_and_reported_there(lab: Command, tiny: Path, tmp_path: Path) -> None:
    few = [f"--set={name}" for name in ("limit_train=12", "limit_test=6", "limit_validation=6")]
    few += ["--set=epochs=1", f"--set=backbone={tiny}", "--set=layer=-2", "--set=max_length=16"]
    assert (
        lab("run", "--stream", "domains-dil", "--recipe", "dam", "--name", "one", *few).status == 0
    )
    packed = lab("pack", "one.zip", "--run", "one")
    assert packed.status == 0
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert f"{len(archive.namelist()):,} files" in packed.out
    there = ["--workspace", str(tmp_path / "there")]
    machine = json.loads(lab("pack", "two.zip", "--run", "one", "--json").out)
    assert machine["file"] == "two.zip"
    came = lab("unpack", "one.zip", *there)
    assert came.out.startswith("1 new run: one; ")
    assert lab("report", "one", *there).out == lab("report", "one").out
    again = json.loads(lab("unpack", "one.zip", "--json", *there).out)
    assert (again["runs"], again["already"], again["artifacts"]) == ([], ["one"], 0)


def test_mistakes_end_with_a_message(lab: Command, tmp_path: Path) -> None:
    assert "there is no file 'none.zip'" in lab("unpack", "none.zip").err
    (tmp_path / "text.zip").write_text("no zip")
    broken = lab("unpack", "text.zip")
    assert broken.status == 2
    assert "is no zip archive" in broken.err
    assert "nothing to pack" in lab("pack", "x.zip").err
