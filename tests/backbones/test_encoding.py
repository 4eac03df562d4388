"""Encodings put together and taken apart hold the same rows."""

from __future__ import annotations

import pytest

from cl_core.backbones.encoding import Encoding

FIRST = Encoding.from_lists([[1, 2], [3], [4, 5, 6]], [[0, 0], [0], [0, 1, 1]], 9)
SECOND = Encoding.from_lists([[7], [8, 9]], [[1], [1, 0]], 9)


def test_concat_holds_the_rows_of_all_in_their_order() -> None:
    whole = Encoding.concat([FIRST, SECOND])
    assert whole.input_ids == FIRST.input_ids + SECOND.input_ids
    assert whole.token_type_ids == (FIRST.token_type_ids or []) + (SECOND.token_type_ids or [])
    assert whole.lengths == (2, 1, 3, 1, 2)


@pytest.mark.parametrize("rows", [[2, 0], [1, 1], [], [0, 1, 2]])
def test_a_subset_holds_the_named_rows_in_their_order(rows: list[int]) -> None:
    part = FIRST.subset(rows)
    assert part.input_ids == [FIRST.input_ids[row] for row in rows]
    assert part.lengths == tuple(FIRST.lengths[row] for row in rows)


def test_encodings_of_different_tokenizers_are_not_put_together() -> None:
    with pytest.raises(ValueError, match="different tokenizers"):
        Encoding.concat([FIRST, Encoding.from_lists([[1]], None, 9)])
    with pytest.raises(ValueError, match="no encoding"):
        Encoding.concat([])
