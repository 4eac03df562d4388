"""What is a split, what is a class, and what lies beside the data: in folders, files and saved data sets."""

from __future__ import annotations

import json
import os
from pathlib import Path

import datasets
import pytest
from PIL import Image

from cl_core.errors import Faults
from cl_core.tasks.prepared_task import prepare
from cl_core.tasks.raw_rows import RawTask
from cl_core.tasks.sources.files import read_files
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream import Stream
from cl_core.tasks.stream_contents import describe
from cl_core.tasks.stream_loader import load_stream


def spec(path: Path, **fields: object) -> TaskSpec:
    return TaskSpec.model_validate({"name": "t", "path": str(path), **fields})


def load(path: Path, **fields: object) -> Stream:
    return load_stream(StreamSpec(name="s", protocol="til", tasks=(spec(path, **fields),)))


def raw(path: Path, **fields: object) -> RawTask:
    return read_files(path, spec(path, **fields), path.name)


def faults(path: Path, **fields: object) -> str:
    with pytest.raises(Faults) as caught:
        load(path, **fields)
    return "\n".join(caught.value.faults)


def draw(root: Path, count: int, shade: int = 0) -> None:
    """`count` pictures that no other call with another shade makes."""
    root.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (4, 4), (shade, number, 99)).save(root / f"{number}.png")


def draw_classes(folder: Path, count: int = 12, shade: int = 0) -> None:
    for index, name in enumerate(("cat", "dog")):
        draw(folder / name, count, shade + index)


def write(path: Path, word: str, count: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{word} {label} {i},{label}" for i in range(count) for label in ("pos", "neg")]
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def sizes(stream: Stream) -> dict[str, int]:
    return {split: len(rows) for split, rows in stream.tasks[0].splits.items()}


NAMES = [
    ("Training", "Validation", "Testing"),
    ("TRAIN", "VAL", "TEST"),
    ("train", "valid", "testing"),
    ("Train", "dev", "eval"),
    ("training", "Eval", "test"),
]


@pytest.mark.parametrize("names", NAMES, ids=["-".join(names) for names in NAMES])
def test_folders_files_and_folders_of_files_are_splits_by_their_names_in_any_case(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    wanted = {"train": 24, "validation": 24, "test": 24}
    for index, name in enumerate(names):
        draw_classes(tmp_path / "pictures" / name, shade=10 * index)
        write(tmp_path / "files" / f"{name}.csv", name)
        write(tmp_path / "folders" / name / "0.csv", name)
    pictures = load(tmp_path / "pictures", kind="image")
    assert sizes(pictures) == wanted
    assert pictures.tasks[0].label_names == ("cat", "dog")
    assert sizes(load(tmp_path / "files")) == wanted
    assert sizes(load(tmp_path / "folders")) == wanted


def test_the_splits_of_a_saved_data_set_go_by_the_same_names_and_others_are_named(
    tmp_path: Path,
) -> None:
    rows = [{"text": f"{label} {i}", "label": label} for i in range(12) for label in ("pos", "neg")]
    parts = {
        split: datasets.Dataset.from_list(
            [{**row, "text": f"{split} {row['text']}"} for row in rows]
        )
        for split in ("Training", "Testing", "unsupervised", "train_small")
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "saved/readme.md").write_text("x")
    (tmp_path / "saved/Training/.DS_Store").write_text("x")
    stream = load(tmp_path / "saved")
    assert sizes(stream)["test"] == 24
    assert [line.split(":")[0] for line in raw(tmp_path / "saved").unused] == [
        "split 'unsupervised'",
        "split 'train_small'",
        "saved/readme.md, saved/Training/.DS_Store",
    ]
    assert any("not used: split 'train_small'" in warning for warning in stream.warnings)


def test_folders_of_splits_may_be_named_in_the_stream_file(tmp_path: Path) -> None:
    draw_classes(tmp_path / "first half", shade=0)
    draw_classes(tmp_path / "second half", shade=10)
    split = {"train": "first half", "test": "second half"}
    assert sizes(load(tmp_path, kind="image", split=split))["test"] == 24
    message = faults(tmp_path, kind="image", split={"train": "third half"})
    assert "there is no folder 'third half'; folders are first half, second half" in message


def test_two_folders_for_one_split_are_refused_and_not_chosen_between(tmp_path: Path) -> None:
    for name in ("train", "val", "valid"):
        draw_classes(tmp_path / name)
    assert "several folders could be it (val, valid)" in faults(tmp_path, kind="image")


def test_hidden_and_system_folders_are_no_classes_and_are_named(tmp_path: Path) -> None:
    draw_classes(tmp_path)
    for name in (
        ".ipynb_checkpoints",
        "@eaDir",
        "__MACOSX",
        "cat/.ipynb_checkpoints",
        "cat/@eaDir",
    ):
        draw(tmp_path / name, 3, 200)
    for name in (".DS_Store", "Thumbs.db", "cat/.DS_Store"):
        (tmp_path / name).write_text("x")
    stream = load(tmp_path, kind="image")
    assert stream.tasks[0].label_names == ("cat", "dog")
    assert sum(sizes(stream).values()) == 24
    unused = "\n".join(raw(tmp_path, kind="image").unused)
    assert unused.count("hidden, or an operating system's") == 2
    assert "cat/.DS_Store and 6 more" in unused


def test_pictures_that_belong_to_no_class_or_split_are_named(tmp_path: Path) -> None:
    root = tmp_path / "k"
    draw_classes(root / "train")
    draw(root / "test", 5)  # of no class, as competitions give them out
    draw(root / "spare", 4)
    draw_classes(root / "train_old")
    draw(root / "train", 2)
    (root / "train" / "cat" / "notes.txt").write_text("x")
    (root / "train" / "bird").mkdir()
    (root / "labels.csv").write_text("x")
    lines = raw(root, kind="image").unused
    for line in (
        "k/test: 5 pictures in no folder of a class",
        "k/spare: 4 pictures in no folder of a class",
        "k/train_old: 24 pictures, not among the folders of splits",
        "k/train/0.png and 1 more: a picture in no folder of a class",
        "k/train/bird: an empty folder",
    ):
        assert line in lines
    assert any(line.startswith("k/train/cat/notes.txt: no picture by its ending") for line in lines)
    assert any(line.startswith("k/labels.csv: no picture by its ending") for line in lines)
    warnings = "\n".join(load(root, kind="image").warnings)
    assert "k/test: 5 pictures" in warnings
    assert "k/train_old: 24 pictures" in warnings
    assert "spare" not in warnings


def test_a_class_may_be_called_train_but_flat_folders_of_splits_are_no_classes(
    tmp_path: Path,
) -> None:
    for index, name in enumerate(("plane", "ship", "train")):
        draw(tmp_path / "vehicles" / name, 12, index)
    stream = load(tmp_path / "vehicles", kind="image")
    assert stream.tasks[0].label_names == ("plane", "ship", "train")
    assert any(
        "train: looks like a split and is read as a class" in warning for warning in stream.warnings
    )
    draw(tmp_path / "flat" / "train", 12)
    draw(tmp_path / "flat" / "test", 12)
    assert "hold pictures in no folders of classes" in faults(tmp_path / "flat", kind="image")


def test_a_single_folder_around_all_others_is_only_their_wrapping(tmp_path: Path) -> None:
    draw_classes(tmp_path / "k" / "archive" / "Pets" / "Training")
    (tmp_path / "k" / "readme.md").write_text("x")
    assert load(tmp_path / "k", kind="image").tasks[0].label_names == ("cat", "dog")
    assert raw(tmp_path / "k", kind="image").unused[0].startswith("k/readme.md: no picture")


def test_a_picture_folder_without_training_pictures_may_be_held_out_alone(tmp_path: Path) -> None:
    draw_classes(tmp_path / "test")
    assert "there are no training samples, only test" in faults(tmp_path, kind="image")
    assert raw(tmp_path, kind="image").faults[0].lacks_train


@pytest.mark.skipif(os.name != "posix", reason="names of files are text on other systems")
def test_a_file_s_name_that_is_no_text_is_left_out_and_named(tmp_path: Path) -> None:
    draw_classes(tmp_path / "k")
    for name in (b"cat", b"caf\xe9"):
        draw(tmp_path / "k" / os.fsdecode(name), 1)
        drawn = tmp_path / "k" / os.fsdecode(name) / "0.png"
        drawn.with_name(os.fsdecode(b"th\xe9.png")).write_bytes(drawn.read_bytes())
    assert load(tmp_path / "k", kind="image").tasks[0].label_names == ("cat", "dog")
    lines = raw(tmp_path / "k", kind="image").unused
    assert (
        "its name is not UTF-8; rename it"
        in json.dumps(lines, ensure_ascii=False).encode().decode()
    )


def test_what_lies_beside_tables_is_named_and_what_looks_like_a_split_is_a_warning(
    tmp_path: Path,
) -> None:
    root = tmp_path / "k"
    write(root / "train.csv", "a")
    write(root / "my-test.csv", "b")
    write(root / "extra.csv", "c")
    write(root / "old" / "train.csv", "d")
    (root / "train.xlsx").write_text("x")
    (root / ".DS_Store").write_text("x")
    (root / "old" / "Thumbs.db").write_text("x")
    lines = raw(root).unused
    assert [line.partition(":")[0] for line in lines] == [
        "k/extra.csv",
        "k/my-test.csv",
        "k/old/train.csv",
        "k/train.xlsx",
        "k/.DS_Store and 1 more",
    ]
    warnings = "\n".join(load(root).warnings)
    assert "my-test.csv: a table whose name is no split's; name it under split" in warnings
    assert "train.xlsx: no table by its ending" in warnings
    assert "extra" not in warnings


def test_a_file_of_one_split_says_that_the_others_lie_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", "a")
    write(tmp_path / "test.csv", "b")
    write(tmp_path / "books.csv", "c")
    (line,) = raw(tmp_path / "train.csv").unused
    assert line.startswith("test.csv: lies beside train.csv and looks like test")
    assert any(
        "test.csv: lies beside" in warning for warning in load(tmp_path / "train.csv").warnings
    )
    assert raw(tmp_path / "books.csv").unused == ()


def test_pictures_that_no_row_names_are_named_and_those_of_rows_are_not(tmp_path: Path) -> None:
    root = tmp_path / "k"
    draw(root / "images", 30)
    lines = [
        json.dumps({"image": f"images/{i}.png", "label": ("cat", "dog")[i % 2]}) for i in range(24)
    ]
    (root / "train.jsonl").write_text("\n".join(lines))
    (line,) = raw(root, kind="image").unused
    assert line == "k/images/24.png and 5 more: no row names it"


def test_half_of_a_numbered_set_is_said_to_be_half(tmp_path: Path) -> None:
    root = tmp_path / "k"
    part = write(root / "train-00000-of-00002.csv", "a")
    wanted = "1 of 2 parts of 'train' are here; train-00001-of-00002.csv is not"
    assert any(wanted in warning for warning in load(root).warnings)
    assert any(wanted in warning for warning in load(part).warnings)
    write(root / "train-00001-of-00002.csv", "b")
    assert not any("parts of" in warning for warning in load(root).warnings)
    write(root / "train-00000-of-00003.csv", "c")
    assert "several files could be it" in faults(root)


def test_columns_and_other_parts_of_a_file_that_nothing_reads_are_named(tmp_path: Path) -> None:
    root = tmp_path / "k"
    rows = [
        {"text": f"text {i}", "label": "ab"[i % 2], "title": "x", **{f"c{j}": j for j in range(9)}}
        for i in range(24)
    ]
    root.mkdir()
    for name in ("train", "test"):
        (root / f"{name}.json").write_text(json.dumps({"version": 1, "rows": rows, "by": "me"}))
    unused = describe(prepare(raw(root), spec(root)))["unused"]
    assert unused == [
        "version, by of k/train.json: beside the list of rows",
        "version, by of k/test.json: beside the list of rows",
        "columns title, c0, c1, c2, c3, c4, c5, c6 and 2 more of k/train.json, k/test.json: no field of the task "
        "names it",
    ]


def test_what_is_neither_file_nor_folder_beside_a_table_is_no_table(tmp_path: Path) -> None:
    table = write(tmp_path / "train.csv", "one", 40)
    (tmp_path / "old.csv").symlink_to(tmp_path / "gone.csv")
    os.mkfifo(tmp_path / "meta.json")
    assert sizes(load(table)) == sizes(load(tmp_path))
