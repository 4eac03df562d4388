"""What is left out of a packed workspace, and that each such thing is named with its reason."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from cl_core.archive.pack import NOWHERE, UNPLAIN, archive_contents, pack
from cl_core.archive.prune import folder_bytes
from cl_core.archive.unpack import unpack
from cl_core.archive.verification import verify
from cl_core.errors import Faults
from cl_core.runs.slices import Slice, save_slice
from cl_core.runs.workspace import Workspace


def test_what_is_not_packed_is_said_with_its_reason(workspace: Workspace, tmp_path: Path) -> None:
    root = shutil.copytree(workspace.root, tmp_path / "copy")
    (root / "runs" / "one" / "notes").symlink_to(tmp_path)
    (root / "streams").mkdir()
    (root / "data").mkdir()
    run, stream = Workspace(root).find("one"), root / "streams" / "mine.yaml"
    config = (run.path / "run.yaml").read_text()
    (run.path / "hashes.json").unlink()  # as of a run before there were any: it is believed
    (run.path / "run.yaml").write_text(config.replace("stream: domains-dil", f"stream: {stream}"))

    def left_out() -> list[str]:
        return [*archive_contents(Workspace(root), ["one"]).left_out]

    link = "'runs/one/notes': it is a link, which is not followed"
    assert left_out() == [f"stream '{stream}' of run 'one': it is no longer there", link]
    tasks = "".join(
        f"  - name: {name}\n    path: {path}\n"
        for name, path in {"in": "../data/in.csv", "out": tmp_path / "out.csv"}.items()
    )
    stream.write_text(f"name: mine\nprotocol: dil\ntasks:\n{tasks}")
    away = f"data '{tmp_path / 'out.csv'}' of task 'out': it lies outside the workspace"
    assert left_out() == [away, link]
    stream.write_text("name: mine\ntasks: 7\n")
    (faults, *others) = left_out()
    assert faults.startswith("data of run 'one': stream 'mine.yaml' has faults by now")
    assert others == [link]
    assert archive_contents(Workspace(root)).left_out == (link,)


def test_whatever_is_packed_is_taken_in_elsewhere_and_the_rest_is_named(
    workspace: Workspace, tmp_path: Path
) -> None:
    root = shutil.copytree(workspace.root, tmp_path / "copy")
    taken = ["data/rows.csv", "data/days/rows.ndjson", "data/days/clip.mov", "streams/mine.yml"]
    stays = {
        "data/my: set/rows.csv": UNPLAIN,
        "data/back\\slash.csv": UNPLAIN,
        "data/days/notes.txt": NOWHERE,
        "streams/days/rows.csv": NOWHERE,
        "data/.days/rows.csv": "it is hidden",
    }
    for name in (*taken, *stays):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("name: mine\n")
    os.mkfifo(root / "data" / "pipe.csv")
    packed = pack(Workspace(root), tmp_path / "all.zip")
    reasons = {line.split("'")[1]: line.split("': ")[1] for line in packed.left_out}
    hidden = {"data/.days/rows.csv": "data/.days"}  # a folder is named once
    assert reasons == {hidden.get(name, name): why for name, why in stays.items()} | {
        "data/pipe.csv": "it is no regular file"
    }
    there = tmp_path / "there"
    came = unpack(Workspace(there), tmp_path / "all.zip")
    assert came.left_out == ()
    assert all((there / file).is_file() for file in packed.files)
    assert {*taken} <= {file.as_posix() for file in packed.files}


def test_folders_in_folders_without_end_are_left_out_and_refused(
    workspace: Workspace, tmp_path: Path
) -> None:
    root = shutil.copytree(workspace.root, tmp_path / "copy")
    deep = root / "data"
    for _ in range(1500):  # one by one: the library's own ways go by recursion
        deep.mkdir()
        deep /= "a"
    deep = deep.parent
    (deep / "rows.csv").write_text("text,label\n")
    assert folder_bytes(root / "data") == len("text,label\n")
    (line,) = pack(Workspace(root), tmp_path / "all.zip").left_out
    assert "levels of folders; at most 100 are read" in line
    with zipfile.ZipFile(tmp_path / "deep.zip", "w") as archive:
        archive.writestr(f"data/{'a/' * 900}rows.csv", "text,label\n")
    with pytest.raises(Faults, match="levels of folders; at most 100 are read"):
        unpack(Workspace(tmp_path / "there"), tmp_path / "deep.zip")
    (deep / "rows.csv").unlink()
    os.removedirs(deep)


def test_a_part_of_its_model_that_is_gone_is_named(workspace: Workspace, tmp_path: Path) -> None:
    root = shutil.copytree(workspace.root, tmp_path / "copy")
    run = Workspace(root).find("one")
    (name, key) = next(part for part in run.artifacts().items() if part[0].startswith("adapter/"))
    shutil.rmtree(root / "store" / "adapter" / key)
    said = f"{name} of run 'one': it is missing from the store"
    assert archive_contents(Workspace(root), ["one"]).left_out == (said,)
    (part,) = verify(Workspace(root), "one").of("run")
    assert part.faults == (
        f"{name} is missing from the store; 'adapter-lab resume one' computes it again",
    )


def test_a_slice_that_calls_itself_otherwise_leads_nowhere(
    workspace: Workspace, tmp_path: Path
) -> None:
    root = shutil.copytree(workspace.root, tmp_path / "copy")
    (tmp_path / "secret.json").write_text("{}")
    save_slice(
        Workspace(root), Slice(name="nice", run="one", split="test", after=1, samples=("a",))
    )
    file = root / "slices" / "nice.json"
    content = json.loads(file.read_text())
    assert "slices/nice.json" in map(str, archive_contents(Workspace(root), ["one"]).files)
    for name in ("../../secret", str(tmp_path / "secret"), "other", ""):
        file.write_text(json.dumps({**content, "name": name}))
        names = [str(packed) for packed in archive_contents(Workspace(root), ["one"]).files]
        assert not [packed for packed in names if ".." in packed or "slices" in packed]
        (part,) = verify(Workspace(root)).of("slice")
        assert "a slice is called as its file" in part.faults[0]
        pack(Workspace(root), tmp_path / "all.zip")
        with pytest.raises(Faults, match=r"slices/nice\.json cannot be read"):
            unpack(Workspace(tmp_path / "there"), tmp_path / "all.zip")
