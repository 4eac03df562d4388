"""Labels and lists of names that are odd: they are refused as what they are, and nothing falls over them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
