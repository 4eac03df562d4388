"""What is said of a stream's data: the same whether its tasks are made for it or cannot lose a row."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from PIL import Image

from cl_core.tasks import stream_contents
from cl_core.tasks.stream_contents import StreamContents, check_source
from tests.patience import PATIENCE

ONE = {"name": "one", "protocol": "til"}


def written(folder: Path, **more: object) -> Path:
    """A stream of one task of texts, four of each class and split."""
    for split in ("train", "validation", "test"):
        rows = "".join(f"text {i} of {split}\t{i % 2}\n" for i in range(8))
        (folder / f"{split}.tsv").write_text(f"text\tlabel\n{rows}")
    file = folder / "stream.yaml"
    file.write_text(
        yaml.safe_dump({**ONE, "tasks": [{"name": "one", "path": str(folder), **more}]})
    )
    return file


def pictures(folder: Path, damaged: int) -> Path:
    """A stream of one task of pictures, of which so many are none."""
    for split in ("train", "test"):
        for label in ("a", "b"):
            (folder / "data" / split / label).mkdir(parents=True)
            for i in range(3):
                Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / f"data/{split}/{label}/{i}.png")
    for i in range(damaged):
        (folder / f"data/train/a/{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    file = folder / "stream.yaml"
    file.write_text(
        yaml.safe_dump({**ONE, "tasks": [{"name": "one", "kind": "image", "path": "data"}]})
    )
    return file


def said(contents: StreamContents) -> StreamContents:
    return replace(contents, prepared=())


@pytest.mark.parametrize("source", ["domains", "domains-dil", "scenes", "texts", "few", "damaged"])
def test_the_same_is_said_where_every_task_is_made(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match source:
        case "texts":
            source = str(written(tmp_path))
        case "few":
            source = str(written(tmp_path, limit=1))
        case "damaged":
            source = str(pictures(tmp_path, damaged=2))
    ours = check_source(source)
    assert ours.prepared
    monkeypatch.setattr(stream_contents, "_stay_whole", lambda spec, prepared: False)
    assert said(ours) == said(check_source(source))


def test_what_can_lose_a_row_is_made(tmp_path: Path) -> None:
    (tmp_path / "limited").mkdir()
    limited = check_source(str(written(tmp_path / "limited", limit=1)))
    assert "leaves" in "".join(map(str, (*limited.faults, *limited.warnings)))
    damaged = check_source(str(pictures(tmp_path, damaged=2)))
    assert "2" in "".join(damaged.warnings)


def test_texts_are_read_without_what_a_run_needs() -> None:
    script = (
        "import sys\n"
        "from cl_core.tasks.stream_contents import check_source\n"
        "assert check_source('domains').prepared\n"
        "print({'datasets', 'pandas', 'torch', 'pyarrow'} & set(sys.modules))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.strip() == "set()"
