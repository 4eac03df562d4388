"""The built-in streams of pictures: what they hold, the same again, and no picture on both sides."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from cl_core.errors import Faults, UserError
from cl_core.picture_decoder import open_picture
from cl_core.synthetic.scenes.figures import THINGS
from cl_core.tasks import builtin
from cl_core.tasks.stream import Stream
from cl_core.tasks.stream_loader import load_stream
from cl_core.tasks.task import content_keys
from cl_core.video import read_clip

SMALL, TINY = "train=80,validation=10,test=10", "train=10,validation=4,test=4"
TASKS = {
    "digits": 6,
    "scenes": 6,
    "scenes-cil": 5,
    "scenes-qa": 5,
    "scenes-qa-styles": 6,
    "clips-qa": 4,
}
QUESTIONS = ("scenes-qa", "scenes-qa-styles", "clips-qa")


@cache
def small(name: str, order: str | None = None) -> Stream:
    """A built-in stream of few rows, drawn once for all tests that only look at it."""
    return load_stream(f"{name}:{SMALL}", order=order)


@pytest.mark.parametrize("name", TASKS)
def test_a_stream_of_pictures_is_made_without_files(name: str) -> None:
    stream = small(name)
    assert stream.protocol == ("cil" if name == "scenes-cil" else "dil")
    assert len(stream.tasks) == TASKS[name]
    assert not stream.warnings
    for task in stream.tasks:
        assert (task.kind != "image") == (name in QUESTIONS)
        assert {split: len(rows) for split, rows in task.splits.items()} == {
            "train": 80,
            "validation": 10,
            "test": 10,
        }
        row = task.train[0]
        picture = (
            read_clip(row["video"], 8).frames[0]
            if "video" in row
            else np.asarray(open_picture(row["image"]))
        )
        assert picture.shape == (64, 64, 3)
        assert picture.std() > 3


@pytest.mark.parametrize("name", TASKS)
def test_the_same_seed_makes_the_same_pictures_and_another_seed_others(name: str) -> None:
    prints = []
    for seed in (1, 1, 2):
        builtin._made.cache_clear()  # made anew, not remembered
        prints.append(load_stream(f"{name}:{TINY},seed={seed}").tasks[0].fingerprint)
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("name", TASKS)
def test_no_picture_stands_in_two_splits(name: str) -> None:
    for task in small(name).tasks:
        seen: set[str] = set()
        for split in ("train", "validation", "test"):
            rows = task.splits[split]
            keys = set(content_keys({column: rows[column] for column in rows.column_names}))
            assert not keys & seen
            seen |= keys


def test_every_style_shows_the_same_digits() -> None:
    labels = [list(task.test["label"]) for task in small("digits").tasks]
    assert all(label == labels[0] for label in labels)


def test_class_incremental_scenes_bring_every_thing_once() -> None:
    stream = small("scenes-cil")
    assert stream.label_space.names == tuple(THINGS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_answer_of_a_task_is_much_more_common_than_another(name: str) -> None:
    for task in small(name).tasks:
        if name == "scenes-qa-styles":  # balanced within each kind of question
            continue
        counts = np.bincount(task.train["label"], minlength=len(task.label_names))
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_have_two_orders_of_the_same_tasks(name: str) -> None:
    first = [task.name for task in small(name).tasks]
    other = [task.name for task in small(name, "order2").tasks]
    assert first != other
    assert sorted(first) == sorted(other)
    by_name = small(f"{name}-order2")
    assert by_name.name == f"{name}-order2"
    assert [task.name for task in by_name.tasks] == other
    with pytest.raises(UserError, match="has no order 'order3'; it has order1, order2"):
        load_stream(f"{name}-order3:{SMALL}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("digits:train=5000", "5300 rows are asked for and there are 1797 digits"),
        ("scenes:test=0", "test is 0; allowed is 1 or more"),
        ("scenes:style=neon", "'style=neon' is no knob; allowed are seed=..., train=..."),
    ],
)
def test_knobs_that_do_not_fit_are_refused(source: str, message: str) -> None:
    with pytest.raises(Faults, match=message):
        load_stream(source)
