"""Recorded scores under another k or temperature say what routing anew would."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cl_core.evaluate.reweighing import reweigh, try_setting, try_settings
from cl_core.route.algebra import top_k_softmax

SCORES = np.array([[0.9, 0.8, 0.1], [0.2, 0.3, 0.9], [0.5, 0.5, 0.4]])


@given(
    st.lists(
        st.lists(st.sampled_from([-1.0, -0.2, 0.0, 0.1, 0.5, 0.51, 1.0]), min_size=4, max_size=4),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 6),
    st.sampled_from([0.001, 0.01, 1.0, 50.0]),
)
def test_weights_are_those_of_the_router(rows: list[list[float]], k: int, tau: float) -> None:
    wanted = top_k_softmax(torch.tensor(rows, dtype=torch.float64), k, tau)
    np.testing.assert_allclose(reweigh(rows, k, tau), wanted.numpy(), atol=1e-12)


def test_no_setting_changes_which_adapter_weighs_most() -> None:
    outcomes = try_settings(SCORES, [0, 2, 1], [1, 2, 3], [0.01, 1.0])
    assert {setting.router_accuracy for setting in outcomes} == {2 / 3}
    assert len(outcomes) == 6


def test_the_own_tasks_weight_by_hand() -> None:
    one = try_setting(SCORES[:1], [1], 2, 0.1)
    assert one.true_task_weight == pytest.approx(1 / (1 + np.exp(1.0)))
    assert one.top_k_recall == 1.0
    assert try_setting(SCORES[:1], [1], 1, 0.1).top_k_recall == 0.0


def test_a_task_without_an_adapter_has_no_weight() -> None:
    assert try_setting(SCORES[:1], [7], 3, 0.1).true_task_weight == 0.0


@pytest.mark.parametrize(("k", "tau"), [(0, 1.0), (1, 0.0), (1, float("nan"))])
def test_settings_that_mean_nothing_are_refused(k: int, tau: float) -> None:
    with pytest.raises(ValueError, match="at least 1 and above 0"):
        reweigh(SCORES, k, tau)
