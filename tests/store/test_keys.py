"""Keys name content: same inputs, same key, on every machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_core.store import canonical_json, key

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_the_key_of_known_inputs_never_changes() -> None:
    # Computed by `printf '{"inputs":{"seed":0,"tau":0.01},"kind":"adapter"}' | sha256sum`: a change
    # here would make every artifact on every disk unknown.
    expected = "d39f2e9171f160e48e9695984ece6313d20b5819cd47ac946a14cbd03bc413a5"
    assert key("adapter", {"tau": 0.01, "seed": 0}) == expected


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON_VALUES, max_size=5))
def test_the_order_of_inputs_does_not_matter(inputs: dict[str, object]) -> None:
    turned = dict(reversed(inputs.items()))
    assert key("features", inputs) == key("features", turned)  # type: ignore[arg-type]


def test_tuples_and_lists_are_the_same_sequence() -> None:
    assert key("a", {"tasks": ("x", "y")}) == key("a", {"tasks": ["x", "y"]})


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0.3, 0.1 + 0.2), (None, "null"), ("a", "b")]
)
def test_different_inputs_have_different_keys(one: object, other: object) -> None:
    assert key("a", {"x": one}) != key("a", {"x": other})  # type: ignore[dict-item]


def test_the_kind_is_part_of_the_key() -> None:
    assert key("adapter", {"seed": 0}) != key("head", {"seed": 0})


def test_floats_survive_exactly() -> None:
    assert canonical_json({"x": 0.1 + 0.2}) == '{"x":0.30000000000000004}'


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Path("data"), r"inputs\.settings\.x\[1\] is a pathlib"),
        (np.float64(0.5), r"inputs\.settings\.x\[1\] is a numpy\.float64"),
        (float("nan"), r"inputs\.settings\.x\[1\] is nan"),
        ({1: 2}, r"inputs\.settings\.x\[1\] has the key 1"),
        ({"a"}, "only null, booleans, numbers, strings, lists and mappings"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(value: object, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        key("a", {"settings": {"x": [0, value]}})  # type: ignore[dict-item]
