"""A workspace or some of its runs as a zip, there and back."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

import cl_core as cl
from cl_core.archive.pack import archive_contents, pack, write_zip
from cl_core.archive.unpack import unpack
from cl_core.errors import UserError
from cl_core.reports.report import Report
from cl_core.runs.slices import Slice, save_slice
from cl_core.runs.workspace import Workspace
from tests.small_runs import SMALL

ROWS = "text,label\n" + "".join(f"it was a {word} day,{word}\n" for word in ("good", "bad") * 20)


def test_a_packed_workspace_is_the_same_elsewhere(workspace: Workspace, tmp_path: Path) -> None:
    packed = pack(workspace, tmp_path / "all.zip")
    came = unpack(Workspace(tmp_path / "new"), tmp_path / "all.zip")
    assert came.runs == ("one", "other")
    assert (came.already, came.left_out) == ((), ())
    for file in packed.files:
        assert (tmp_path / "new" / file).read_bytes() == (workspace.root / file).read_bytes()
    there = Workspace(tmp_path / "new").find("one")
    assert there.status == "finished"
    assert Report(there).as_dict() == Report(workspace.find("one")).as_dict()
    assert not list((tmp_path / "new").glob(".*"))


def test_a_run_takes_along_what_it_names_and_nothing_of_others(
    workspace: Workspace, tmp_path: Path
) -> None:
    pack(workspace, tmp_path / "one.zip", ["one"])
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        names = set(archive.namelist())
    assert {name.split("/")[1] for name in names if name.startswith("runs/")} == {"one"}
    one, other = (workspace.find(name).artifacts() for name in ("one", "other"))
    kept = {name.split("/")[2] for name in names if name.startswith("store/")}
    assert set(one.values()) <= kept
    assert not {other[name] for name in other if name.startswith("adapter/")} & kept


def test_a_packed_run_goes_on_where_it_arrives(workspace: Workspace, tmp_path: Path) -> None:
    pack(workspace, tmp_path / "one.zip", ["one"])
    there = Workspace(tmp_path / "new")
    unpack(there, tmp_path / "one.zip")
    config = there.find("one").config
    options = {**SMALL, "epochs": 1, "backbone": config.settings.backbone.name, "device": "cpu"}
    cl.run("domains-dil", "dam", name="again", workspace=there.root, **options)
    artifact_events = [event for event in there.find("again").events if event.type == "made"]
    assert artifact_events
    assert all(event.reused for event in artifact_events)


def test_jobs_locks_and_half_written_files_stay(workspace: Workspace, tmp_path: Path) -> None:
    root = shutil.copytree(workspace.root, tmp_path / "copy")
    (root / "jobs" / "x").mkdir(parents=True)
    (root / "jobs" / "x" / "job.json").write_text("{}")
    (root / "preferences.json").write_text("{}")
    (root / "runs" / "one" / "stop.request").touch()
    (root / "runs" / "one" / ".scores.parquet.1.partial").touch()
    (root / "runs" / "elsewhere").symlink_to(tmp_path)
    names = {file.as_posix() for file in archive_contents(Workspace(root)).files}
    assert "runs/one/run.yaml" in names
    assert not any(
        word in name
        for name in names
        for word in ("jobs", "preferences", ".lock", ".request", ".partial", "elsewhere")
    )


def test_a_stream_of_ones_own_goes_along_with_its_data_and_is_found_again(
    tiny: Path, tmp_path: Path
) -> None:
    here = Workspace(tmp_path / "here")
    for name in ("days", "nights"):
        (here.root / "data" / name).mkdir(parents=True)
        (here.root / "data" / name / "rows.csv").write_text(ROWS)
    (here.root / "streams").mkdir()
    stream = here.root / "streams" / "mine.yaml"
    stream.write_text(
        "name: mine\nprotocol: dil\ntasks:\n  - name: days\n    path: ../data/days/rows.csv\n"
    )
    options = {**SMALL, "epochs": 1, "backbone": str(tiny), "device": "cpu"}
    cl.run(str(stream.resolve()), "dam", name="own", workspace=here.root, **options)
    save_slice(here, Slice(name="hard", run="own", split="test", after=1, samples=("a",)))
    save_slice(here, Slice(name="foreign", run="x", split="test", after=1, samples=("a",)))
    pack(here, tmp_path / "own.zip", ["own"])
    there = Workspace(tmp_path / "there")
    came = unpack(there, tmp_path / "own.zip")
    assert came.others == 3
    arrived = {
        path.relative_to(there.root).as_posix() for path in there.root.glob("[sd][!t]*/**/*.*")
    }
    assert arrived == {"slices/hard.json", "data/days/rows.csv"}
    shutil.rmtree(here.root)
    assert there.find("own").stream_source == str(there.root / "streams" / "mine.yaml")


def test_what_is_here_stays_as_it_is(workspace: Workspace, tmp_path: Path) -> None:
    pack(workspace, tmp_path / "all.zip")
    there = Workspace(tmp_path / "new")
    (there.root / "runs" / "one").mkdir(parents=True)
    (there.root / "runs" / "one" / "run.yaml").write_text("mine")
    came = unpack(there, tmp_path / "all.zip")
    assert (came.runs, came.already) == (("other",), ("one",))
    assert [file.name for file in (there.root / "runs" / "one").iterdir()] == ["run.yaml"]
    assert (there.root / "runs" / "one" / "run.yaml").read_text() == "mine"
    again = unpack(there, tmp_path / "all.zip")
    assert (again.runs, again.already, again.artifacts) == ((), ("one", "other"), 0)


@pytest.mark.parametrize("around", ["", "my workspace/", "run folders alone"])
def test_zips_made_by_hand_are_understood(
    workspace: Workspace, tmp_path: Path, around: str
) -> None:
    by_hand = around == "run folders alone"
    root = workspace.root / "runs" if by_hand else workspace.root
    with zipfile.ZipFile(tmp_path / "hand.zip", "w") as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, ("" if by_hand else around) + file.relative_to(root).as_posix())
        archive.writestr("__MACOSX/._x", "litter")
    came = unpack(Workspace(tmp_path / "new"), tmp_path / "hand.zip")
    assert came.runs == ("one", "other")
    assert (came.artifacts > 0) == (not by_hand)
    assert len(came.left_out) == 3  # the litter, and a lock of each run


def test_packing_holds_no_file_whole_in_memory(workspace: Workspace, tmp_path: Path) -> None:
    """Written to what can only be written to, in pieces; the largest piece is far below the largest file."""
    big = shutil.copytree(workspace.root, tmp_path / "big")
    (big / "data" / "x").mkdir(parents=True)
    (big / "data" / "x" / "rows.parquet").write_bytes(bytes(5_000_000))

    class Sink(io.RawIOBase):
        largest = written = 0

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.largest, self.written = max(self.largest, len(data)), self.written + len(data)
            return len(data)

    sink = Sink()
    write_zip(archive_contents(Workspace(big)), sink)  # type: ignore[arg-type]
    assert sink.written > 5_000_000
    assert sink.largest <= 2**20


def test_a_zip_appears_whole_or_not_at_all(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all.zip").write_text("the one before")

    def full(*args: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(OSError, match="no space"):
        pack(workspace, tmp_path / "all.zip")
    assert [file.name for file in tmp_path.iterdir()] == ["all.zip"]
    assert (tmp_path / "all.zip").read_text() == "the one before"


def test_mistakes_are_said(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no run 'on'.*Did you mean 'one'"):
        pack(workspace, tmp_path / "x.zip", ["on"])
    with pytest.raises(UserError, match="nothing to pack"):
        pack(Workspace(tmp_path / "none"), tmp_path / "x.zip")
    with pytest.raises(UserError, match="there is no folder"):
        pack(workspace, tmp_path / "nowhere" / "x.zip")


def test_an_artifact_that_is_not_what_it_says_is_refused_with_all_the_rest(
    workspace: Workspace, tmp_path: Path
) -> None:
    root = shutil.copytree(workspace.root, tmp_path / "copy")
    file = next((root / "store" / "adapter").glob("*/tensors.safetensors"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    meta = next((root / "store" / "features").glob("*/meta.json"))
    description = json.loads(meta.read_text())
    description["inputs"]["layer"] = 7  # hashes that fit the files, but not the key
    meta.write_text(json.dumps(description))
    pack(Workspace(root), tmp_path / "bad.zip")
    with pytest.raises(UserError) as refused:
        unpack(Workspace(tmp_path / "new"), tmp_path / "bad.zip")
    assert "tensors.safetensors has the SHA-256" in str(refused.value)
    assert "meta.json does not belong to this key" in str(refused.value)
    assert not list((tmp_path / "new").iterdir())
