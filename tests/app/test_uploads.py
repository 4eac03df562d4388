"""Files that a visitor brings: what is found in them, what is refused, and where they lie then."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.data import server_paths, stream_edits, stream_files
from app.data.stream_checks import check_task, run_worker
from app.shell import uploads
from cl_core.errors import Faults, UserError
from cl_core.runs.variables import DATA_ROOTS
from cl_core.runs.workspace import Workspace
from cl_core.synthetic.png import png
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.stream_loader import find_stream

DOT = png(np.full((1, 1, 3), (255, 0, 0), dtype=np.uint8))
"""A PNG of one red pixel."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_every_problem_is_listed_with_its_row(workspace: Workspace) -> None:
    rows = "text,label\ngood,a\n,a\nfine,b\nodd,\n" + "more,a\nwords,b\n" * 20
    file = uploads.receive(workspace, "bad.csv", rows.encode())
    answer = check_task(TaskSpec(name="bad", path=str(file)), workspace.root)
    rows_by_split = {(fault["split"], tuple(fault["rows"])) for fault in answer["faults"]}
    assert ("train", (2,)) in rows_by_split
    assert ("train", (4,)) in rows_by_split
    assert answer["found"]["columns"] == ["text", "label"]
    assert len(answer["found"]["preview"]) == 10


def test_columns_are_guessed_by_what_they_hold(workspace: Workspace) -> None:
    rows = "opinion,id,mood\n" + "".join(
        f"a long sentence number {i},{i},{'up' if i % 2 else 'down'}\n" for i in range(30)
    )
    file = uploads.receive(workspace, "odd.csv", rows.encode())
    answer = check_task(TaskSpec(name="odd", path=str(file)), workspace.root)
    assert answer["found"]["guess"] == {"text": "opinion", "label": "mood"}


def test_an_upload_moves_beside_the_stream_and_is_named_relatively(workspace: Workspace) -> None:
    spec, folder = find_stream("domains-dil")
    path = stream_files.save(workspace, stream_edits.copied(spec, "mine", folder), "")
    received = uploads.receive(workspace, "My rows.csv", b"text,label\n" + b"x,a\ny,b\n" * 20)
    kept = uploads.keep(workspace, received, "my rows")
    assert kept == workspace.root / "data" / "my-rows" / "My-rows.csv"
    relative = Path("..") / kept.relative_to(workspace.root)
    task = TaskSpec(name="my rows", path=relative.as_posix())
    with_task = stream_edits.added(stream_files.read(path), [task])
    stream_files.save(workspace, with_task, stream_files.stamp(path))
    answer = run_worker(json.dumps({"source": str(path)}))
    assert answer["tasks"][-1]["rows"]["train"] > 0


def test_a_stream_file_that_is_a_link_is_saved_where_it_leads(
    workspace: Workspace, tmp_path: Path
) -> None:
    spec, folder = find_stream("domains-dil")
    mine = stream_edits.copied(spec, "mine", folder)
    path = stream_files.save(workspace, mine, "")
    kept = path.rename(tmp_path / "kept.yaml")
    path.symlink_to(kept)
    fewer = mine.model_copy(update={"tasks": mine.tasks[:2]})
    stream_files.save(workspace, fewer, stream_files.stamp(path))
    assert path.is_symlink()
    assert [task.name for task in stream_files.read(kept).tasks] == [t.name for t in fewer.tasks]


def archive(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return content.getvalue()


def test_a_zip_of_pictures_is_a_task(workspace: Workspace) -> None:
    files = {f"things/{kind}/{i}.png": DOT for kind in ("cat", "dog") for i in range(12)}
    folder = uploads.receive(workspace, "things.zip", archive(**files))
    assert sorted(path.name for path in folder.iterdir()) == ["cat", "dog"]
    answer = check_task(TaskSpec(name="things", path=str(folder), kind="image"), workspace.root)
    assert answer["tasks"][0]["classes"] == ["cat", "dog"]
    assert answer["tasks"][0]["samples"][0]["picture"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"../up.png": DOT}, "leave the folder"),
        ({"/root.png": DOT}, "leave the folder"),
        ({"cat/run.py": b"print()"}, "no picture"),
        ({"cat/zero.png": bytes(20_000_000)}, "times its size"),
        ({}, "no files"),
    ],
)
def test_a_zip_that_does_harm_is_refused(
    workspace: Workspace, files: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(Faults, match=reason):
        uploads.receive(workspace, "bad.zip", archive(**files))
    assert not list((workspace.root / "data" / ".incoming").iterdir())


def test_links_in_a_zip_are_refused(workspace: Workspace) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(Faults, match="is a link"):
        uploads.receive(workspace, "bad.zip", content.getvalue())


def test_only_allowed_folders_are_read(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("text,label\n")
    with pytest.raises(UserError, match="not under a folder that may be read"):
        server_paths.server_path(workspace, str(outside))
    link = workspace.root / "data" / "link.csv"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(UserError, match="not under a folder"):
        server_paths.server_path(workspace, str(link))
    monkeypatch.setenv(DATA_ROOTS, str(tmp_path))
    assert server_paths.server_path(workspace, "outside.csv") == outside.resolve()


def test_paths_in_the_workspace_or_beside_it_are_relative(
    workspace: Workspace, tmp_path: Path
) -> None:
    assert stream_files.named_from(workspace, workspace.root / "data/a.csv") == "../data/a.csv"
    assert stream_files.named_from(workspace, tmp_path / "real/a.csv") == "../../real/a.csv"
    assert stream_files.named_from(workspace, Path("/elsewhere/a.csv")) == "/elsewhere/a.csv"
