"""The score matrix on disk and in memory."""

from __future__ import annotations

import numpy as np
import pytest

from cl_core.evaluate.matrix import SCORES_SCHEMA, Score, score_matrix, scores_table

SCORES = [
    Score(0, "b", "dil", "accuracy", 0.5, 10),
    Score(1, "a", "dil", "accuracy", 0.9, 10),
    Score(2, "a", "dil", "accuracy", 0.7, 10),
    Score(2, "b", "dil", "accuracy", 0.8, 10),
    Score(2, "b", "dil", "macro_f1", 0.1, 10),
]


def test_stage_zero_is_the_untrained_model_and_gaps_are_nan() -> None:
    table = scores_table(SCORES)
    assert table.schema == SCORES_SCHEMA
    R, b = score_matrix(table, ["a", "b"])
    assert np.array_equal(R, [[0.9, np.nan], [0.7, 0.8]], equal_nan=True)
    assert np.array_equal(b, [np.nan, 0.5], equal_nan=True)
    other, _ = score_matrix(table, ["a", "b"], metric="macro_f1")
    assert np.nansum(other) == 0.1


def test_two_scores_for_one_entry_are_refused_unless_the_protocol_is_named() -> None:
    table = scores_table([*SCORES, Score(2, "b", "cil/top1", "accuracy", 0.2, 10)])
    with pytest.raises(ValueError, match="two scores of accuracy at stage 2 on 'b'"):
        score_matrix(table, ["a", "b"])
    R, _ = score_matrix(table, ["a", "b"], protocol="dil")
    assert R[1, 1] == 0.8


def test_a_task_of_another_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="task 'b' are not of a stream of a, c"):
        score_matrix(scores_table(SCORES), ["a", "c"])
