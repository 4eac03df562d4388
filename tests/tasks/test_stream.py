"""Label spaces follow from the protocol and from what a stream declares equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_core.errors import UserError
from cl_core.tasks.stream import Stream, label_space
from cl_core.tasks.task import make_task

STARS = {"news": ("sport", "world"), "yelp": ("bad", "good"), "amazon": ("good", "bad")}


def test_labels_that_share_a_name_are_distinct_by_default_and_only_they_are_qualified():
    space = label_space("cil", STARS)
    assert space.names == (
        "sport",
        "world",
        "yelp: bad",
        "yelp: good",
        "amazon: good",
        "amazon: bad",
    )
    assert space.global_index("amazon") == (4, 5)


def test_declared_sharing_makes_labels_of_one_name_one_label():
    space = label_space("cil", STARS, (("yelp", "amazon"),))
    assert space.names == ("sport", "world", "bad", "good")
    assert space.global_index("yelp") == (2, 3)
    assert space.global_index("amazon") == (3, 2)


def test_a_shared_label_that_a_further_task_also_has_names_its_tasks():
    space = label_space("cil", {**STARS, "films": ("good", "bad")}, (("yelp", "amazon"),))
    assert space.names[2:] == ("yelp+amazon: bad", "yelp+amazon: good", "films: good", "films: bad")


def test_til_knows_no_sharing():
    assert len(label_space("til", STARS, (("yelp", "amazon"),)).names) == 6


def test_dil_maps_other_orders_of_the_names_onto_one_space():
    space = label_space("dil", {"a": ("no", "yes"), "b": ("yes", "no")})
    assert space.names == ("no", "yes")
    assert space.global_index("a") == (0, 1)
    assert space.global_index("b") == (1, 0)


def test_dil_s_label_space_is_the_union_of_which_a_task_may_lack_some():
    space = label_space("dil", {"a": ("no", "yes"), "b": ("yes", "maybe"), "c": ("maybe",)})
    assert space.names == ("no", "yes", "maybe")
    assert [space.global_index(task) for task in "abc"] == [(0, 1), (1, 2), (2,)]


def test_dil_refuses_tasks_that_share_no_class_and_names_them():
    with pytest.raises(UserError, match="'b' has no class in common with task 'a'"):
        label_space("dil", {"a": ("no", "yes"), "b": ("good", "bad")})


@given(
    st.lists(st.lists(st.sampled_from("abcde"), min_size=1, unique=True), min_size=1, max_size=6),
    st.booleans(),
)
def test_global_labels_are_unique_and_every_one_belongs_to_a_task(tasks, share):
    labels = {f"t{i}": tuple(names) for i, names in enumerate(tasks)}
    space = label_space("cil", labels, (tuple(labels),) if share else ())
    assert len(set(space.names)) == len(space.names)
    used = {index for task in labels for index in space.global_index(task)}
    assert used == set(range(len(space.names)))
    assert len(space.names) == (len(set().union(*tasks)) if share else sum(map(len, tasks)))
    for task, names in labels.items():
        for name, index in zip(names, space.global_index(task), strict=True):
            assert space.names[index].rpartition(": ")[2] == name


def test_the_first_tasks_of_a_stream_are_a_stream():
    tasks = tuple(make_task(n, names, {"train": [("x", 0)]}) for n, names in STARS.items())
    stream = Stream("s", "cil", tasks, (("yelp", "amazon"),))
    assert stream.first(3).label_space == stream.label_space
    assert stream.first(2).shared == ()
    assert stream.first(2).label_space.names == ("sport", "world", "bad", "good")
    with pytest.raises(UserError, match="the stream has news, yelp, amazon"):
        stream.task("nws")
