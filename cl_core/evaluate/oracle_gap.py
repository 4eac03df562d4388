"""What a run loses against the oracle's route, by routing and by merging: the split is **(ours)**.

    O   every sample gets its true-task adapter, alone: the oracle's route
    F   it gets the adapter that the run weighs most, alone
    R   it gets what the run gives it

    lost by routing  O - F        lost by merging  F - R        together  O - R

All three are accuracies of the same rows under the same heads, so that the parts add up exactly. Either may be
negative: a merge that answers rightly although the adapter that it weighs most does not has gained what the route lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cl_core.evaluate.intervals import paired_error

Credit = NDArray[np.float32]
"""(N,) how right each sample is, 0 to 1."""
LOST_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.int32(), nullable=False),  # after learning this many tasks
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("true_task", pa.int32(), nullable=False),  # from 0; it has been learnt
        pa.field("own", pa.float32(), nullable=False),  # right under its true-task adapter, 0 to 1
        pa.field("first", pa.float32(), nullable=False),  # under the one of the largest weight
        pa.field("run", pa.float32(), nullable=False),  # as the run answered
    ]
)


def lost_by_routing(oracle: Credit, first: Credit) -> float:
    """O - F; (N,) how right each sample is under its true-task adapter, and under its top-1 adapter, 0 to 1 each."""
    return float(np.mean(oracle) - np.mean(first))


def lost_by_merging(first: Credit, run: Credit) -> float:
    """F - R; (N,) how right each sample is under its top-1 adapter alone, and as the run answered, 0 to 1 each.

    >>> oracle, first, run = np.array([1, 1, 1, 1]), np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0])
    >>> lost_by_routing(oracle, first), lost_by_merging(first, run)
    (0.25, 0.25)
    """
    return float(np.mean(first) - np.mean(run))


@dataclass(frozen=True)
class OracleGapMatrices:
    """(T, T) accuracies and differences, 0 to 1, of task j after learning task i; NaN where nothing was scored.

    Attributes:
        oracle: O.
        routing: O - F.
        merging: F - R.
    """

    oracle: NDArray[np.float64]
    routing: NDArray[np.float64]
    merging: NDArray[np.float64]


def summarise_losses(table: pa.Table, tasks: int) -> OracleGapMatrices:
    """Means over the samples of each cell.

    Args:
        table: rows of LOST_SCHEMA.
        tasks: T.
    """
    lost = OracleGapMatrices(*(np.full((tasks, tasks), np.nan) for _ in range(3)))
    stages, true = table["stage"].to_numpy(), table["true_task"].to_numpy()
    oracle, first, run = (table[name].to_numpy() for name in ("own", "first", "run"))
    for stage, task in np.unique(np.stack([stages, true], axis=1), axis=0):
        here, cell = (stages == stage) & (true == task), (stage - 1, task)
        lost.oracle[cell] = np.mean(oracle[here])
        lost.routing[cell] = lost_by_routing(oracle[here], first[here])
        lost.merging[cell] = lost_by_merging(first[here], run[here])
    return lost


def loss_errors(table: pa.Table, tasks: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard errors (T, T) of `routing` and of `merging`: of the same samples' own differences, 0 to 1.

    Args:
        table: rows of LOST_SCHEMA.
        tasks: T.
    """
    routing, merging = (np.full((tasks, tasks), np.nan) for _ in range(2))
    stages, true = table["stage"].to_numpy(), table["true_task"].to_numpy()
    oracle, first, run = (table[name].to_numpy() for name in ("own", "first", "run"))
    for stage, task in np.unique(np.stack([stages, true], axis=1), axis=0):
        here, cell = (stages == stage) & (true == task), (stage - 1, task)
        routing[cell] = paired_error(oracle[here], first[here])
        merging[cell] = paired_error(first[here], run[here])
    return routing, merging
