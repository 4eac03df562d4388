"""Splits and subsets: stratified, the same everywhere, nested."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cl_core.tasks.splits import limit_rows, share_out, stratified_split, stratified_subset
from cl_core.tasks.task import content_keys, make_task

labels_of = st.lists(st.integers(0, 4), min_size=1, max_size=80)
texts = [f"text {i}" for i in range(80)]


@given(st.dictionaries(st.integers(0, 20), st.integers(1, 50), min_size=1), st.integers(1, 400))
def test_shares_add_up_and_stay_within_one_row_of_exact_where_no_class_is_lifted(counts, size):
    shares = share_out(size, counts)
    total = sum(counts.values())
    assert sum(shares.values()) == min(size, total)
    assert all(0 <= shares[c] <= counts[c] for c in counts)
    if len(counts) <= size:
        assert all(shares.values())
    if size < total and all(size * n / total >= 1 for n in counts.values()):
        assert all(abs(shares[c] - size * counts[c] / total) < 1 for c in counts)


@given(labels_of, st.integers(1, 80), st.integers(0, 3))
def test_a_subset_keeps_the_rows_order_and_every_class_it_can(labels, size, seed):
    chosen = stratified_subset(labels, texts[: len(labels)], size, seed)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(size, len(labels))
    if size >= len(set(labels)):
        assert {labels[i] for i in chosen} == set(labels)


@given(labels_of, st.integers(0, 3))
def test_a_split_uses_every_row_once_and_leaves_train_something_of_each_class(labels, seed):
    cut = stratified_split(labels, texts[: len(labels)], {"validation": 0.1, "test": 0.2}, seed)
    assert sorted(row for rows in cut.values() for row in rows) == list(range(len(labels)))
    assert {labels[i] for i in cut["train"]} == set(labels)
    for label, count in Counter(labels).items():
        if count >= 3:
            assert all(label in {labels[i] for i in rows} for rows in cut.values())


def test_the_split_is_this_one_on_every_machine():
    cut = stratified_split([0, 1] * 10, texts[:20], {"validation": 0.1, "test": 0.2}, 0)
    assert (cut["validation"], cut["test"]) == ([5, 14], [11, 16, 18, 19])
    other = stratified_split([0, 1] * 10, texts[:20], {"validation": 0.1, "test": 0.2}, 1)
    assert other != cut


def test_equal_texts_do_not_end_up_on_both_sides():
    doubled = [f"text {i // 2}" for i in range(40)]
    cut = stratified_split([0] * 40, doubled, {"test": 0.2}, 0)
    train, test = ({doubled[i] for i in cut[split]} for split in ("train", "test"))
    assert not train & test


def test_a_smaller_limit_s_rows_are_part_of_a_larger_one_s():
    task = make_task("t", ("a", "b"), {"train": [(text, i % 2) for i, text in enumerate(texts)]})
    small, large = (set(limit_rows(task, {"train": n}).train["id"]) for n in (10, 20))
    assert len(small) == 10
    assert small < large


def test_limits_keep_ids_and_order_and_leave_other_splits_alone():
    rows = [(text, i % 4 == 0) for i, text in enumerate(texts)]
    task = make_task("t", ("a", "b"), {"train": rows, "test": rows})
    cut = limit_rows(task, {"train": 20, "test": None}, seed=3)
    assert Counter(cut.train["label"]) == {0: 15, 1: 5}
    numbers = [int(sample_id.rpartition("/")[2]) for sample_id in cut.train["id"]]
    assert numbers == sorted(numbers)
    assert list(cut.train["text"]) == [texts[n] for n in numbers]
    assert cut.split_fingerprint("test") == task.split_fingerprint("test")
    assert cut.fingerprint != task.fingerprint
    assert cut.fingerprint == limit_rows(task, {"train": 20}, seed=3).fingerprint
    assert cut.fingerprint != limit_rows(task, {"train": 20}, seed=4).fingerprint


def test_pairs_of_one_first_text_are_drawn_by_their_second():
    def cut(seed):
        rows = {"text": ["is it so?"] * 40, "text_pair": [f"passage {i}" for i in range(40)]}
        return stratified_split([0] * 40, content_keys(rows), {"test": 0.25}, seed)["test"]

    assert cut(0) != cut(1)
    assert cut(0) != list(range(10))  # as they come is no draw


def test_pairs_rank_by_their_first_text_so_that_it_seldom_is_on_both_sides():
    labels = [0, 1] * 20
    alone = stratified_split(labels, texts[:40], {"validation": 0.1, "test": 0.2}, 0)
    rows = {"text": texts[:40], "text_pair": [f"passage {i % 7}" for i in range(40)]}
    assert stratified_split(labels, content_keys(rows), {"validation": 0.1, "test": 0.2}, 0) == (
        alone
    )
    same = {"text": [f"text {i // 4}" for i in range(40)], "text_pair": texts[:40]}
    drawn = stratified_split([0] * 40, content_keys(same), {"test": 0.2}, 0)
    train, test = ({same["text"][i] for i in drawn[split]} for split in ("train", "test"))
    assert not train & test
