"""Memoization: equal arguments are answered from before, different ones never, and no page changes a kept figure."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.base import memoized as kept
from app.base.memoized import memoized
from app.base.theme import DARK, LIGHT
from app.figures.confidence import interval, intervals
from app.figures.heatmap import thumbnail


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a memoized function was carried out for, from nothing kept."""
    monkeypatch.setattr(kept, "_RESULTS", kept._Results(kept.MOST, kept.MOST_BYTES))
    return []


def test_equal_arguments_are_answered_from_before_and_different_ones_never(
    calls: list[Any],
) -> None:
    @memoized
    def shown(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        calls.append((args, kwargs))
        return args

    @memoized
    def another(*args: Any) -> str:
        return "another"

    values = np.arange(6.0).reshape(2, 3)
    different: list[tuple[Any, ...]] = [
        (values,),
        (values.T.copy(),),
        (values.astype(np.float32),),
        (np.where(values == 5, np.nan, values),),
        (pd.DataFrame(values),),
        (pd.DataFrame(values, columns=["a", "b", "c"]),),
        ({"a": 1.0, "b": 2.0},),
        ({"b": 2.0, "a": 1.0},),
        (1,),
        (1.0,),
        (True,),
        ("1",),
        (LIGHT,),
        (DARK,),
        (0.1 + 0.2,),
        (0.3,),
    ]
    first = [shown(*args) for args in different]
    assert len(calls) == len(different)
    again = [shown(*args) for args in different]
    assert len(calls) == len(different)
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert shown(values.copy()) is first[0], "another array of the same numbers"
    assert another(values) == "another"
    shown(values, look=LIGHT)
    assert len(calls) == len(different) + 1


def test_what_was_used_least_lately_goes_when_there_is_no_room(
    calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    @memoized
    def size(values: np.ndarray[Any, Any]) -> int:
        calls.append(values[0])
        return len(values)

    one = 8 * 1000
    monkeypatch.setattr(kept, "_RESULTS", kept._Results(10, 3 * one + 1500))
    arrays = [np.full(1000, float(number)) for number in range(4)]
    for values in arrays[:3]:
        size(values)
    size(arrays[0])
    size(arrays[3])  # there is room for three: 1 was used least lately
    assert calls == [0, 1, 2, 3]
    size(arrays[0])
    assert calls == [0, 1, 2, 3]
    size(arrays[1])
    assert calls == [0, 1, 2, 3, 1]
    size(np.zeros(10_000))
    size(
        np.zeros(10_000)
    )  # alone larger than there is room: made each time, and nothing goes for it
    size(arrays[1])
    assert calls == [0, 1, 2, 3, 1, 0, 0]
    monkeypatch.setattr(kept, "_RESULTS", kept._Results(2, 100 * one))
    for number in (0, 1, 2, 1, 0):
        size(arrays[number])
    assert calls[7:] == [0, 1, 2, 0]


def test_visitors_at_once_get_the_same(calls: list[Any]) -> None:
    @memoized
    def listed(number: int) -> list[int]:
        return [number]

    got: list[list[list[int]]] = [[] for _ in range(8)]

    def visit(mine: list[list[int]]) -> None:
        mine.extend(listed(number % 50) for number in range(2000))

    threads = [threading.Thread(target=visit, args=(mine,)) for mine in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == [[number % 50] for number in range(2000)] for mine in got)


def test_a_kept_figure_is_the_one_that_is_made() -> None:
    values = np.random.default_rng(0).uniform(0, 100, (3, 3))
    anew = thumbnail.__wrapped__(values, LIGHT)  # type: ignore[attr-defined]  # of functools.wraps
    assert thumbnail(values, LIGHT) is thumbnail(values.copy(), LIGHT)
    assert thumbnail(values, LIGHT).to_json() == anew.to_json()
    assert thumbnail(values, DARK).to_json() != anew.to_json()


def test_intervals_of_a_table_are_those_of_its_cells() -> None:
    draw = np.random.default_rng(1)
    shares, counts = draw.uniform(0, 1, (4, 5)), draw.integers(0, 60, (4, 1))
    shares[1, 2] = np.nan
    assert intervals(shares, counts) == [
        [interval(shares[i, j], int(counts[i, 0])) for j in range(5)] for i in range(4)
    ]
