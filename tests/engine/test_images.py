"""Whole runs on pictures: a small vision transformer, two styles of small scenes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import cl_core as cl
from cl_core.errors import UserError
from cl_core.runs.events import EpochEvent, WarningEvent
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.painter import paint
from cl_core.synthetic.scenes.scene import draw_scene
from tests.backbones.test_image_loader import write_open_clip
from tests.small_runs import SMALL, Carry

QUICK = {"epochs": 1, "router_epochs": 1, "memory": 0.3, "layer": -2}
LIMITS = {split: SMALL[f"limit_{split}"] for split in ("train", "validation", "test")}
FIGURES = {"star": "red", "ring": "blue"}  # colours that even a random tower tells apart


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_open_clip(tmp_path_factory.mktemp("tower") / "clip")


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes")
    for style in ("flat", "neon"):
        for split, count in {"train": 20, "validation": 6, "test": 8}.items():
            for number in range(count):
                figure = list(FIGURES)[number % 2]
                scene = draw_scene(
                    Draw(style, split, number),
                    1,
                    [style],
                    [figure],
                    [FIGURES[figure]],
                    sizes=["huge"],
                )
                file = io.BytesIO()
                Image.fromarray(paint(scene)).save(file, "png")
                folder = root / style / split / figure
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{number}.png").write_bytes(file.getvalue())
    file = root / "stream.yaml"
    file.write_text(
        "name: pictures\nprotocol: dil\ntasks:\n"
        "  - {name: flat, kind: image, path: flat}\n  - {name: neon, kind: image, path: neon}\n"
    )
    return file


@pytest.mark.parametrize("protocol", ["dil", "cil"])
@pytest.mark.parametrize("recipe", ["dam", "l2r-wavg", "i2i-ff", "adapter-fusion", "epi", "replay"])
def test_recipes_run_on_pictures(
    carry: Carry, tower: Path, stream: Path, recipe: str, protocol: str
) -> None:
    run = carry(str(stream), recipe, backbone=str(tower), protocol=protocol, name="run", **QUICK)
    assert run.matrix.shape == (2, 2)
    assert not np.isnan(run.matrix[1]).any()
    assert len(run.folder.table("routing")) == 3 * 8


def test_an_adapter_learns_to_tell_two_pictures_apart(
    carry: Carry, tower: Path, stream: Path
) -> None:
    settings = {**QUICK, "epochs": 40, "patience": None, "learning_rate": 3e-2}
    run = carry(str(stream), "adapters", backbone=str(tower), name="run", **settings)
    history = [event for event in run.folder.events if isinstance(event, EpochEvent)]
    assert history[39].train_loss < 0.5 * history[0].train_loss


def test_a_backbone_that_cannot_read_the_tasks_is_refused(
    carry: Carry, tower: Path, stream: Path
) -> None:
    with pytest.raises(UserError, match=r"reads text tasks; stream 'pictures' has flat \(image\)"):
        carry(str(stream), "dam", name="text")
    with pytest.raises(UserError, match=r"reads image tasks; stream 'domains-dil' has restaurants"):
        carry("domains-dil", "dam", backbone=str(tower), name="image")


def test_new_pictures_are_answered_as_the_run_answered_them(
    carry: Carry, tower: Path, stream: Path
) -> None:
    run = carry(str(stream), "dam", backbone=str(tower), name="run", **QUICK)
    rows = cl.load_stream(stream, limits=LIMITS).tasks[1].test
    records = [r for r in run.folder.table("routing").to_pylist() if r["stage"] == 2]
    recorded = {r["sample_id"]: r for r in records}
    names = run.folder.config.label_space
    from_files = run.route(*rows["image"])
    from_bytes = run.route(*(Path(path).read_bytes() for path in rows["image"]))
    for number, sample_id in enumerate(rows["id"]):
        assert from_files[number].prediction == names[recorded[sample_id]["prediction"]]
        assert from_bytes[number].shares == from_files[number].shares
    with pytest.raises(UserError, match=r"none\.png: there is no such file"):
        run.route("none.png")


def test_a_corrupt_jpeg_among_a_thousand_is_named_and_the_others_are_learnt(
    carry: Carry, tower: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for split, count in {"train": 1000, "validation": 8, "test": 8}.items():
        contents = []
        for number in range(count):
            file = io.BytesIO()
            grey = rng.integers(0, 100, (8, 8, 3), dtype=np.uint8) + np.uint8(150 * (number % 2))
            Image.fromarray(grey).save(file, "jpeg")
            contents.append(file.getvalue())
        if split == "train":
            contents[617] = contents[617][:200]
        labels = [("dark", "light")[number % 2] for number in range(count)]
        pq.write_table(
            pa.table({"image": contents, "label": labels}), tmp_path / f"{split}.parquet"
        )
    file = tmp_path / "stream.yaml"
    file.write_text("name: s\nprotocol: til\ntasks:\n  - {name: t, kind: image, path: .}\n")
    quick = {**QUICK, "limit_train": None, "patience": None, "batch_size": 50}
    run = carry(str(file), "adapters", backbone=str(tower), name="run", **quick)
    (warning,) = [event.message for event in run.folder.events if isinstance(event, WarningEvent)]
    assert "1 of 1000 train images cannot be read and are left out, in row 618" in warning
    assert run.folder.config.tasks[0].rows["train"] == 999
    assert run.matrix[0, 0] == 1.0
