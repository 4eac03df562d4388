"""Whose numbers are named: those of the column `label`; what may name others, or is not read, is said."""

from __future__ import annotations

import json

import pytest

from cl_core.tasks.spec import StreamSpec
from cl_core.tasks.stream_contents import check_source
from tests.tasks.test_labels import by_number, csv, load, spec


@pytest.mark.parametrize("named", ["label_name", "meta.json"])
def test_names_of_the_column_label_are_no_other_columns(tmp_path, named):
    rows = {"text": [f"t {i}" for i in range(40)], "stars": [1, 2] * 20, "label": [0, 0, 1, 1] * 10}
    if named == "label_name":
        rows["label_name"] = ["neg", "neg", "pos", "pos"] * 10
    else:
        (tmp_path / "meta.json").write_text(json.dumps({"label_names": ["zero", "neg", "pos"]}))
    csv(tmp_path / "train.csv", rows)
    contents = check_source(
        StreamSpec(name="s", protocol="til", tasks=(spec(tmp_path, label="stars"),))
    )
    assert not contents.faults
    assert contents.prepared[0].label_names == ("1", "2")
    assert f"task 't': {named} names the column label" in "; ".join(contents.warnings)
    named_so = ("neg", "pos") if named == "label_name" else ("zero", "neg")
    assert load(spec(tmp_path, label="label")).tasks[0].label_names == named_so


def test_a_meta_json_that_is_not_read_is_said(tmp_path):
    csv(tmp_path / "train.csv", by_number(("neg", "pos")))
    for held, path, said in (
        ({"label_names": ["neg", "pos"]}, tmp_path / "train.csv", "meta.json: lies beside"),
        ({"id2label": {"0": "neg"}}, tmp_path, "meta.json: has no label_names, but id2label"),
    ):
        (tmp_path / "meta.json").write_text(json.dumps(held))
        stream = StreamSpec(name="s", protocol="til", tasks=(spec(path),))
        contents = check_source(stream)
        assert contents.prepared[0].label_names == ("0", "1")
        assert any(said in line for line in contents.prepared[0].unused)
        assert any(said in line for line in contents.warnings)


def test_a_meta_json_that_may_name_another_column_is_said(tmp_path):
    rows = {"text": [f"t {i}" for i in range(40)], "tone": [0, 1] * 20, "topic": [0, 0, 1, 1] * 10}
    csv(tmp_path / "train.csv", rows)
    (tmp_path / "meta.json").write_text(json.dumps({"label_names": ["neg", "pos"]}))
    tasks = [spec(tmp_path, column, label=column) for column in ("tone", "topic")]
    warnings = "; ".join(load(*tasks, protocol="til").warnings)
    assert "taken to name those of 'topic'; there is 'tone' too" in warnings


def test_numbers_that_may_be_counted_from_elsewhere_are_said(tmp_path):
    for name, labels in (("books", [0, 1]), ("kitchen", [1, 2]), ("films", [0, 1])):
        rows = {"text": [f"{name} {i}" for i in range(40)], "label": labels * 20}
        csv(tmp_path / f"{name}.csv", rows)
    tasks = [spec(tmp_path / f"{name}.csv", name) for name in ("books", "kitchen", "films")]
    said = [line for line in load(*tasks).warnings if "from another number" in line]
    assert [line.split(":")[0] for line in said] == ["task 'kitchen'"]
    assert "its classes are '1', '2', those of 'books' are '0', '1'" in said[0]
