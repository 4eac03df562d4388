"""Tasks of pictures: every way in which they come, and what becomes of those that cannot be read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from cl_core.backbones.vision.pictures import Pictures, ground_of, picture_batch
from cl_core.engine.launch import open_stream
from cl_core.errors import Faults, UserError
from cl_core.recipes.settings import DataSettings, make_settings, parse_assignments
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream import Stream
from cl_core.tasks.stream_loader import load_stream
from cl_core.tasks.task import make_task
from tests.remade_runs import bundled

SPLITS = {"train": 12, "validation": 4, "test": 4}
CLASSES = ("dark", "light")


def picture(seed: int, label: int) -> bytes:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 100, (8, 10, 3), dtype=np.uint8) + np.uint8(150 * label)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def rows(split: str) -> list[tuple[bytes, int]]:
    begin = 1000 * list(SPLITS).index(split)
    return [(picture(begin + n, n % 2), n % 2) for n in range(SPLITS[split])]


def load(tmp_path: Path, **fields: Any) -> Stream:
    settings = "".join(f", {name}: {value}" for name, value in fields.items())
    file = tmp_path / "stream.yaml"
    file.write_text(
        f"name: s\nprotocol: til\ntasks:\n  - {{name: t, kind: image, path: t{settings}}}\n"
    )
    return load_stream(file)


def write_parquet(folder: Path, values: dict[str, list[Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for split, images in values.items():
        labels = [CLASSES[label] for _, label in rows(split)][: len(images)]
        pq.write_table(pa.table({"image": images, "label": labels}), folder / f"{split}.parquet")


def write_folders(folder: Path) -> None:
    for split in SPLITS:
        for number, (content, label) in enumerate(rows(split)):
            class_folder = folder / split / CLASSES[label]
            class_folder.mkdir(parents=True, exist_ok=True)
            (class_folder / f"{number:03}.png").write_bytes(content)


def write_json_lines(folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    for split in SPLITS:
        lines = []
        for number, (content, label) in enumerate(rows(split)):
            (folder / "images" / f"{split}{number}.png").write_bytes(content)
            lines.append(f'{{"image": "images/{split}{number}.png", "label": "{CLASSES[label]}"}}')
        (folder / f"{split}.jsonl").write_text("\n".join(lines))


def test_bytes_the_hub_s_images_and_paths_are_the_same_task(tmp_path: Path) -> None:
    encoded = {split: [content for content, _ in rows(split)] for split in SPLITS}
    wrapped = {
        split: [{"bytes": content, "path": None} for content in contents]
        for split, contents in encoded.items()
    }
    write_parquet(tmp_path / "a" / "t", encoded)
    write_parquet(tmp_path / "b" / "t", wrapped)
    write_json_lines(tmp_path / "c" / "t")
    tasks = [load(tmp_path / name).tasks[0] for name in "abc"]
    by_hand = make_task("t", CLASSES, {split: rows(split) for split in SPLITS}, kind="image")
    for task in tasks:
        assert task.kind == "image"
        assert task.label_names == CLASSES
        assert task.fingerprint == by_hand.fingerprint
    assert isinstance(tasks[0].train[0]["image"], bytes)
    assert Path(tasks[2].train[0]["image"]).is_file()


def test_a_folder_for_each_class_is_a_task(tmp_path: Path) -> None:
    write_folders(tmp_path / "t")
    (tmp_path / "t" / "train" / "dark" / "notes.txt").write_text("not a picture")
    task = load(tmp_path).tasks[0]
    assert {split: len(rows) for split, rows in task.splits.items()} == SPLITS
    assert task.label_names == CLASSES
    first = Path(task.train[0]["image"])
    assert (first.parent.name, task.train[0]["label"]) == ("dark", 0)


def test_folders_without_splits_are_cut(tmp_path: Path) -> None:
    write_folders(tmp_path / "all")
    (tmp_path / "all" / "train").rename(tmp_path / "t")
    stream = load(tmp_path)
    assert sum(len(rows) for rows in stream.tasks[0].splits.values()) == SPLITS["train"]
    (cut,) = [warning for warning in stream.warnings if "were cut from" in warning]
    assert cut.endswith("with seed 0, drawn by the bytes of the pictures' files")


def test_a_damaged_picture_among_many_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    encoded = {split: [content for content, _ in rows(split)] for split in SPLITS}
    encoded["train"][6] = encoded["train"][6][:60]
    write_parquet(tmp_path / "t", encoded)
    stream = load(tmp_path)
    assert len(stream.tasks[0].train) == SPLITS["train"] - 1
    assert "t/train/6" not in stream.tasks[0].train["id"]
    (warning,) = stream.warnings[-1:]
    assert "1 of 12 train images cannot be read and are left out, in row 7" in warning
    assert "damaged" in warning


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (
            "train/dark",
            "train: no image of class 'dark' can be read, so nothing is left to tell apart",
        ),
        ("test", "test: none of the images can be read"),
        ("validation", "validation: none of the images can be read"),
        ("train", "train: none of the images can be read"),
    ],
)
def test_a_class_or_split_of_which_nothing_can_be_read_is_refused_with_that_reason(
    tmp_path: Path, damaged: str, message: str
) -> None:
    write_folders(tmp_path / "t")
    for file in (tmp_path / "t" / damaged).rglob("*.png"):
        file.write_text("<html>not found</html>")
    with pytest.raises(Faults) as error:
        load(tmp_path)
    assert message in str(error.value)
    assert "not a picture that can be read" in str(error.value)
    assert "limit" not in str(error.value)


def test_paths_that_leave_the_folder_or_lead_nowhere_are_refused_with_their_rows(
    tmp_path: Path,
) -> None:
    write_json_lines(tmp_path / "t")
    (tmp_path / "outside.png").write_bytes(picture(0, 0))
    file = tmp_path / "t" / "train.jsonl"
    lines = file.read_text().split("\n")
    lines[1] = '{"image": "../outside.png", "label": "light"}'
    lines[3] = '{"image": "images/none.png", "label": "light"}'
    lines[5] = '{"image": 7, "label": "light"}'
    lines[7] = '{"image": "", "label": "light"}'
    file.write_text("\n".join(lines))
    with pytest.raises(Faults) as error:
        load(tmp_path)
    message = str(error.value)
    assert "'image' is a path that leaves the folder of its file (t) in row 2" in message
    assert "'image' is a path where there is no file in row 4" in message
    assert "'image' is not a picture (encoded bytes or a path) but int in row 6" in message
    assert "'image' is empty in row 8" in message


def test_a_limit_draws_the_same_pictures_from_bytes_and_from_files(tmp_path: Path) -> None:
    encoded = {split: [content for content, _ in rows(split)] for split in SPLITS}
    write_parquet(tmp_path / "a" / "t", encoded)
    write_json_lines(tmp_path / "b" / "t")
    first, second = (load(tmp_path / name, limit=6).tasks[0] for name in "ab")
    assert len(first.train) == 6
    assert list(first.train["id"]) == list(second.train["id"])
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("name", ["pacs", "mnist-usps"])
def test_the_presets_of_pictures_load(cl_data: Path, name: str) -> None:
    stream = load_stream(name, data=cl_data, limits=20)
    assert stream.protocol == "dil"
    assert {task.kind for task in stream.tasks} == {"image"}
    assert all(len(task.train) == 20 for task in stream.tasks)


def test_a_class_none_of_whose_pictures_can_be_read_is_refused_for_that_reason(
    tmp_path: Path,
) -> None:
    write_folders(tmp_path / "t")
    for file in (tmp_path / "t").glob(f"*/{CLASSES[1]}/*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(Faults, match="no image of class 'light' can be read") as caught:
        load(tmp_path)
    assert "limit" not in str(caught.value)


def write_drawings(folder: Path) -> None:
    """White ink on nothing: what is drawn cannot be seen on white."""
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for number in range(12):
            drawn = np.zeros((8, 8, 4), dtype=np.uint8)
            drawn[number % 8, : 4 if label == "dark" else 8] = 255
            drawn[number // 8, 0] = 255
            Image.fromarray(drawn).save(folder / label / f"{number}.png")


def test_a_task_says_on_which_ground_its_pictures_are_laid(tmp_path: Path) -> None:
    write_drawings(tmp_path / "t")
    white, black = load(tmp_path).tasks[0], load(tmp_path, ground="black").tasks[0]
    assert load(tmp_path, ground='"#FFFFFF"').tasks[0].fingerprint == white.fingerprint
    assert white.fingerprint != black.fingerprint
    assert list(white.test["id"]) == list(black.test["id"])  # the splits are the same
    for task, least in ((white, 255), (black, 0)):
        batch = picture_batch(
            Pictures.of(task.columns("train")["image"], 1, ground_of(task.columns("train"))),
            [0],
            lambda picture: torch.from_numpy(np.array(picture)),
            torch.device("cpu"),
        )
        assert (int(batch.pixels.min()), int(batch.pixels.max())) == (least, 255)


def test_a_run_s_setting_lays_all_tasks_on_one_ground(tmp_path: Path) -> None:
    write_drawings(tmp_path / "t")
    black = load(tmp_path, ground="black").tasks[0]
    white = load(tmp_path).tasks[0]
    assert load_stream(tmp_path / "stream.yaml", ground="#000000").tasks[0].fingerprint == (
        black.fingerprint
    )
    settings = make_settings(parse_assignments(["ground=#000000"])).data
    assert settings.ground == "black"
    assert open_stream(str(tmp_path / "stream.yaml"), None, settings).tasks[0].ground == "black"
    assert open_stream(str(tmp_path / "stream.yaml"), None, DataSettings()).tasks[
        0
    ].fingerprint == (white.fingerprint)
    with pytest.raises(Faults, match="a ground is white, black or a colour"):
        make_settings({"ground": "blue"})
    with pytest.raises(UserError, match="a ground is white, black or a colour"):
        load_stream(tmp_path / "stream.yaml", ground="blue")


def test_pictures_without_transparency_are_the_same_task_on_every_ground(tmp_path: Path) -> None:
    write_folders(tmp_path / "t")
    fingerprints = {
        load(tmp_path, ground=ground).tasks[0].fingerprint for ground in ("white", "black")
    }
    assert len(fingerprints) == 1


@pytest.mark.parametrize("ground", ["blue", "#12", "#102030"])
def test_a_ground_that_is_none_is_refused_with_its_line(tmp_path: Path, ground: str) -> None:
    write_folders(tmp_path / "t")
    file = tmp_path / "stream.yaml"
    file.write_text(
        "name: s\nprotocol: til\ntasks:\n  - name: t\n    kind: image\n    path: t\n"
        f"    ground: {ground}\n"
    )
    with pytest.raises(Faults, match=r"line 7: tasks\[1\].ground is .*; a ground is white, black"):
        load_stream(file)


@pytest.mark.parametrize(
    ("grounds", "new"),
    [
        (("white", "white"), "white"),
        (("white", "black"), "black"),
        (("black", "black"), "black"),
        (("black", "#203040"), "white"),
    ],
)
def test_a_new_picture_is_laid_on_the_one_ground_that_the_tasks_name(
    grounds: tuple[str, ...], new: str
) -> None:
    config = bundled("dam")
    tasks = [
        task.model_copy(update={"ground": ground})
        for task, ground in zip(config.tasks, grounds, strict=False)
    ]
    of_tasks = config.model_copy(update={"tasks": tuple(tasks)})
    with_held_out = config.model_copy(update={"tasks": (tasks[0],), "held_out": (tasks[1],)})
    assert of_tasks.ground == with_held_out.ground == new


def test_one_ground_for_a_run_is_of_held_out_tasks_too_and_of_no_text() -> None:
    parts = [
        {"name": "pets", "kind": "image", "path": "pets"},
        {"name": "news", "path": "news.csv"},
    ]
    held = [{"name": "birds", "kind": "image", "path": "birds", "ground": "#203040"}]
    spec = StreamSpec.model_validate(
        {"name": "s", "protocol": "til", "tasks": parts, "held_out": held}
    ).laid_on("black")
    assert [task.ground for task in (*spec.tasks, *spec.held_out)] == ["black", "white", "black"]
    with pytest.raises(ValueError, match="texts have none"):
        TaskSpec.model_validate({**parts[1], "ground": "black"})
