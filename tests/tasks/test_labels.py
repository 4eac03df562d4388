"""Names that the data carry stay the meaning of their numbers, whatever the order, the file and the format."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from pyarrow import parquet

from cl_core.errors import Faults
from cl_core.tasks.labels.near_twins import find_near_twins
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_loader import load_stream
from cl_core.tasks.task import SPLITS, Task

WORDS = ("poor", "fine")
"""Row i says it, and is negative or positive by it."""


def load(*tasks: TaskSpec, protocol: str = "dil"):
    return load_stream(StreamSpec(name="s", protocol=protocol, tasks=tasks))


def spec(path: Path, name: str = "t", **fields: object) -> TaskSpec:
    return TaskSpec(name=name, path=str(path), **fields)


def faults(*tasks: TaskSpec) -> str:
    with pytest.raises(Faults) as caught:
        load(*tasks, protocol="cil")
    return str(caught.value)


def said(task: Task) -> set[tuple[str, str]]:
    """The first word of each text beside the name of its label."""
    return {
        (row["text"].split()[0], task.label_names[row["label"]])
        for split in SPLITS
        for row in task.splits[split]
    }


def by_number(order: tuple[str, ...], rows: int = 40) -> dict[str, list[object]]:
    """Reviews whose numbers count from 0 in this order of neg and pos."""
    numbers = {name: order.index(name) for name in ("neg", "pos")}
    return {
        "text": [f"{WORDS[i % 2]} thing {i}" for i in range(rows)],
        "label": [numbers[("neg", "pos")[i % 2]] for i in range(rows)],
    }


def labelled(order: tuple[str, ...], rows: int = 40) -> Dataset:
    features = Features({"text": Value("string"), "label": ClassLabel(names=list(order))})
    return Dataset.from_dict(by_number(order, rows), features)


def csv(path: Path, columns: dict[str, list[object]]) -> None:
    lines = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


RIGHT = {("poor", "neg"), ("fine", "pos")}


@pytest.mark.parametrize("given", [None, ("neg", "pos"), ("pos", "neg")])
def test_two_tables_that_number_their_classes_differently_agree_by_name(tmp_path, given):
    labelled(("neg", "pos")).to_parquet(tmp_path / "books.parquet")
    labelled(("pos", "neg")).to_parquet(tmp_path / "kitchen.parquet")
    names = [
        spec(tmp_path / f"{name}.parquet", name, label_names=given) for name in ("books", "kitchen")
    ]
    stream = load(*names)
    assert [said(task) for task in stream.tasks] == [RIGHT, RIGHT]
    assert {task.label_names for task in stream.tasks} <= {("neg", "pos"), ("pos", "neg")}
    if given:
        assert {task.label_names for task in stream.tasks} == {given}


def test_the_column_label_name_and_a_meta_json_give_numbers_their_meaning_too(tmp_path):
    table = by_number(("pos", "neg"))
    csv(
        tmp_path / "column.csv", {**table, "label_name": [("neg", "pos")[i % 2] for i in range(40)]}
    )
    csv(tmp_path / "beside/train.csv", table)
    (tmp_path / "beside/meta.json").write_text('{"label_names": ["pos", "neg"]}')
    for path in (tmp_path / "column.csv", tmp_path / "beside"):
        task = load(spec(path, label_names=("neg", "pos"))).tasks[0]
        assert (task.label_names, said(task)) == (("neg", "pos"), RIGHT)


def test_the_splits_of_one_folder_may_number_their_classes_differently(tmp_path):
    orders = {"train": ("neg", "pos"), "validation": ("pos", "neg"), "test": ("pos", "neg")}
    for split, order in orders.items():
        labelled(order, 20).to_parquet(tmp_path / f"{split}.parquet")
        names = [("neg", "pos")[i % 2] for i in range(20)]
        csv(tmp_path / "named" / f"{split}.csv", {**by_number(order, 20), "label_name": names})
    for path in (tmp_path, tmp_path / "named"):
        stream = load(spec(path))
        assert said(stream.tasks[0]) == RIGHT
        assert "its splits number their classes differently" in " ".join(stream.warnings)


def test_the_parts_of_one_split_may_number_their_classes_differently(tmp_path):
    for number, order in enumerate((("neg", "pos"), ("pos", "neg"))):
        labelled(order).to_parquet(tmp_path / f"train-0000{number}-of-00002.parquet")
    assert said(load(spec(tmp_path)).tasks[0]) == RIGHT


def test_numbers_of_a_split_without_names_follow_the_other_splits(tmp_path):
    names = [("neg", "pos")[i % 2] for i in range(20)]
    for split in SPLITS:
        table = by_number(("pos", "neg"), 20)
        csv(
            tmp_path / f"{split}.csv", {**table, "label_name": names} if split == "train" else table
        )
    assert said(load(spec(tmp_path)).tasks[0]) == RIGHT


def test_names_that_contradict_each_other_are_refused(tmp_path):
    csv(tmp_path / "t/train.csv", {
        **by_number(("neg", "pos")), "label_name": [("neg", "pos")[i % 2] for i in range(40)],
    })  # fmt: skip
    (tmp_path / "t/meta.json").write_text('{"label_names": ["pos", "neg"]}')
    message = "label 0 is 'pos' by meta.json and 'neg' by the column label_name"
    assert message in faults(spec(tmp_path / "t"))


def test_names_in_other_words_are_used_in_the_order_of_precedence_and_said(tmp_path):
    words = [("negative", "positive")[i % 2] for i in range(40)]
    csv(tmp_path / "t/train.csv", {**by_number(("neg", "pos")), "label_name": words})
    (tmp_path / "t/meta.json").write_text('{"label_names": ["neg", "pos"]}')
    stream = load(spec(tmp_path / "t"))
    assert said(stream.tasks[0]) == RIGHT
    assert "label 0 is 'neg' by meta.json and 'negative' by" in " ".join(stream.warnings)
    chosen = load(spec(tmp_path / "t", label_names=("positive", "negative"))).tasks[0]
    assert said(chosen) == {("poor", "negative"), ("fine", "positive")}


def test_label_names_select_among_the_names_of_the_data(tmp_path):
    names = [("neg", "so so", "pos")[i % 3] for i in range(60)]
    numbers = [(7, 3, 5)[i % 3] for i in range(60)]
    text = [f"{n} {i}" for i, n in enumerate(names)]
    csv(tmp_path / "t.csv", {"text": text, "label": numbers, "label_name": names})
    stream = load(spec(tmp_path / "t.csv", label_names=("pos", "neg")))
    assert said(stream.tasks[0]) == {("neg", "neg"), ("pos", "pos")}
    assert "left out: 'so so' (20)" in " ".join(stream.warnings)
    wrong = faults(spec(tmp_path / "t.csv", label_names=("positive", "neg")))
    assert "lists 'positive', which the data do not have, and leaves out 'so so', 'pos'" in wrong


def test_numbers_that_nothing_names_get_their_names_from_the_stream_file(tmp_path):
    csv(tmp_path / "t.csv", by_number(("neg", "pos")))
    features = Features({"text": Value("string"), "label": ClassLabel(names=["0", "1"])})
    Dataset.from_dict(by_number(("neg", "pos")), features).to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        assert said(load(spec(tmp_path / name, label_names=("neg", "pos"))).tasks[0]) == RIGHT


def test_class_names_that_are_numbers_are_names(tmp_path):
    """ClassLabel 0 is called "1": counting from 0 and the name must not be mixed up, whole or in a slice."""
    stars = Features({"text": Value("string"), "label": ClassLabel(names=["3", "1", "2"])})
    rows = {"text": [f"{'312'[i % 3]} stars {i}" for i in range(60)], "label": [0, 1, 2] * 20}
    for name, kept in (("all", (0, 1, 2)), ("slice", (1, 2))):
        table = Dataset.from_dict(rows, stars).filter(lambda row, kept=kept: row["label"] in kept)
        table.to_parquet(tmp_path / f"{name}.parquet")
        task = load(spec(tmp_path / f"{name}.parquet")).tasks[0]
        assert all(text == name for text, name in said(task))
        assert len(task.label_names) == len(kept)


@pytest.mark.parametrize("kind", ["saved", "parquet", "meta"])
def test_a_slice_has_the_classes_of_its_rows_and_not_all_that_it_declares(tmp_path, kind):
    names = ["a", "b", "c", "d", "e"]
    features = Features({"text": Value("string"), "label": ClassLabel(names=names)})
    rows = {
        "text": [f"{names[i % 5]} {i}" for i in range(100)],
        "label": [i % 5 for i in range(100)],
    }
    specs = []
    for name, kept in (("one", (0, 1)), ("two", (2, 3, 4))):
        table = Dataset.from_dict(rows, features).filter(
            lambda row, kept=kept: row["label"] in kept
        )
        path = tmp_path / name
        if kind == "saved":
            DatasetDict({"train": table}).save_to_disk(str(path))
        elif kind == "parquet":
            path = tmp_path / f"{name}.parquet"
            table.to_parquet(path)
        else:
            csv(path / "train.csv", {"text": table["text"], "label": table["label"]})
            (path / "meta.json").write_text(json.dumps({"label_names": names}))
        specs.append(spec(path, name))
    stream = load(*specs, protocol="cil")
    assert [task.label_names for task in stream.tasks] == [("a", "b"), ("c", "d", "e")]
    assert all(text == name for task in stream.tasks for text, name in said(task))
    assert "task 'one': the data name 5 classes and have rows of 2" in " ".join(stream.warnings)


def test_labels_that_do_not_count_from_0_keep_their_names(tmp_path):
    names = [("ten", "eleven", "twelve")[i % 3] for i in range(60)]
    text = [f"{name} {i}" for i, name in enumerate(names)]
    csv(
        tmp_path / "t.csv",
        {"text": text, "label": [10 + i % 3 for i in range(60)], "label_name": names},
    )
    task = load(spec(tmp_path / "t.csv")).tasks[0]
    assert task.label_names == ("ten", "eleven", "twelve")
    assert all(text == name for text, name in said(task))


LABELS = {
    "floats": ([0.0, 1.0], ("0", "1"), ["0.0", "1.0"]),
    "truth": ([False, True], ("false", "true"), ["False", "True"]),
    "whole": ([0, 1], ("0", "1"), ["0", "1"]),
    "words": (["no", "yes"], ("no", "yes"), ["no", "yes"]),
    "padded": (["01", "1"], ("01", "1"), ["01", "1"]),
}


@pytest.mark.parametrize("labels", LABELS)
def test_the_same_rows_give_the_same_classes_from_every_format(tmp_path, labels):
    values, classes, written = LABELS[labels]
    text = [f"text {i}" for i in range(40)]
    csv(tmp_path / "t.csv", {"text": text, "label": [written[i % 2] for i in range(40)]})
    rows = [{"text": text[i], "label": values[i % 2]} for i in range(40)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    table = pyarrow.Table.from_pylist(rows)
    parquet.write_table(table, tmp_path / "t.parquet")
    arrow = str(tmp_path / "t.arrow")
    with pyarrow.OSFile(arrow, "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    tasks = [
        load(spec(tmp_path / f"t.{end}")).tasks[0] for end in ("csv", "jsonl", "parquet", "arrow")
    ]
    assert {task.label_names for task in tasks} == {classes}
    assert len({task.fingerprint for task in tasks}) == 1


def test_the_stream_file_may_spell_numbers_and_truth_as_it_likes(tmp_path):
    csv(
        tmp_path / "t.csv", {"text": [f"t {i}" for i in range(40)], "label": ["True", "False"] * 20}
    )
    csv(tmp_path / "n.csv", {"text": [f"t {i}" for i in range(40)], "label": ["0.5", "1.0"] * 20})
    assert (
        load(spec(tmp_path / "t.csv", label_names=("TRUE", "FALSE"))).tasks[0].train["label"][0]
        == 0
    )
    assert load(spec(tmp_path / "n.csv", label_names=("1", "0.5"))).tasks[0].train["label"][0] == 1


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ([0, 2], "several labels a row (multilabel)"),
        ({"id": 0}, "is a mapping"),
        (0.37, "(regression)"),
        ("[0, 2]", "several labels a row (multilabel)"),
        ("{'id': 0}", "is a mapping"),
        ("0.37", "(regression)"),
    ],
)
def test_what_is_no_class_is_refused_as_what_it_is(tmp_path, label, reason):
    rows = [{"text": f"text {i}", "label": i % 2} for i in range(20)]
    if isinstance(label, str):
        rows = [{**row, "label": str(row["label"])} for row in rows]
    rows[6]["label"] = label
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    message = faults(spec(tmp_path / "t.jsonl"))
    assert reason in message
    assert "row 7" in message
    assert message.count("\n") == 1  # one fault, and no class is named after it


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("cat", "Cat", "capital and small letters"),
        ("caf\u00e9", "cafe\u0301", "composed and decomposed letters"),
        ("a\u200bb", "ab", "signs that cannot be seen"),
        ("cat", "c\u0430t", "'cat' and 'c\\u0430t' (letters of different scripts"),
        ("\u041e\u041a", "OK", "letters of different scripts that look alike"),
        ("ab", "a\u3164b", "'a\\u3164b' (signs that cannot be seen"),
        ("ab", "ab\ufe0f", "'ab\\ufe0f' (signs that cannot be seen"),
        ("1", "01", "two ways to write one number"),
    ],
)
def test_near_twins_of_class_names_are_said(tmp_path, one, other, reason):
    names = [(one, other, "else")[i % 3] for i in range(60)]
    csv(tmp_path / "t.csv", {"text": [f"text {i}" for i in range(60)], "label": names})
    stream = load(spec(tmp_path / "t.csv"))
    assert len(stream.tasks[0].label_names) == 3
    assert reason in " ".join(stream.warnings)


def test_names_that_differ_in_meaning_are_no_twins():
    assert (
        find_near_twins(["cat", "cats", "1", "10", "c", "c++", "resume", "r\u00e9sum\u00e9"]) == []
    )
    cyrillic = ["\u043a\u043e\u0442", "\u043f\u0451\u0441", "\u0412\u043e\u0442", "cat", "dog"]
    assert find_near_twins(cyrillic) == []
    assert find_near_twins([*cyrillic, "\u0432\u043e\u0442"]) == [
        ("\u0412\u043e\u0442", "\u0432\u043e\u0442")
    ]
