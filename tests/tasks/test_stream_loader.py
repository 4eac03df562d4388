"""Streams by name: built in, the papers', from files; orders, protocols and limits."""

from __future__ import annotations

import pytest

from cl_core.errors import Faults, UserError
from cl_core.tasks.builtin import BUILTIN_STREAMS
from cl_core.tasks.stream import PROTOCOLS
from cl_core.tasks.stream_loader import find_stream, list_streams, load_stream

ORDER_1 = ["ag_news", "yelp", "amazon", "yahoo", "dbpedia"]
LANGUAGES = ["amh", "arq", "hau", "ibo", "kin", "ary", "pcm", "por", "swa", "tso", "twi", "yor"]


def names(stream):
    return [task.name for task in stream.tasks]


@pytest.fixture(scope="module")
def small():
    return {"train": 60, "validation": 20, "test": 30}


def test_the_built_in_stream_has_two_label_spaces_shared_by_three_tasks_each():
    stream = load_stream("domains:train=40,validation=10,test=10")
    assert (stream.name, stream.protocol, len(stream.tasks)) == ("domains", "cil", 6)
    assert stream.label_space.names == ("negative", "positive", "can wait", "urgent")
    assert sorted(map(len, stream.shared)) == [3, 3]
    again = load_stream("domains:train=40,validation=10,test=10")
    assert [t.fingerprint for t in again.tasks] == [t.fingerprint for t in stream.tasks]
    other = load_stream("domains:train=40,validation=10,test=10,seed=1")
    assert other.tasks[0].fingerprint != stream.tasks[0].fingerprint


def test_the_built_in_knobs_are_checked():
    assert len(load_stream("domains:n=9,train=8,validation=4,test=4").tasks) == 9
    dil = load_stream("domains-dil:train=8,validation=4,test=4")
    assert (dil.protocol, dil.label_space.names) == ("dil", ("negative", "positive"))
    with pytest.raises(UserError, match="1 to 200 domains, not n=201"):
        load_stream("domains:n=201")
    with pytest.raises(Faults) as caught:
        load_stream("domains:overlp=0.5,seed=x,n=1.5")
    assert len(caught.value.faults) == 3
    assert "Did you mean 'overlap'?" in str(caught.value)
    with pytest.raises(Faults, match="overlap is 2"):
        load_stream("domains:overlap=2")


def test_an_unknown_name_protocol_or_order_lists_those_there_are(cl_data):
    with pytest.raises(UserError, match=r"Did you mean 'blitzer'\?"):
        load_stream("blizer")
    with pytest.raises(UserError, match="choose one of til, cil, dil"):
        load_stream("domains", protocol="tli")
    with pytest.raises(UserError, match="it has order1, order2, order3, order4"):
        load_stream("mtl5", order="order5")


def test_without_the_real_data_the_papers_streams_say_how_to_have_them(monkeypatch):
    monkeypatch.delenv("CL_DATA", raising=False)
    infos = {info.name: info for info in list_streams()}
    assert infos["domains"].available
    assert not infos["blitzer"].available
    assert "set CL_DATA" in infos["blitzer"].how
    with pytest.raises(Faults) as caught:
        load_stream("mtl5")
    text = str(caught.value)
    assert text.count("pin it") == 5
    assert text.count("set CL_DATA to the folder of real data that has mtl5/") == 5


def test_every_stream_of_real_data_loads_as_it_stands(cl_data, small):
    infos = list_streams(cl_data)
    assert all(info.available for info in infos)
    for info in infos:
        if info.name not in BUILTIN_STREAMS and "order" not in info.name:
            # All rows are read and checked; the limit is on what is kept.
            stream = load_stream(info.name, data=cl_data, limits=small)
            assert (tuple(names(stream)), stream.protocol) == (info.tasks, info.protocol)
            assert all(set(t.splits) == {"train", "validation", "test"} for t in stream.tasks)


def test_the_real_tables_have_the_rows_and_classes_that_their_readme_states(cl_data):
    mtl5 = load_stream("mtl5", data=cl_data)
    assert [sum(len(t.splits[s]) for t in mtl5.tasks) for s in ("train", "validation", "test")] == [
        19449,
        2486,
        4983,
    ]
    assert [len(task.label_names) for task in mtl5.tasks] == [4, 5, 5, 10, 14]
    assert len(mtl5.label_space.names) == 38
    blitzer = load_stream("blitzer", data=cl_data)
    assert blitzer.label_space.names == ("negative", "positive")
    assert sum(len(task.train) for task in blitzer.tasks) == 5467


def test_the_papers_orders():
    def order(name):
        return [task.name for task in find_stream(name)[0].tasks]

    assert order("mtl5") == order("mtl5-order1") == ORDER_1
    assert order("mtl5-order2") == ["yelp", "amazon", "yahoo", "dbpedia", "ag_news"]
    assert order("mtl5-order3") == ["dbpedia", "yahoo", "ag_news", "amazon", "yelp"]
    assert order("mtl5-order4") == ["yelp", "ag_news", "dbpedia", "amazon", "yahoo"]
    assert order("afrisenti") == LANGUAGES
    orders = [order(name) for name in ("afrisenti", "afrisenti-order2", "afrisenti-order3")]
    assert len(set(map(tuple, orders))) == 3
    assert all(sorted(languages) == sorted(LANGUAGES) for languages in orders)
    assert order("wos") == sorted(order("wos"))


def test_another_order_has_the_same_tasks(cl_data, small):
    first = load_stream("mtl5", data=cl_data, limits=small)
    other = load_stream("mtl5-order4", data=cl_data, limits=small)
    asked = load_stream("mtl5", data=cl_data, order="order4", limits=small)
    assert (other.name, names(other)) == ("mtl5-order4", names(asked))
    assert {t.fingerprint for t in other.tasks} == {t.fingerprint for t in first.tasks}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_protocol_may_be_overridden(cl_data, protocol, small):
    stream = load_stream("blitzer", data=cl_data, protocol=protocol, limits=small)
    assert stream.protocol == protocol
    assert len(stream.label_space.names) == (2 if protocol == "dil" else 8)


def test_a_protocol_that_does_not_fit_the_labels_is_refused_with_what_differs(cl_data):
    with pytest.raises(Faults, match="task 'amazon': has no class in common with task 'ag_news'"):
        load_stream("mtl5", data=cl_data, protocol="dil")


def test_limits_are_stratified_and_nested_and_leave_ids_alone(cl_data, small):
    stream = load_stream("blitzer", data=cl_data, limits=small)
    whole = load_stream("blitzer", data=cl_data)
    for task, full in zip(stream.tasks, whole.tasks, strict=True):
        assert {split: len(rows) for split, rows in task.splits.items()} == small
        assert abs(sum(task.train["label"]) - 30) <= 1
        texts = dict(zip(full.train["id"], full.train["text"], strict=True))
        assert all(texts[i] == t for i, t in zip(task.train["id"], task.train["text"], strict=True))
    assert load_stream("blitzer", data=cl_data, limits=50).tasks[0].test.num_rows == 50
    thin = load_stream("mtl5", data=cl_data, limits=8)
    assert any("the limit leaves no training samples of class" in w for w in thin.warnings)


def test_a_stream_file_s_paths_are_relative_to_it(cl_data, tmp_path, monkeypatch):
    (tmp_path / "data").symlink_to(cl_data)
    (tmp_path / "reviews.yaml").write_text(
        "name: reviews\nprotocol: dil\ntasks:\n"
        "  - {name: books, path: data/blitzer/books, limit: {train: 100}}\n"
        "  - {name: kitchen, path: data/blitzer/kitchen, text: text, label: label}\n"
    )
    monkeypatch.chdir("/")
    stream = load_stream(tmp_path / "reviews.yaml")
    assert (names(stream), stream.protocol) == (["books", "kitchen"], "dil")
    assert len(stream.tasks[0].train) == 100
    kitchen = load_stream("blitzer", data=cl_data).task("kitchen")
    assert stream.task("kitchen").fingerprint == kitchen.fingerprint
