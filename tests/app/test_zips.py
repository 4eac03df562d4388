"""Zips of pictures: splits by their folders' names, and what systems leave in archives is no class."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from app.shell import uploads
from cl_core.runs.workspace import Workspace
from cl_core.tasks.sources.files import read_files
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_loader import load_stream


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (shade % 256, shade // 256, 9)).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize("wrapping", ["", "pets/", "pets/archive/"])
def test_splits_in_a_zip_go_by_their_names_and_litter_is_no_class(
    tmp_path: Path, wrapping: str
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for index, split in enumerate(("Training", "Testing")):
            for kind in ("cat", "dog"):
                for number in range(12):
                    shade = 100 * index + 2 * number + (kind == "dog")
                    packed.writestr(f"{wrapping}{split}/{kind}/{number}.png", picture(shade))
        for name in ("__MACOSX/._0.png", "@eaDir/0.png", "Training/.ipynb_checkpoints/0.png"):
            packed.writestr(f"{wrapping}{name}", picture(999))
        for name in (".DS_Store", "Training/cat/Thumbs.db", "Testing/desktop.ini"):
            packed.writestr(f"{wrapping}{name}", b"x")
    folder = uploads.receive(Workspace(tmp_path), "pets.zip", content.getvalue())
    spec = TaskSpec(name="t", kind="image", path=str(folder))
    (task,) = load_stream(StreamSpec(name="s", protocol="til", tasks=(spec,))).tasks
    assert task.label_names == ("cat", "dog")
    assert len(task.test) == 24
    assert len(task.train) + len(task.validation) == 24
    (left,) = read_files(folder, spec, "pets").unused
    for name in ("__MACOSX/._0.png", "Training/cat/Thumbs.db", "Testing/desktop.ini", ".DS_Store"):
        assert f"{wrapping}{name}" in left
    assert left.endswith("(of the zip): hidden, or an operating system's")
