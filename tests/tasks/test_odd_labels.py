"""Labels and lists of names that are odd: they are refused as what they are, and nothing falls over them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cl_core.tasks.labels.near_twins import describe_twins
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_contents import StreamContents, check_source
from cl_core.tasks.stream_loader import load_stream


def check(path: Path, *labels: object, meta: object = None, **fields: object) -> StreamContents:
    """What is said of a folder of json lines whose labels come round in this order."""
    path.mkdir(exist_ok=True)
    rows = [
        {"text": f"row {number}", "label": labels[number % len(labels)]} for number in range(60)
    ]
    (path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if meta is not None:
        (path / "meta.json").write_text(meta if isinstance(meta, str) else json.dumps(meta))
    task = TaskSpec(name="t", path=str(path), **fields)
    return check_source(StreamSpec(name="s", protocol="til", tasks=(task,)))


def faults(contents: StreamContents) -> str:
    return "; ".join(map(str, contents.faults))


def test_a_number_of_any_length_is_a_class(tmp_path):
    contents = check(tmp_path, 10**400, 1)
    assert not contents.faults
    assert contents.prepared[0].label_names == ("1", str(10**400))
    as_text = check(tmp_path, "1" + "0" * 400, "1")
    assert as_text.prepared[0].label_names == contents.prepared[0].label_names


@pytest.mark.parametrize("endless", [float("inf"), float("-inf"), "1e999"])
def test_what_is_infinite_is_no_class(tmp_path, endless):
    contents = check(tmp_path, 0, endless)
    assert "'label' is an infinite number, and no class" in faults(contents)
    assert "in rows 2, 4, 6" in faults(contents)


def test_nan_is_missing_in_a_table_of_words_as_it_is_in_one_of_numbers(tmp_path):
    typed = check(tmp_path, float("nan"), 1, 0)
    written = check(tmp_path, "nan", "1", "0")
    assert "label is empty in rows 1, 4, 7" in faults(typed)
    assert faults(written) == faults(typed)
    assert check(tmp_path, "Nan", "Grandpa").prepared[0].label_names == ("Grandpa", "Nan")


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        (["neg", "pos"], "must be a mapping with label_names, and is a list"),
        ("[" * 100_000, "not valid JSON"),
        ({"label_names": ["neg", "neg", "pos"]}, "label_names lists 'neg' twice"),
        ({"label_names": ["neg", " "]}, "label_names has an empty name"),
        ({"label_names": "neg"}, "label_names must be a list of names"),
    ],
)
def test_a_meta_json_that_names_nothing_clearly_is_refused(tmp_path, meta, reason):
    said = faults(check(tmp_path, 0, 1, 2, meta=meta))
    assert "meta.json): " in said
    assert reason in said
    assert "object has no" not in said


def test_labels_seem_to_count_from_1_only_where_none_is_0(tmp_path):
    assert "seem to count from 1" in faults(check(tmp_path, 1, 2, label_names=("a", "b")))
    said = faults(check(tmp_path, 0, 1, 2, label_names=("a", "b")))
    assert "unknown label '2'" in said
    assert "count from 1" not in said


def test_a_limit_that_leaves_one_class_leaves_nothing_to_tell_apart(tmp_path):
    said = faults(check(tmp_path, "a", "b", limit=1))
    assert "the limit leaves one class, 'a'; there is nothing to tell apart" in said
    assert not check(tmp_path, "a", "b", limit=8).faults


def test_a_class_without_rows_to_validate_or_to_test_on_is_said(tmp_path):
    contents = check(tmp_path, "a", "b", "c")
    assert not any("no validation rows" in warning for warning in contents.warnings)
    rows = "".join(
        json.dumps({"text": f"other {n}", "label": "ab"[n % 2]}) + "\n" for n in range(9)
    )
    (tmp_path / "validation.jsonl").write_text(rows)
    (tmp_path / "test.jsonl").write_text(rows.replace("other", "third"))
    task = TaskSpec(name="t", path=str(tmp_path))
    said = load_stream(StreamSpec(name="s", protocol="til", tasks=(task,))).warnings
    assert any("no validation rows of class 'c', so the epoch is chosen without" in w for w in said)
    assert any("no test rows of class 'c', so no score says how it is told" in w for w in said)


@pytest.mark.parametrize(
    ("labels", "names", "unlisted"),
    [
        ((0, 1), ("1", "2"), 0),
        ((0, 1, 2), ("2", "1"), 0),
        ((2, 10, 1), ("2", "10"), 1),
        (("0", "1", "2"), ("2.0", "01"), 0),
        ((0, 1), ("negative", "0"), 1),
    ],
)
def test_a_list_that_has_a_label_of_the_data_lists_labels_and_never_gives_it_to_another(
    tmp_path, labels, names, unlisted
):
    said = faults(check(tmp_path, *labels, label_names=names))
    assert f"unknown label '{unlisted}'" in said
    assert "Did you mean" not in said
    assert "0 to 1" not in said
    assert "label_names lists labels here, not names of the numbers from 0" in said


def test_names_that_are_numbers_name_labels_that_are_none_of_them(tmp_path):
    for names in (("3", "5"), ("0", "positive"), ("1", "0")):
        contents = check(tmp_path, 0, 1, label_names=names)
        assert faults(contents) == ""
        assert contents.prepared[0].label_names == names


@pytest.mark.parametrize(
    ("labels", "names", "said"),
    [
        ((0, 1, 2), ("1", "2", "3"), "meta.json names the numbers from 0: label 1 is '2', not '1'"),
        (
            (0, 1, 2),
            ("2", "1", "0"),
            "meta.json lists the labels themselves: label 2 is '2', not '0'",
        ),
        ((0, 1), ("1.0", "0"), "meta.json lists the labels themselves: label 1 is '1', not '0'"),
        ((1, 2, 3), ("1", "2", "3"), ""),
        ((0, 1, 2), ("0", "1", "2"), ""),
        ((0, 1, 2), ("poor", "fair", "fine"), ""),
    ],
)
def test_how_a_meta_json_of_numbers_is_read_is_said_where_it_could_mean_either(
    tmp_path, labels, names, said
):
    contents = check(tmp_path, *labels, meta={"label_names": names})
    assert faults(contents) == ""
    assert [line for line in contents.warnings if "meta.json" in line] == (
        [f"task 't': {said}"] if said else []
    )


def test_names_that_look_alike_are_quoted_by_their_beginnings() -> None:
    words = describe_twins(("Long " * 5000, "long " * 5000))
    assert words.startswith("'Long Long")
    assert len(words) < 500
