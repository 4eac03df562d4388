"""A task's rows and its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from datasets.arrow_dataset import Column

from cl_core.errors import UserError
from cl_core.tasks.task import make_rows, make_task
from tests.small_runs import Carry

ROWS = {"train": [("good", 1), ("bad", 0)], "validation": [("fine", 1)], "test": [("poor", 0)]}


def make(name="books", labels=("negative", "positive"), **changed):
    return make_task(name, labels, {**ROWS, **changed})


def test_columns_are_id_text_and_label_and_ids_say_where_a_row_is():
    task = make()
    assert task.train.column_names == ["id", "text", "label"]
    assert list(task.train["id"]) == ["books/train/0", "books/train/1"]
    assert str(task.train.features["label"].dtype) == "int64"
    paired = make_rows("qa", "test", {"text": ["a"], "text_pair": ["b"]}, [0], [7])
    assert paired[0] == {"id": "qa/test/7", "text": "a", "text_pair": "b", "label": 0}


def test_equal_content_has_an_equal_fingerprint_whatever_object_holds_it():
    assert make().fingerprint == make().fingerprint
    selected = make()
    again = selected.train.select([1, 0]).select([1, 0])
    assert make().split_fingerprint("train") == type(selected)(
        "books", "text", selected.label_names, {"train": again}, "elsewhere"
    ).split_fingerprint("train")


@pytest.mark.parametrize(
    "changed",
    [
        {"train": [("bad", 0), ("good", 1)]},
        {"train": [("good", 0), ("bad", 0)]},
        {"train": [("goodb", 1), ("ad", 0)]},
        {"test": [("poor", 1)]},
        {"labels": ("positive", "negative")},
        {"labels": ("negative", "positive", "neutral")},
    ],
)
def test_another_order_label_text_or_class_changes_the_fingerprint(changed):
    assert make(**changed).fingerprint != make().fingerprint


def test_a_split_s_fingerprint_does_not_depend_on_other_splits():
    other = make(test=[("awful", 0)])
    assert other.split_fingerprint("train") == make().split_fingerprint("train")
    assert other.split_fingerprint("test") != make().split_fingerprint("test")


def test_the_fingerprint_is_this_one_on_every_machine():
    # A change of this value makes everybody's stored artifacts unreachable.
    assert make().fingerprint.startswith("aba3bd86f281ccc1")


def test_a_missing_split_and_a_label_out_of_range_are_named():
    with pytest.raises(UserError, match="no validation rows; it has train"):
        _ = make_task("books", ("a", "b"), {"train": [("x", 0)]}).validation
    with pytest.raises(UserError, match=r"labels \[2\] are not indices"):
        make(train=[("x", 2)])


def test_no_column_of_texts_is_asked_for_row_by_row(
    carry: Carry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which takes seventy times as long, and a stream has hundred thousands of rows."""

    def iterated(self: Column) -> Iterator[object]:
        raise AssertionError(f"column '{self.column_name}' is iterated")

    monkeypatch.setattr(Column, "__iter__", iterated)
    run = carry(recipe="l2r-wavg", memory=0.5, router_epochs=1)
    assert run.route("a fine day", task=run.folder.config.tasks[0].name)
