"""Every local format gives the same rows; labels and classes are found where they are."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import datasets
import pandas
import pyarrow
import pytest
from pyarrow import parquet

from cl_core.errors import Faults
from cl_core.tasks.sources.files import read_files
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_loader import load_stream

ROWS = [
    (text, label)
    for i in range(10)
    for text, label in ((f"fine, they said: “{i}”", "positive"), (f"poor\tline\n{i}", "negative"))
]
NAMES = ("negative", "positive")


def write(path: Path, rows=ROWS, header=("text", "label")):
    """One file of rows, in the format of its suffix."""
    columns = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    match path.suffix:
        case ".csv" | ".tsv":
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, delimiter="," if path.suffix == ".csv" else "\t")
                writer.writerows([header, *rows])
        case ".jsonl":
            lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
            path.write_text("\n".join(lines) + "\n")
        case ".json":
            path.write_text(json.dumps([dict(zip(header, row, strict=True)) for row in rows]))
        case ".parquet":
            parquet.write_table(pyarrow.table(columns), path)
        case ".arrow":
            table = pyarrow.table(columns)
            with pyarrow.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table)


def load(path, **fields):
    spec = TaskSpec(name="t", path=str(path), **fields)
    return load_stream(StreamSpec(name="s", protocol="til", tasks=(spec,)))


def task(path, **fields):
    return load(path, **fields).tasks[0]


def faults(path, **fields):
    with pytest.raises(Faults) as caught:
        load(path, **fields)
    return "\n".join(caught.value.faults)


@pytest.fixture
def folder(tmp_path):
    for split in ("train", "validation", "test"):
        write(tmp_path / f"{split}.parquet", [(f"{split} {text}", label) for text, label in ROWS])
    return tmp_path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet", ".arrow"])
def test_every_format_gives_the_same_rows(folder, tmp_path_factory, suffix):
    other = tmp_path_factory.mktemp("other")
    for split, name in (("train", "train"), ("validation", "dev"), ("test", "test")):
        rows = [(f"{split} {text}", label) for text, label in ROWS]
        write(other / f"{name}{suffix}", rows)
    assert task(other).fingerprint == task(folder).fingerprint
    assert task(folder).label_names == NAMES


@pytest.mark.parametrize("layout", ["columns", "index", "split", "records", "table", "list"])
def test_every_layout_of_json_that_pandas_writes_gives_the_same_rows(folder, tmp_path, layout):
    other = tmp_path / layout
    other.mkdir()
    for split in ("train", "validation", "test"):
        frame = pandas.DataFrame(
            [(f"{split} {text}", label) for text, label in ROWS], columns=["text", "label"]
        )
        table = json.dumps(frame.to_dict("list")) if layout == "list" else ""
        (other / f"{split}.json").write_text(table or frame.to_json(orient=layout))
    assert task(other).fingerprint == task(folder).fingerprint


def test_a_save_to_disk_folder_gives_the_same_rows_and_keeps_its_class_names(folder, tmp_path):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(NAMES))}
    )
    splits = {
        split: datasets.Dataset.from_dict(
            {
                "text": [f"{split} {text}" for text, _ in ROWS],
                "label": [NAMES.index(label) for _, label in ROWS],
            },
            features,
        )
        for split in ("train", "validation", "test")
    }
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "saved"))
    assert task(tmp_path / "saved").fingerprint == task(folder).fingerprint
    splits["train"].save_to_disk(str(tmp_path / "one"))
    assert len(task(tmp_path / "one").train) == 14
    splits["train"].to_parquet(str(tmp_path / "labelled.parquet"))
    assert task(tmp_path / "labelled.parquet").label_names == NAMES


def test_one_file_is_split_reproducibly_and_stratified(tmp_path):
    write(tmp_path / "all.csv")
    stream = load(tmp_path / "all.csv")
    first = stream.tasks[0]
    assert {split: len(rows) for split, rows in first.splits.items()} == {
        "train": 14,
        "validation": 2,
        "test": 4,
    }
    assert all(sum(rows["label"]) * 2 == len(rows) for rows in first.splits.values())
    assert "2 validation rows and 4 test rows were cut" in stream.warnings[0]
    assert task(tmp_path / "all.csv").fingerprint == first.fingerprint
    assert task(tmp_path / "all.csv", seed=1).fingerprint != first.fingerprint
    assert len(task(tmp_path / "all.csv", test_fraction=0.5).test) == 10


def test_files_may_have_other_names_and_columns(folder):
    for split in ("train", "validation", "test"):
        rows = [(text, f"title {i}", label) for i, (text, label) in enumerate(ROWS)]
        write(
            folder / f"my-{split}.csv",
            [(f"{split} {a}", b, c) for a, b, c in rows],
            ("a", "b", "c"),
        )
    names = {split: f"my-{split}.csv" for split in ("train", "validation", "test")}
    read = task(folder, split=names, text="a", text_pair="b", label="c")
    assert read.train.column_names == ["id", "text", "text_pair", "label"]
    assert read.train[0]["text_pair"] == "title 0"
    assert list(read.train["text"]) == list(task(folder).train["text"])


def test_parts_numbered_as_on_the_hub_are_one_split(folder):
    write(folder / "train-00000-of-00002.parquet", [(f"train {t}", n) for t, n in ROWS[:7]])
    write(folder / "train-00001-of-00002.parquet", [(f"train {t}", n) for t, n in ROWS[7:]])
    whole = task(folder, split={"train": "train.parquet"})
    (folder / "train.parquet").unlink()
    assert task(folder).fingerprint == whole.fingerprint


def test_class_order_is_as_given_then_as_carried_then_by_label_name_then_sorted(tmp_path):
    rows = [(f"text {i}", i % 3, ("zebra", "ape", "mole")[i % 3]) for i in range(30)]
    write(tmp_path / "train.csv", rows, ("text", "label", "label_name"))
    assert task(tmp_path).label_names == ("zebra", "ape", "mole")
    (tmp_path / "meta.json").write_text('{"label_names": ["z", "a", "m"]}')
    assert task(tmp_path).label_names == ("z", "a", "m")
    assert task(tmp_path, label_names=("m", "z", "a")).label_names == ("m", "z", "a")
    assert "label_names lists 'x', 'y', 'w', which the data do not have" in faults(
        tmp_path, label_names=("x", "y", "w")
    )
    by_name = task(tmp_path, label="label_name", label_names=("mole", "zebra", "ape"))
    assert by_name.train[0]["label"] == 1
    (tmp_path / "meta.json").unlink()
    assert task(tmp_path, label="label_name").label_names == ("ape", "mole", "zebra")


def test_numbers_without_names_are_classes_in_the_order_of_the_numbers(tmp_path):
    write(tmp_path / "stars.csv", [(f"text {i}", (2, 10, 1)[i % 3]) for i in range(30)])
    read = task(tmp_path / "stars.csv")
    assert read.label_names == ("1", "2", "10")
    assert (
        task(tmp_path / "stars.csv", label_names=("1", "2", "10")).fingerprint == read.fingerprint
    )


def test_one_label_with_two_names_is_a_fault(tmp_path):
    rows = [(f"text {i}", i % 2, ("no", "yes")[i % 2]) for i in range(20)]
    rows[6] = ("text 6", 0, "maybe")
    write(tmp_path / "all.csv", rows, ("text", "label", "label_name"))
    assert "label 0 is named 'no' elsewhere, and 'maybe' in row 7" in faults(tmp_path / "all.csv")


def test_a_stray_quote_in_a_tab_separated_file_is_just_text(tmp_path):
    lines = [f'"quoted{i}\tpos\nplain "word" {i}\tneg' for i in range(10)]
    (tmp_path / "all.tsv").write_text("text\tlabel\n" + "\n".join(lines) + "\n")
    read = task(tmp_path / "all.tsv")
    assert sum(map(len, read.splits.values())) == 20


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    write(tmp_path / "plain.csv")
    marked = tmp_path / "marked.csv"
    marked.write_bytes(b"\xef\xbb\xbf" + (tmp_path / "plain.csv").read_bytes())
    assert task(marked).fingerprint == task(tmp_path / "plain.csv").fingerprint
    text = (tmp_path / "plain.csv").read_bytes().decode()
    (tmp_path / "wide.csv").write_bytes(text.encode("utf-16"))
    assert "is UTF-16" in faults(tmp_path / "wide.csv")


def test_broken_text_in_a_binary_format_is_named_by_row(tmp_path):
    cells = pyarrow.array(
        [f"text {i}".encode() for i in range(20)] + [b"caf\xe9"], pyarrow.binary()
    )
    table = pyarrow.table({"text": cells.view(pyarrow.string()), "label": ["a", "b"] * 10 + ["a"]})
    parquet.write_table(table, tmp_path / "all.parquet")
    assert "column 'text' is not UTF-8 in row 21" in faults(tmp_path / "all.parquet")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("all.csv", "", "is empty: not even a header"),
        ("all.csv", 'text,label\n"open, and more,a\n', "row that begins in line 2"),
        ("all.json", '{"a": ', "not valid JSON: line 1"),
        ("all.json", "3", "must hold a list of objects"),
        ("all.xlsx", "x", "'.xlsx' files cannot be read"),
        ("all.arrow", "x", "not a readable arrow file"),
        ("all.jsonl", '{"text": "x", "label": NaN}\n', "label is empty in row 1"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    assert message in faults(tmp_path / name)


def test_a_folder_without_training_rows_is_refused_and_not_cut(folder):
    (folder / "train.parquet").unlink()
    assert "no training samples, only validation and test" in faults(folder)


def test_rows_shared_by_train_and_test_are_a_warning_with_their_number(folder):
    shared = [(f"train {text}", label) for text, label in ROWS[:3]]
    write(folder / "test.parquet", shared + [(f"test {t}", n) for t, n in ROWS])
    stream = load(folder)
    assert stream.warnings == (
        "task 't': 3 of 23 test rows are also in train; scores on them show memory",
    )


def test_classes_with_few_rows_are_a_warning(folder):
    write(folder / "train.parquet", [*ROWS, ("so so", "neutral")])
    assert "fewer than 8 training samples of class 'neutral' (1)" in load(folder).warnings[0]


@pytest.fixture
def nested(tmp_path: Path) -> Iterator[Path]:
    """A folder whose folders lie 1,500 deep; no path is as long as that."""
    folder = tmp_path / "nested"
    folder.mkdir()
    before = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(before)
    yield folder
    subprocess.run(["/bin/rm", "-rf", folder], check=True)  # shutil's own takes the stack as well


def test_folders_without_end_beside_the_data_are_refused(nested: Path):
    write(nested / "train.csv")
    assert "levels of folders; at most 100 are read: lay its files less deep" in faults(nested)


def test_folders_without_end_beside_pictures_are_refused(nested: Path):
    (nested / "cat").mkdir()
    (nested / "cat" / "1.png").write_bytes(b"")
    assert "at most 100 are read" in faults(nested, kind="image")


def test_folders_without_end_in_a_saved_data_set_are_refused(nested: Path):
    (nested / "state.json").write_text("{}")
    assert "at most 100 are read" in faults(nested)


def test_a_pipe_or_a_device_beside_the_data_is_called_one(folder: Path):
    for suffix in (".tsv", ".txt"):
        os.mkfifo(folder / f"test{suffix}")
    (folder / "notes.csv").symlink_to("/dev/null")
    said = read_files(folder, TaskSpec(name="t", path=str(folder)), "data").unused
    for name in ("test.tsv", "test.txt", "notes.csv"):
        assert any(f"{name}: no regular file" in line for line in said)


def test_a_pipe_in_place_of_the_data_is_called_one(tmp_path: Path):
    os.mkfifo(tmp_path / "train.csv")
    assert "the folder has train.csv (no regular file)" in faults(tmp_path)
    assert "the folder has train.csv (no regular file)" in faults(
        tmp_path, split={"train": "train.csv"}
    )
